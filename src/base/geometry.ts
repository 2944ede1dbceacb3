/** Width and height in whole pixels, both at least 1. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Shape of a crop, `width / height`: as a user asks for it, whole numbers without a common factor (16:9 for what was
 * written as 32:18); in the model frame, whose pixels need not be square in the photo, any positive numbers.
 */
export interface Aspect {
  readonly width: number;
  readonly height: number;
}

/** `[x, y]` in pixels of the space its name says (`...InFrame`, `...InPhoto`). */
export type Point = readonly [x: number, y: number];

/** `[x1, y1, x2, y2]`, whole pixels, x2 and y2 exclusive, x1 < x2 and y1 < y2. */
export type Box = readonly [x1: number, y1: number, x2: number, y2: number];

/** A box as results have it: its upper left corner and its size, whole pixels. */
export interface Rect extends Size {
  readonly x: number;
  readonly y: number;
}

export function boxOfRect({ x, y, width, height }: Rect): [x1: number, y1: number, x2: number, y2: number] {
  return [x, y, x + width, y + height];
}

export function rectOfBox([x1, y1, x2, y2]: Box): Rect {
  return { x: x1, y: y1, width: x2 - x1, height: y2 - y1 };
}

export function boxOfSize({ width, height }: Size): Box {
  return [0, 0, width, height];
}

export function boxArea(box: Box): number {
  return Math.max(0, box[2] - box[0]) * Math.max(0, box[3] - box[1]);
}

/** Of each side, not whole numbers where a side is odd. */
export function boxCentre(box: Box): Point {
  return [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
}

/** The smallest box around all of these; undefined for none. */
export function unionOf(boxes: readonly Box[]): Box | undefined {
  if (boxes.length === 0) return undefined;
  return boxes.reduce((a, b): Box => [
    Math.min(a[0], b[0]),
    Math.min(a[1], b[1]),
    Math.max(a[2], b[2]),
    Math.max(a[3], b[3]),
  ]);
}

export function contains(outer: Box, inner: Box): boolean {
  return outer[0] <= inner[0] && outer[1] <= inner[1] && outer[2] >= inner[2] && outer[3] >= inner[3];
}

/** The part of a box that lies in an image of this size; undefined where there is none. */
export function clipped(box: Box, { width, height }: Size): Box | undefined {
  const inside: Box = [
    clamp(box[0], 0, width),
    clamp(box[1], 0, height),
    clamp(box[2], 0, width),
    clamp(box[3], 0, height),
  ];
  return boxArea(inside) > 0 ? inside : undefined;
}

/** The nearest value from `least` to `most`; `least` where there is none. */
export function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}

/** Area that two boxes have in common. */
export function overlapArea(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  return width > 0 && height > 0 ? width * height : 0;
}

/** Whether an edge of the crop goes through the box: it lies partly inside and partly outside. */
export function isCut(box: Box, crop: Box): boolean {
  return overlapArea(box, crop) > 0 && !contains(crop, box);
}

/** Intersection over union; 0 where both are empty. Unitless, 1 is identical. */
export function intersectionOverUnion(a: Box, b: Box): number {
  const intersection = overlapArea(a, b);
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
