import type { Box, Point } from '../base/geometry.js';
import type { Element } from '../base/schema.js';

export type Segment = readonly [x1: number, y1: number, x2: number, y2: number];

export interface CoordinateMap {
  readonly box: (box: Box) => Box;
  readonly segment: (segment: Segment) => Segment;
  readonly point: (point: Point) => Point;
}

/** The same composition element with its coordinates in another space. */
export function mapElement(element: Element, { box, segment, point }: CoordinateMap): Element {
  const pair = (from: Point): [number, number] => [...point(from)];
  switch (element.type) {
    case 'rule_of_thirds':
    case 'center':
    case 'golden_ratio':
      return { type: element.type, box: [...box(element.box)] };
    case 'horizontal':
    case 'vertical':
    case 'diagonal':
    case 'symmetric':
      return { type: element.type, line: [...segment(element.line)] };
    case 'curved':
      return { type: element.type, points: element.points.map(pair) };
    case 'triangle':
      return {
        type: element.type,
        points: [pair(element.points[0]), pair(element.points[1]), pair(element.points[2])],
      };
    case 'vanishing_point':
      return { type: element.type, lines: element.lines.map((line) => [...segment(line)]) };
  }
}
