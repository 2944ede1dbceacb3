import type { Size } from '../../../base/geometry.js';
import type { MergedLine } from './lines.js';

export interface VanishingPoint {
  /** Fractions 0..1 of the sides; may lie a little outside. */
  readonly x: number;
  readonly y: number;
  /** The lines that run to it, longest first, of clearly different directions. */
  readonly lines: readonly MergedLine[];
  /** Length of all agreeing lines over the length of all slanted ones, 0..1. */
  readonly support: number;
  /** Length of the agreeing lines, in diagonals. */
  readonly length: number;
}

/** Lines flatter or steeper than this are shared by every level or upright thing and say nothing about depth. */
const AXIS_TOLERANCE = 0.14;
/** Angle between a line and the direction from its middle to the point, radians. */
const AGREEMENT = 0.05;
/** Directions of the lines reported differ by at least this, radians. */
const LEAST_SPREAD = 0.2;
const MOST_LINES = 40;

interface PixelLine {
  line: MergedLine;
  mx: number;
  my: number;
  angle: number;
}

function turn(a: number, b: number): number {
  const d = Math.abs(a - b) % Math.PI;
  return d > Math.PI / 2 ? Math.PI - d : d;
}

/**
 * The point most slanted lines run to: every pair of the longest lines proposes its crossing (RANSAC with all samples),
 * lines vote with their length. Undefined where fewer than three lines of different direction agree.
 */
export function findVanishingPoint(lines: readonly MergedLine[], size: Size): VanishingPoint | undefined {
  const diagonal = Math.hypot(size.width, size.height);
  const sx = size.width / diagonal;
  const sy = size.height / diagonal;
  const slanted: PixelLine[] = lines
    .filter((line) => {
      const tilt = Math.abs(line.angle);
      return tilt > AXIS_TOLERANCE && tilt < Math.PI / 2 - AXIS_TOLERANCE;
    })
    .sort((a, b) => b.length - a.length)
    .slice(0, MOST_LINES)
    .map((line) => ({
      line,
      mx: ((line.x1 + line.x2) / 2) * sx,
      my: ((line.y1 + line.y2) / 2) * sy,
      angle: line.angle,
    }));
  const total = slanted.reduce((sum, { line }) => sum + line.length, 0);
  let best: { x: number; y: number; votes: number; agreeing: PixelLine[] } | undefined;
  for (let i = 0; i < slanted.length; i++) {
    for (let j = i + 1; j < slanted.length; j++) {
      const crossing = cross(slanted[i]!, slanted[j]!);
      if (!crossing) continue;
      const [x, y] = crossing;
      if (x < -0.1 * sx || x > 1.1 * sx || y < -0.1 * sy || y > 1.1 * sy) continue;
      const agreeing = slanted.filter((candidate) => agrees(candidate, x, y));
      const votes = agreeing.reduce((sum, { line }) => sum + line.length, 0);
      if (!best || votes > best.votes) best = { x, y, votes, agreeing };
    }
  }
  if (!best) return undefined;
  const chosen = spread(best.agreeing, best.x, best.y);
  if (chosen.length < 3) return undefined;
  return {
    x: best.x / sx,
    y: best.y / sy,
    lines: chosen.map(({ line }) => line),
    support: best.votes / total,
    length: best.votes,
  };
}

function cross(a: PixelLine, b: PixelLine): [number, number] | undefined {
  if (turn(a.angle, b.angle) < LEAST_SPREAD) return undefined;
  const [ax, ay, bx, by] = [Math.cos(a.angle), Math.sin(a.angle), Math.cos(b.angle), Math.sin(b.angle)];
  const det = ax * by - ay * bx;
  const t = ((b.mx - a.mx) * by - (b.my - a.my) * bx) / det;
  return [a.mx + t * ax, a.my + t * ay];
}

function agrees({ line, mx, my, angle }: PixelLine, x: number, y: number): boolean {
  const distance = Math.hypot(x - mx, y - my);
  // A line that runs on beyond the point passes through it: it does not end there.
  if (distance < 0.45 * line.length) return false;
  return turn(angle, Math.atan2(y - my, x - mx)) < AGREEMENT;
}

/** Up to four lines, longest first, that see the point from different directions (the two sides of a road differ too). */
function spread(agreeing: readonly PixelLine[], x: number, y: number): PixelLine[] {
  const chosen: PixelLine[] = [];
  for (const candidate of [...agreeing].sort((a, b) => b.line.length - a.line.length)) {
    const bearing = Math.atan2(candidate.my - y, candidate.mx - x);
    const differs = chosen.every((other) => {
      const d = Math.abs(Math.atan2(other.my - y, other.mx - x) - bearing) % (2 * Math.PI);
      return Math.min(d, 2 * Math.PI - d) >= LEAST_SPREAD;
    });
    if (differs) chosen.push(candidate);
    if (chosen.length === 4) break;
  }
  return chosen;
}
