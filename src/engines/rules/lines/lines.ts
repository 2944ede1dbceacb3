import type { Size } from '../../../base/geometry.js';
import { boxSum, integralOf, type Integral } from '../maps/plane.js';
import type { PhotoMaps } from '../maps/photo-maps.js';
import type { Segment } from './segments.js';

/** Several segments on one straight line. */
export interface MergedLine extends Segment {
  /** Share of the line's extent that segments cover, 0..1. */
  readonly covered: number;
}

interface Line {
  nx: number;
  ny: number;
  offset: number;
}

/** Pixel-true coordinates, the diagonal being 1. */
function toDiagonal(size: Size): { sx: number; sy: number } {
  const diagonal = Math.hypot(size.width, size.height);
  return { sx: size.width / diagonal, sy: size.height / diagonal };
}

/**
 * Joins segments whose direction differs by less than `angleTolerance` radians and whose distance is under
 * `offsetTolerance` diagonals. Longest first.
 */
export function mergeCollinear(
  segments: readonly Segment[],
  size: Size,
  angleTolerance = 0.07,
  offsetTolerance = 0.012,
): MergedLine[] {
  const { sx, sy } = toDiagonal(size);
  const taken = new Uint8Array(segments.length);
  const merged: MergedLine[] = [];
  segments.forEach((first, i) => {
    if (taken[i]) return;
    taken[i] = 1;
    const line = lineOf(first, sx, sy);
    const group = [first];
    segments.forEach((other, j) => {
      if (taken[j]) return;
      let turn = Math.abs(other.angle - first.angle);
      if (turn > Math.PI / 2) turn = Math.PI - turn;
      if (turn > angleTolerance) return;
      const d1 = line.nx * other.x1 * sx + line.ny * other.y1 * sy - line.offset;
      const d2 = line.nx * other.x2 * sx + line.ny * other.y2 * sy - line.offset;
      if (Math.abs(d1) > offsetTolerance || Math.abs(d2) > offsetTolerance) return;
      taken[j] = 1;
      group.push(other);
    });
    merged.push(joined(group, line, sx, sy));
  });
  return merged.sort((a, b) => b.length * b.covered - a.length * a.covered);
}

function lineOf(s: Segment, sx: number, sy: number): Line {
  const nx = -Math.sin(s.angle);
  const ny = Math.cos(s.angle);
  return { nx, ny, offset: nx * ((s.x1 + s.x2) / 2) * sx + ny * ((s.y1 + s.y2) / 2) * sy };
}

function joined(group: readonly Segment[], line: Line, sx: number, sy: number): MergedLine {
  const [ux, uy] = [line.ny, -line.nx];
  let low = Infinity;
  let high = -Infinity;
  let lowPoint: [number, number] = [0, 0];
  let highPoint: [number, number] = [0, 0];
  let contrast = 0;
  let total = 0;
  const spans: [number, number][] = [];
  for (const s of group) {
    const a = s.x1 * sx * ux + s.y1 * sy * uy;
    const b = s.x2 * sx * ux + s.y2 * sy * uy;
    spans.push(a < b ? [a, b] : [b, a]);
    for (const [t, point] of [
      [a, [s.x1, s.y1]],
      [b, [s.x2, s.y2]],
    ] as const) {
      if (t < low) {
        low = t;
        lowPoint = [point[0], point[1]];
      }
      if (t > high) {
        high = t;
        highPoint = [point[0], point[1]];
      }
    }
    contrast += s.contrast * s.length;
    total += s.length;
  }
  spans.sort((a, b) => a[0] - b[0]);
  let covered = 0;
  let end = -Infinity;
  for (const [a, b] of spans) {
    covered += Math.max(0, b - Math.max(a, end));
    end = Math.max(end, b);
  }
  const [p, q] = lowPoint[0] <= highPoint[0] ? [lowPoint, highPoint] : [highPoint, lowPoint];
  return {
    x1: p[0],
    y1: p[1],
    x2: q[0],
    y2: q[1],
    length: high - low,
    contrast: contrast / total,
    angle: Math.atan2((q[1] - p[1]) * sy, (q[0] - p[0]) * sx),
    covered: high > low ? covered / (high - low) : 1,
  };
}

export interface Horizon {
  /** The line, extended to the photo's sides. */
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  /** Height at the middle, 0..1. */
  readonly y: number;
  /** 0..1: share of the width it is seen on, times how unlike the bands above and below are. */
  readonly strength: number;
}

/** Under this a level edge is no horizon but a table, a roof, a ripple. */
export const HORIZON_STRENGTH = 0.35;

/** The strongest long, nearly level line that parts two unlike bands; undefined where none is clear. */
export function findHorizon(maps: PhotoMaps, lines: readonly MergedLine[]): Horizon | undefined {
  const labs = [maps.lab.l, maps.lab.a, maps.lab.b].map(integralOf);
  let best: Horizon | undefined;
  for (const line of lines) {
    if (Math.abs(line.angle) > 0.07) continue;
    const width = line.x2 - line.x1;
    if (width * line.covered < 0.4) continue;
    const slope = (line.y2 - line.y1) / Math.max(1e-6, width);
    const y1 = line.y1 - slope * line.x1;
    const y2 = y1 + slope;
    const y = (y1 + y2) / 2;
    if (y < 0.1 || y > 0.9 || Math.min(y1, y2) < 0 || Math.max(y1, y2) > 1) continue;
    const strength = Math.min(1, width * line.covered * 1.15) * bandDifference(labs, y1, y2);
    if (!best || strength > best.strength) best = { x1: 0, y1, x2: 1, y2, y, strength };
  }
  return best && best.strength >= HORIZON_STRENGTH ? best : undefined;
}

/** How unlike the bands just above and below a level line are, 0..1, taken where they are least unlike. */
function bandDifference(labs: readonly Integral[], y1: number, y2: number): number {
  const depth = 0.1;
  const columns = 6;
  const differences: number[] = [];
  for (let i = 0; i < columns; i++) {
    const x1 = i / columns;
    const x2 = (i + 1) / columns;
    const y = y1 + (y2 - y1) * ((x1 + x2) / 2);
    const difference = labs.map((integral) => {
      const n = (integral.width * integral.height) / columns;
      const above = boxSum(integral, x1, y - depth, x2, y - 0.01) / (n * (Math.min(depth, y) - 0.01));
      const below = boxSum(integral, x1, y + 0.01, x2, y + depth) / (n * (Math.min(depth, 1 - y) - 0.01));
      return above - below;
    });
    differences.push(Math.hypot(...difference));
  }
  differences.sort((a, b) => a - b);
  // The lower third: a horizon may be hidden behind a subject, but not along most of the width.
  return Math.min(1, differences[Math.floor(columns / 3)]! / 20);
}
