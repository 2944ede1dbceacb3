import { integralOf, newPlane, type Integral, type Plane } from '../maps/plane.js';
import { CUE_NAMES, type PhotoMaps } from '../maps/photo-maps.js';
import type { Segment } from '../lines/segments.js';
import type { SalientBox } from '../subject/salient-boxes.js';

/** Planes the box features read, by role. */
export interface FeaturePlanes {
  /** Every cue and, last, the combined saliency. */
  readonly cues: readonly Plane[];
  readonly lab: readonly [Plane, Plane, Plane];
  /** |derivative| along x and along y at the map's size. */
  readonly slopeX: Plane;
  readonly slopeY: Plane;
}

/** Summed-area tables and findings, ready for scoring boxes. */
export interface FeatureContext {
  readonly aspect: number;
  readonly cues: readonly Integral[];
  readonly totals: readonly number[];
  /** For some cues the tables of S·x, S·y, S·x², S·y² (x and y in 0..1). */
  readonly moments: readonly Moments[];
  readonly lab: readonly Integral[];
  readonly labSquares: readonly Integral[];
  readonly slopeX: Integral;
  readonly slopeY: Integral;
  readonly slopeTotals: readonly [number, number];
  readonly subjects: readonly SalientBox[];
  readonly segments: readonly Segment[];
  readonly horizon: { readonly y: number; readonly strength: number } | undefined;
  readonly mirrorAxis: { readonly at: number; readonly correlation: number };
}

export interface Moments {
  readonly mass: Integral;
  readonly x: Integral;
  readonly y: Integral;
  readonly xx: Integral;
  readonly yy: Integral;
}

/** Cues whose layout inside the box is measured too, by index into `cues`: the combined saliency is the last. */
export const MOMENT_CUES = [1, 2, 9, 14] as const;
export const N_CUES = CUE_NAMES.length + 1;

export interface Findings {
  readonly subjects: readonly SalientBox[];
  readonly segments: readonly Segment[];
  readonly horizon: { readonly y: number; readonly strength: number } | undefined;
  readonly mirrorAxis: { readonly at: number; readonly correlation: number };
}

function weighted(plane: Plane, weight: (x: number, y: number) => number): Plane {
  const out = newPlane(plane.width, plane.height);
  for (let y = 0; y < plane.height; y++) {
    for (let x = 0; x < plane.width; x++) {
      const at = y * plane.width + x;
      out.data[at] = plane.data[at]! * weight((x + 0.5) / plane.width, (y + 0.5) / plane.height);
    }
  }
  return out;
}

function slopes(plane: Plane): [Plane, Plane] {
  const { width, height, data } = plane;
  const dx = newPlane(width, height);
  const dy = newPlane(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const right = data[y * width + Math.min(width - 1, x + 1)]!;
      const left = data[y * width + Math.max(0, x - 1)]!;
      const below = data[Math.min(height - 1, y + 1) * width + x]!;
      const above = data[Math.max(0, y - 1) * width + x]!;
      dx.data[at] = Math.abs(right - left) / 2;
      dy.data[at] = Math.abs(below - above) / 2;
    }
  }
  return [dx, dy];
}

export function featurePlanes(maps: PhotoMaps): FeaturePlanes {
  const [slopeX, slopeY] = slopes(maps.lab.l);
  return {
    cues: [...CUE_NAMES.map((name) => maps.cues[name]), maps.saliency],
    lab: [maps.lab.l, maps.lab.a, maps.lab.b],
    slopeX,
    slopeY,
  };
}

export function featureContext(planes: FeaturePlanes, findings: Findings, aspect: number): FeatureContext {
  const cues = planes.cues.map(integralOf);
  const last = (integral: Integral): number => integral.sums[integral.sums.length - 1]!;
  const slopeX = integralOf(planes.slopeX);
  const slopeY = integralOf(planes.slopeY);
  return {
    aspect,
    cues,
    totals: cues.map((integral) => last(integral) + 1e-6),
    moments: MOMENT_CUES.map((index) => {
      const plane = planes.cues[index]!;
      return {
        mass: cues[index]!,
        x: integralOf(weighted(plane, (x) => x)),
        y: integralOf(weighted(plane, (_, y) => y)),
        xx: integralOf(weighted(plane, (x) => x * x)),
        yy: integralOf(weighted(plane, (_, y) => y * y)),
      };
    }),
    lab: planes.lab.map(integralOf),
    labSquares: planes.lab.map((plane) => {
      const square = newPlane(plane.width, plane.height);
      for (let i = 0; i < square.data.length; i++) square.data[i] = plane.data[i]! * plane.data[i]!;
      return integralOf(square);
    }),
    slopeX,
    slopeY,
    slopeTotals: [last(slopeX) + 1e-6, last(slopeY) + 1e-6],
    ...findings,
  };
}
