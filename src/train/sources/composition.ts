import type { Box, Point } from '../../base/geometry.js';
import { CURVE_POINTS, VANISHING_LINES, type Element } from '../../base/schema.js';
import type { LabelledElement } from '../../eval/datasets/types.js';
import { meetingPoint } from '../../photo/overlay/shapes.js';

type Pair = [number, number];

/**
 * Annotators' shapes as composition elements: curves with at most as many points as an answer has, segments towards a
 * vanishing point all from that one point. What is no element then (a lone segment, a curve of two points) is left out.
 */
export function asElements(labelled: readonly LabelledElement[]): Element[] {
  return labelled.flatMap((shape) => asElement(shape) ?? []);
}

function asElement(shape: LabelledElement): Element | undefined {
  switch (shape.type) {
    case 'rule_of_thirds':
    case 'center':
    case 'golden_ratio':
      return { type: shape.type, box: four(shape.box) };
    case 'horizontal':
    case 'vertical':
    case 'diagonal':
    case 'symmetric':
      return { type: shape.type, line: four(shape.line) };
    case 'curved': {
      const points = thinned(shape.points.map(pair), CURVE_POINTS.max);
      return points.length >= CURVE_POINTS.min ? { type: 'curved', points } : undefined;
    }
    case 'triangle': {
      const [a, b, c] = shape.points.map(pair);
      return a && b && c ? { type: 'triangle', points: [a, b, c] } : undefined;
    }
    case 'vanishing_point':
      return vanishing(shape.lines.map(four));
  }
}

/** The point nearest to all segments' lines in the least squares sense, and from it to each segment's far end. */
function vanishing(segments: readonly [number, number, number, number][]): Element | undefined {
  if (segments.length < VANISHING_LINES.min) return undefined;
  if (segments.some(([x1, y1, x2, y2]) => x1 === x2 && y1 === y2)) return undefined;
  const meeting = meetingPoint(
    segments.map(([x1, y1, x2, y2]): [Point, Point] => [
      [x1, y1],
      [x2, y2],
    ]),
  );
  if (!meeting) return undefined; // parallel
  const [x, y] = pair(meeting);
  const lines = segments.slice(0, VANISHING_LINES.max).map(([x1, y1, x2, y2]): [number, number, number, number] => {
    const firstIsFar = Math.hypot(x1 - x, y1 - y) > Math.hypot(x2 - x, y2 - y);
    return firstIsFar ? [x, y, x1, y1] : [x, y, x2, y2];
  });
  return { type: 'vanishing_point', lines };
}

/** Both ends, and points evenly taken from between. */
function thinned(points: readonly Pair[], most: number): Pair[] {
  if (points.length <= most) return [...points];
  return Array.from({ length: most }, (_, i) => points[Math.round((i * (points.length - 1)) / (most - 1))]!);
}

function pair([x, y]: Point): Pair {
  return [Math.round(x), Math.round(y)];
}

function four([a, b, c, d]: Box): [number, number, number, number] {
  return [Math.round(a), Math.round(b), Math.round(c), Math.round(d)];
}
