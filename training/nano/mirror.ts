import type { Raster } from '../../src/engines/types.js';
import type { Box } from '../../src/base/geometry.js';
import type { Element } from '../../src/base/schema.js';
import { mirroredRgb } from '../../src/photo/mirror.js';

export function mirrorRaster({ data, size }: Raster): Raster {
  return { data: mirroredRgb(data, size), size };
}

export function mirrorBox([x1, y1, x2, y2]: Box, width: number): Box {
  return [width - x2, y1, width - x1, y2];
}

export function mirrorElement(element: Element, width: number): Element {
  const x = (value: number): number => width - 1 - value;
  switch (element.type) {
    case 'rule_of_thirds':
    case 'center':
    case 'golden_ratio':
      return { type: element.type, box: [...mirrorBox(element.box, width)] };
    case 'horizontal':
    case 'vertical':
    case 'diagonal':
    case 'symmetric': {
      const [x1, y1, x2, y2] = element.line;
      return { type: element.type, line: [x(x1), y1, x(x2), y2] };
    }
    case 'curved':
      return { type: element.type, points: element.points.map(([px, py]) => [x(px), py]) };
    case 'triangle': {
      const [a, b, c] = element.points;
      return {
        type: element.type,
        points: [
          [x(a[0]), a[1]],
          [x(b[0]), b[1]],
          [x(c[0]), c[1]],
        ],
      };
    }
    case 'vanishing_point':
      return { type: element.type, lines: element.lines.map(([x1, y1, x2, y2]) => [x(x1), y1, x(x2), y2]) };
  }
}
