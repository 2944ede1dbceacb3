import { strongestFirst, type Gradient } from '../maps/gradient.js';

/** A straight edge in fractions 0..1 of the sides. */
export interface Segment {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  /** Length over the diagonal of the plane it was found in. */
  readonly length: number;
  /** Mean gradient magnitude along it, grey levels a pixel. */
  readonly contrast: number;
  /** Direction in pixels, radians in (-pi/2, pi/2], y down. */
  readonly angle: number;
}

export interface SegmentOptions {
  /** Gradient magnitude under which a pixel is no edge, grey levels a pixel. */
  readonly minMagnitude: number;
  /** Least length as a share of the diagonal. */
  readonly minLength: number;
}

/** Tolerance of the level-line angle inside a region: LSD's 22.5 degrees (von Gioi et al. 2010). */
const ANGLE_TOLERANCE = Math.PI / 8;

function angleDifference(a: number, b: number): number {
  let d = Math.abs(a - b) % (2 * Math.PI);
  if (d > Math.PI) d = 2 * Math.PI - d;
  return d;
}

/**
 * Straight edges by region growing, after LSD: pixels are visited from the strongest gradient down; a region takes
 * neighbours whose gradient direction agrees with its mean; its principal axis is the segment, kept where the region is
 * long, thin and dense. Longest first.
 */
export function findSegments(gradient: Gradient, options: SegmentOptions): Segment[] {
  const { width, height } = gradient.magnitude;
  const magnitude = gradient.magnitude.data;
  const diagonal = Math.hypot(width, height);
  const used = new Uint8Array(width * height);
  for (let i = 0; i < magnitude.length; i++) if (magnitude[i]! < options.minMagnitude) used[i] = 1;
  const segments: Segment[] = [];
  for (const seed of strongestFirst(gradient.magnitude, options.minMagnitude)) {
    if (used[seed]) continue;
    const region = growRegion(seed, gradient, used, width, height);
    if (region.length < options.minLength * diagonal) continue;
    const segment = fitSegment(region, magnitude, width, height);
    if (segment && segment.length >= options.minLength) segments.push(segment);
  }
  return segments.sort((a, b) => b.length - a.length);
}

function growRegion(seed: number, gradient: Gradient, used: Uint8Array, width: number, height: number): number[] {
  const dx = gradient.dx.data;
  const dy = gradient.dy.data;
  const region = [seed];
  used[seed] = 1;
  const norm = Math.hypot(dx[seed]!, dy[seed]!);
  let sumX = dx[seed]! / norm;
  let sumY = dy[seed]! / norm;
  // The region grows while it is walked.
  for (const at of region) {
    const x = at % width;
    const y = (at - x) / width;
    for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
      for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
        const n = ny * width + nx;
        if (used[n]) continue;
        const mean = Math.atan2(sumY, sumX);
        const angle = Math.atan2(dy[n]!, dx[n]!);
        if (angleDifference(mean, angle) > ANGLE_TOLERANCE) continue;
        used[n] = 1;
        region.push(n);
        sumX += Math.cos(angle);
        sumY += Math.sin(angle);
      }
    }
  }
  return region;
}

function fitSegment(
  region: readonly number[],
  magnitude: Float32Array,
  width: number,
  height: number,
): Segment | undefined {
  let mass = 0;
  let cx = 0;
  let cy = 0;
  for (const at of region) {
    const weight = magnitude[at]!;
    mass += weight;
    cx += weight * (at % width);
    cy += weight * Math.floor(at / width);
  }
  cx /= mass;
  cy /= mass;
  let xx = 0;
  let xy = 0;
  let yy = 0;
  for (const at of region) {
    const weight = magnitude[at]!;
    const x = (at % width) - cx;
    const y = Math.floor(at / width) - cy;
    xx += weight * x * x;
    xy += weight * x * y;
    yy += weight * y * y;
  }
  const axis = 0.5 * Math.atan2(2 * xy, xx - yy);
  const ux = Math.cos(axis);
  const uy = Math.sin(axis);
  let low = Infinity;
  let high = -Infinity;
  let widest = 0;
  for (const at of region) {
    const x = (at % width) - cx;
    const y = Math.floor(at / width) - cy;
    const along = x * ux + y * uy;
    const across = Math.abs(y * ux - x * uy);
    if (along < low) low = along;
    if (along > high) high = along;
    if (across > widest) widest = across;
  }
  const lengthPx = high - low;
  const thicknessPx = 2 * widest + 1;
  // A bent or frayed region is no line: it must be long for its thickness and fill its rectangle.
  if (lengthPx < 3 * thicknessPx || region.length < 0.5 * lengthPx * Math.min(thicknessPx, 3)) return undefined;
  let [x1, y1, x2, y2] = [cx + low * ux, cy + low * uy, cx + high * ux, cy + high * uy];
  if (x2 < x1 || (x2 === x1 && y2 < y1)) [x1, y1, x2, y2] = [x2, y2, x1, y1];
  const clamp = (value: number): number => Math.min(1, Math.max(0, value));
  return {
    x1: clamp((x1 + 0.5) / width),
    y1: clamp((y1 + 0.5) / height),
    x2: clamp((x2 + 0.5) / width),
    y2: clamp((y2 + 0.5) / height),
    length: lengthPx / Math.hypot(width, height),
    contrast: mass / region.length,
    angle: Math.atan2(y2 - y1, x2 - x1),
  };
}
