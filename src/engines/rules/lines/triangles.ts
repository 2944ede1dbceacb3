import type { Size } from '../../../base/geometry.js';
import type { MergedLine } from './lines.js';

export interface Triangle {
  /** Corners in fractions 0..1 of the sides, topmost first, then clockwise. */
  readonly points: readonly [Corner, Corner, Corner];
  /** Share of its outline that edges cover, 0..1. */
  readonly covered: number;
  /** Share of the photo's area. */
  readonly area: number;
}
type Corner = readonly [x: number, y: number];

const MOST_LINES = 14;
const LEAST_ANGLE = 0.35;

/** The largest well covered triangle three of the longest lines make inside the photo. */
export function findTriangle(lines: readonly MergedLine[], size: Size): Triangle | undefined {
  const longest = lines.filter((line) => line.length * line.covered > 0.12).slice(0, MOST_LINES);
  let best: Triangle | undefined;
  let bestWorth = 0;
  for (let i = 0; i < longest.length; i++) {
    for (let j = i + 1; j < longest.length; j++) {
      for (let k = j + 1; k < longest.length; k++) {
        const triangle = triangleOf([longest[i]!, longest[j]!, longest[k]!], size);
        if (!triangle) continue;
        const worth = triangle.covered * Math.sqrt(triangle.area);
        if (worth > bestWorth) {
          best = triangle;
          bestWorth = worth;
        }
      }
    }
  }
  return best;
}

function triangleOf(sides: readonly [MergedLine, MergedLine, MergedLine], size: Size): Triangle | undefined {
  const a = crossing(sides[0], sides[1], size);
  const b = crossing(sides[1], sides[2], size);
  const c = crossing(sides[2], sides[0], size);
  if (!a || !b || !c) return undefined;
  const area = Math.abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2;
  if (area < 0.03) return undefined;
  // Side 1 runs between its crossings with 0 and 2, and so on.
  const parts = [covered(sides[0], a, c), covered(sides[1], a, b), covered(sides[2], b, c)];
  if (Math.min(...parts) < 0.45) return undefined;
  return { points: ordered(a, b, c), covered: parts.reduce((sum, part) => sum + part, 0) / 3, area };
}

function crossing(p: MergedLine, q: MergedLine, size: Size): Corner | undefined {
  const difference = Math.abs(p.angle - q.angle) % Math.PI;
  if (Math.min(difference, Math.PI - difference) < LEAST_ANGLE) return undefined;
  const [pw, ph] = [(p.x2 - p.x1) * size.width, (p.y2 - p.y1) * size.height];
  const [qw, qh] = [(q.x2 - q.x1) * size.width, (q.y2 - q.y1) * size.height];
  const det = pw * qh - ph * qw;
  if (Math.abs(det) < 1e-9) return undefined;
  const t = ((q.x1 - p.x1) * size.width * qh - (q.y1 - p.y1) * size.height * qw) / det;
  const x = p.x1 + t * (p.x2 - p.x1);
  const y = p.y1 + t * (p.y2 - p.y1);
  return x < 0 || y < 0 || x > 1 || y > 1 ? undefined : [x, y];
}

/** Share of the side from `from` to `to` that the line's own extent covers. */
function covered(line: MergedLine, from: Corner, to: Corner): number {
  const dx = to[0] - from[0];
  const dy = to[1] - from[1];
  const squared = dx * dx + dy * dy;
  const along = (x: number, y: number): number => ((x - from[0]) * dx + (y - from[1]) * dy) / squared;
  const a = along(line.x1, line.y1);
  const b = along(line.x2, line.y2);
  return Math.max(0, Math.min(1, Math.max(a, b)) - Math.max(0, Math.min(a, b))) * line.covered;
}

function ordered(...corners: [Corner, Corner, Corner]): [Corner, Corner, Corner] {
  const [top, p, q] = [...corners].sort((a, b) => a[1] - b[1] || a[0] - b[0]) as [Corner, Corner, Corner];
  const clockwise = (p[0] - top[0]) * (q[1] - top[1]) - (p[1] - top[1]) * (q[0] - top[0]) > 0;
  return clockwise ? [top, p, q] : [top, q, p];
}
