import type { Box, Point, Size } from '../../base/geometry.js';

/**
 * A photo turned about its middle, and cut to the largest upright rectangle of its own proportions that is photo all over:
 * what is called the straight photo, whose pixels crops and compositions are counted in.
 */
export interface Turn {
  /** Clockwise, as it is seen; -45..45, not 0. */
  readonly angleDeg: number;
  /** The upright photo before it is turned. */
  readonly upright: Size;
  readonly straight: Size;
}

/** What interpolation looks at beside a pixel: none of it may lie outside the photo. */
const MARGIN_PX = 2;

export function turnOf({ width, height }: Size, angleDeg: number): Turn {
  const angle = Math.abs(radians(angleDeg));
  const longest = Math.max(width / height, height / width);
  const scale = 1 / (Math.cos(angle) + longest * Math.sin(angle));
  const inner = (side: number): number => Math.max(1, Math.floor(scale * (side - 2 * MARGIN_PX)));
  return { angleDeg, upright: { width, height }, straight: { width: inner(width), height: inner(height) } };
}

/** A position in the upright photo, from its upper left corner, as one in the straight photo; it may lie outside. */
export function straightPoint([x, y]: Point, { angleDeg, upright, straight }: Turn): Point {
  const [cos, sin] = [Math.cos(radians(angleDeg)), Math.sin(radians(angleDeg))];
  const [dx, dy] = [x - upright.width / 2, y - upright.height / 2];
  return [cos * dx - sin * dy + straight.width / 2, sin * dx + cos * dy + straight.height / 2];
}

/** A position in the straight photo as one in the upright photo. */
export function pointBeforeTurn(point: Point, { angleDeg, upright, straight }: Turn): Point {
  return straightPoint(point, { angleDeg: -angleDeg, upright: straight, straight: upright });
}

/** The smallest upright box in the straight photo around a box of the upright photo; it may reach outside. */
export function boxAroundTurned([x1, y1, x2, y2]: Box, turn: Turn): Box {
  const corners = [
    [x1, y1],
    [x2, y1],
    [x2, y2],
    [x1, y2],
  ].map(([x, y]) => straightPoint([x!, y!], turn));
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  return [
    Math.floor(Math.min(...xs)),
    Math.floor(Math.min(...ys)),
    Math.ceil(Math.max(...xs)),
    Math.ceil(Math.max(...ys)),
  ];
}

export function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
