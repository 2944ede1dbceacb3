import { gradientOf, type Gradient } from '../rules/maps/gradient.js';
import { lumaOf, resizeRgb, workingSize, type Plane } from '../rules/maps/plane.js';
import { findSegments, type Segment } from '../rules/lines/segments.js';
import type { Raster } from '../types.js';

/** An edge that a straight line was fitted to with parts of a pixel, in pixels from the middle of the working plane, y down. */
export interface StraightEdge {
  /** Its middle. */
  readonly x: number;
  readonly y: number;
  /** Direction, radians in (-pi/2, pi/2]. */
  readonly angle: number;
  readonly lengthPx: number;
  /** Root mean square distance of its points from the line, pixels. */
  readonly roughnessPx: number;
  /** Mean gradient magnitude, grey levels a pixel. */
  readonly contrast: number;
}

/** Edges and the plane they were found in. */
export interface EdgePlane {
  readonly grey: Plane;
  readonly edges: readonly StraightEdge[];
}

/**
 * Long side of the plane: a line over a quarter of it is then known to a few hundredths of a degree, and more pixels bring
 * texture rather than lines.
 */
export const TILT_LONG_SIDE_PX = 800;

/** Weak edges and short ones are texture. Grey levels a pixel; share of the diagonal. */
const SEGMENTS = { minMagnitude: 3, minLength: 0.03 };

/** How far beside a segment its edge is looked for, pixels. */
const REACH_PX = 2;
/** Points further from the line than this are another thing's, pixels. */
const OUTLIER_PX = 1.25;
/** Of the points along a segment, those that must be on its line. */
const MIN_ON_LINE = 0.7;

export function straightEdges(raster: Raster): EdgePlane {
  const size = workingSize(
    raster.size,
    Math.min(TILT_LONG_SIDE_PX, Math.max(raster.size.width, raster.size.height)),
    24,
  );
  const grey = lumaOf(resizeRgb(raster, size));
  const gradient = gradientOf(grey);
  const edges = findSegments(gradient, SEGMENTS).flatMap((segment) => fitted(segment, gradient) ?? []);
  return { grey, edges };
}

/** The segment's line through the peaks of the gradient across it; undefined where they lie on none. */
function fitted(segment: Segment, { dx, dy, magnitude }: Gradient): StraightEdge | undefined {
  const { width, height } = magnitude;
  // Of pixel centres, as the gradient's samples are.
  const [x1, y1] = [segment.x1 * width - 0.5, segment.y1 * height - 0.5];
  const [x2, y2] = [segment.x2 * width - 0.5, segment.y2 * height - 0.5];
  const lengthPx = Math.hypot(x2 - x1, y2 - y1);
  const [ux, uy] = [(x2 - x1) / lengthPx, (y2 - y1) / lengthPx];
  const [nx, ny] = [-uy, ux];
  const across = (x: number, y: number): number => Math.abs(sample(dx, x, y) * nx + sample(dy, x, y) * ny);
  const points: { t: number; d: number }[] = [];
  const nSteps = Math.floor(lengthPx);
  let contrast = 0;
  for (let i = 0; i <= nSteps; i++) {
    const [px, py] = [x1 + i * ux, y1 + i * uy];
    let best = 0;
    let at = 0;
    for (let d = -REACH_PX; d <= REACH_PX; d += 0.5) {
      const value = across(px + d * nx, py + d * ny);
      if (value > best) [best, at] = [value, d];
    }
    // A parabola through the peak and what is half a pixel beside it.
    const before = across(px + (at - 0.5) * nx, py + (at - 0.5) * ny);
    const after = across(px + (at + 0.5) * nx, py + (at + 0.5) * ny);
    const bend = before - 2 * best + after;
    const shift = bend < 0 ? (0.25 * (before - after)) / bend : 0;
    if (best >= SEGMENTS.minMagnitude / 2) {
      points.push({ t: i, d: at + Math.max(-0.5, Math.min(0.5, shift)) });
      contrast += best;
    }
  }
  const line = robustLine(points);
  if (!line || line.nOn < MIN_ON_LINE * (nSteps + 1)) return undefined;
  const middle = nSteps / 2;
  const d = line.at(middle);
  let angle = Math.atan2(uy + line.slope * ny, ux + line.slope * nx);
  if (angle > Math.PI / 2) angle -= Math.PI;
  if (angle <= -Math.PI / 2) angle += Math.PI;
  return {
    x: x1 + middle * ux + d * nx - (width - 1) / 2,
    y: y1 + middle * uy + d * ny - (height - 1) / 2,
    angle,
    lengthPx,
    roughnessPx: line.rms,
    contrast: contrast / points.length,
  };
}

interface FittedLine {
  readonly slope: number;
  readonly at: (t: number) => number;
  readonly rms: number;
  readonly nOn: number;
}

/** Least squares of d over t, outliers left out step by step. */
function robustLine(points: readonly { t: number; d: number }[]): FittedLine | undefined {
  let on = points;
  for (let round = 0; ; round++) {
    const n = on.length;
    if (n < 8) return undefined;
    let [st, sd, stt, std] = [0, 0, 0, 0];
    for (const { t, d } of on) {
      st += t;
      sd += d;
      stt += t * t;
      std += t * d;
    }
    const det = n * stt - st * st;
    const slope = det > 0 ? (n * std - st * sd) / det : 0;
    const start = (sd - slope * st) / n;
    const at = (t: number): number => start + slope * t;
    if (round === 3) {
      const rms = Math.sqrt(on.reduce((sum, { t, d }) => sum + (d - at(t)) ** 2, 0) / n);
      return { slope, at, rms, nOn: n };
    }
    on = points.filter(({ t, d }) => Math.abs(d - at(t)) <= OUTLIER_PX);
  }
}

/** Linear between pixel centres. */
function sample({ width, height, data }: Plane, x: number, y: number): number {
  const cx = Math.max(0, Math.min(width - 1, x));
  const cy = Math.max(0, Math.min(height - 1, y));
  const left = Math.min(width - 2, Math.floor(cx));
  const top = Math.min(height - 2, Math.floor(cy));
  const [fx, fy] = [cx - left, cy - top];
  const at = top * width + left;
  const above = data[at]! * (1 - fx) + data[at + 1]! * fx;
  const below = data[at + width]! * (1 - fx) + data[at + width + 1]! * fx;
  return above * (1 - fy) + below * fy;
}
