/** Width and height in whole pixels, both at least 1. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** `[x, y]` in pixels of the space its name says (`...InFrame`, `...InPhoto`). */
export type Point = readonly [x: number, y: number];

/** `[x1, y1, x2, y2]`, whole pixels, x2 and y2 exclusive, x1 < x2 and y1 < y2. */
export type Box = readonly [x1: number, y1: number, x2: number, y2: number];

export function boxArea(box: Box): number {
  return Math.max(0, box[2] - box[0]) * Math.max(0, box[3] - box[1]);
}

/** Intersection over union; 0 where both are empty. Unitless, 1 is identical. */
export function intersectionOverUnion(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  const intersection = width > 0 && height > 0 ? width * height : 0;
  const union = boxArea(a) + boxArea(b) - intersection;
  return union > 0 ? intersection / union : 0;
}

/**
 * Boundary displacement error: mean |edge offset| over the four edges, x edges divided by image width and y edges by
 * height. Unitless, 0 is best.
 */
export function boundaryDisplacementError(a: Box, b: Box, image: Size): number {
  return (
    (Math.abs(a[0] - b[0]) + Math.abs(a[2] - b[2])) / (4 * image.width) +
    (Math.abs(a[1] - b[1]) + Math.abs(a[3] - b[3])) / (4 * image.height)
  );
}
