import { intersectionOverUnion, type Point, type Size } from '../../base/geometry.js';
import type { LabelledElement } from '../datasets/types.js';
import { leastCostPairs } from './assignment.js';

type Segment = readonly [number, number, number, number];

/**
 * How far a predicted element is from a labelled one of the same class, 0 (the same) to 1. Distances are divided by the
 * diagonal of `size` and end at 1.
 * - subject boxes: 1 - IoU
 * - segments: mean distance of the two endpoints, under the better of the two orders
 * - curves: mean of the two mean distances from the vertices of one polyline to the other polyline
 * - triangles: mean distance of the three vertices, under the best of the six orders
 * - vanishing points: distance of the points the lines come nearest to; 1 where either's lines are parallel
 */
export function localisationError(a: LabelledElement, b: LabelledElement, size: Size): number {
  const diagonal = Math.hypot(size.width, size.height);
  const relative = (distance: number): number => Math.min(1, distance / diagonal);
  if ('box' in a && 'box' in b) return 1 - intersectionOverUnion(a.box, b.box);
  if ('line' in a && 'line' in b) return relative(segmentDistance(a.line, b.line));
  if (a.type === 'curved' && b.type === 'curved') return relative(polylineDistance(a.points, b.points));
  if (a.type === 'triangle' && b.type === 'triangle') return relative(triangleDistance(a.points, b.points));
  if ('lines' in a && 'lines' in b) {
    const [pointA, pointB] = [meetingPoint(a.lines), meetingPoint(b.lines)];
    return pointA && pointB ? relative(distanceBetween(pointA, pointB)) : 1;
  }
  throw new TypeError(`a ${a.type} cannot be compared with a ${b.type}`);
}

/** The errors of the pairing, inside one class, of predicted with labelled elements that has the least total error. */
export function matchedErrors(
  predicted: readonly LabelledElement[],
  labelled: readonly LabelledElement[],
  size: Size,
): number[] {
  const costs = predicted.map((element) => labelled.map((label) => localisationError(element, label, size)));
  return leastCostPairs(costs).map(([row, column]) => costs[row]![column]!);
}

function segmentDistance(a: Segment, b: Segment): number {
  const [a1, a2]: [Point, Point] = [
    [a[0], a[1]],
    [a[2], a[3]],
  ];
  const [b1, b2]: [Point, Point] = [
    [b[0], b[1]],
    [b[2], b[3]],
  ];
  const same = distanceBetween(a1, b1) + distanceBetween(a2, b2);
  const swapped = distanceBetween(a1, b2) + distanceBetween(a2, b1);
  return Math.min(same, swapped) / 2;
}

function polylineDistance(a: readonly Point[], b: readonly Point[]): number {
  const toB = a.reduce((sum, point) => sum + distanceToPolyline(point, b), 0) / a.length;
  const toA = b.reduce((sum, point) => sum + distanceToPolyline(point, a), 0) / b.length;
  return (toA + toB) / 2;
}

function distanceToPolyline(point: Point, line: readonly Point[]): number {
  let least = distanceBetween(point, line[0]!);
  for (let i = 1; i < line.length; i++) least = Math.min(least, distanceToSegment(point, line[i - 1]!, line[i]!));
  return least;
}

function distanceToSegment(point: Point, from: Point, to: Point): number {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const lengthSquared = dx * dx + dy * dy;
  const along = lengthSquared > 0 ? ((point[0] - from[0]) * dx + (point[1] - from[1]) * dy) / lengthSquared : 0;
  const t = Math.max(0, Math.min(1, along));
  return distanceBetween(point, [from[0] + t * dx, from[1] + t * dy]);
}

const TRIANGLE_ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;

function triangleDistance(a: readonly Point[], b: readonly Point[]): number {
  const sums = TRIANGLE_ORDERS.map((order) =>
    order.reduce<number>((sum, vertex, i) => sum + distanceBetween(a[i]!, b[vertex]!), 0),
  );
  return Math.min(...sums) / 3;
}

/** Lines this nearly parallel (determinant of the normal equations over the square of their number) meet nowhere. */
const PARALLEL_DETERMINANT = 1e-6;

/** The point of least summed squared distance to the lines through the segments; undefined where they are parallel. */
export function meetingPoint(segments: readonly Segment[]): Point | undefined {
  let [xx, xy, yy, bx, by] = [0, 0, 0, 0, 0];
  let n = 0;
  for (const [x1, y1, x2, y2] of segments) {
    const length = Math.hypot(x2 - x1, y2 - y1);
    if (length === 0) continue;
    const normal: Point = [-(y2 - y1) / length, (x2 - x1) / length];
    const offset = normal[0] * x1 + normal[1] * y1;
    xx += normal[0] * normal[0];
    xy += normal[0] * normal[1];
    yy += normal[1] * normal[1];
    bx += normal[0] * offset;
    by += normal[1] * offset;
    n++;
  }
  const determinant = xx * yy - xy * xy;
  if (n < 2 || determinant < PARALLEL_DETERMINANT * n * n) return undefined;
  return [(yy * bx - xy * by) / determinant, (xx * by - xy * bx) / determinant];
}

function distanceBetween(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
