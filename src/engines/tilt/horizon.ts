import type { Plane } from '../rules/maps/plane.js';
import type { StraightEdge } from './straight-edges.js';

/** The longest nearly level line of a photo. */
export interface LevelLine {
  /** Clockwise turn that makes it level, radians. */
  readonly turn: number;
  /** Share of the photo's width it is seen on. */
  readonly covered: number;
  /** Share of the width from its first to its last piece. */
  readonly span: number;
  /** Root mean square distance of its pieces' points from it, pixels. */
  readonly roughnessPx: number;
  /** How unlike what is above and below it is, grey levels, at the least unlike third of it. */
  readonly difference: number;
  /** Height at the middle of the photo, -0.5 (top) .. 0.5. */
  readonly height: number;
}

/** Steeper lines are roofs and roads. */
const MAX_SLOPE = (12 * Math.PI) / 180;
/** Pieces of a line differ by less from it: radians, and pixels at their ends. */
const PIECE_TURN = (0.8 * Math.PI) / 180;
const PIECE_OFF_PX = 1.6;

export function levelLines(edges: readonly StraightEdge[], grey: Plane): LevelLine[] {
  const flat = edges.filter(({ angle }) => Math.abs(angle) < MAX_SLOPE).sort((a, b) => b.lengthPx - a.lengthPx);
  const taken = new Set<StraightEdge>();
  const lines: LevelLine[] = [];
  for (const first of flat) {
    if (taken.has(first)) continue;
    let pieces = [first];
    // What is far along a short piece is told better by the pieces found so far.
    for (let round = 0; round < 4; round++) {
      const line = lineThrough(pieces);
      pieces = flat.filter((edge) => !taken.has(edge) && isPiece(edge, line));
      if (pieces.length === 0) break;
    }
    if (pieces.length === 0) pieces = [first];
    for (const piece of pieces) taken.add(piece);
    taken.add(first);
    lines.push(described(pieces, grey));
  }
  return lines.sort((a, b) => b.covered - a.covered);
}

interface Line {
  readonly slope: number;
  readonly start: number;
}

/** Least squares through the ends and middles of pieces, by their length. */
function lineThrough(pieces: readonly StraightEdge[]): Line {
  let [s, sx, sy, sxx, sxy] = [0, 0, 0, 0, 0];
  for (const { x, y, angle, lengthPx } of pieces) {
    for (const along of [-0.4, 0, 0.4]) {
      const px = x + along * lengthPx * Math.cos(angle);
      const py = y + along * lengthPx * Math.sin(angle);
      s += lengthPx;
      sx += lengthPx * px;
      sy += lengthPx * py;
      sxx += lengthPx * px * px;
      sxy += lengthPx * px * py;
    }
  }
  const slope = (s * sxy - sx * sy) / (s * sxx - sx * sx);
  return { slope, start: (sy - slope * sx) / s };
}

function isPiece({ x, y, angle, lengthPx }: StraightEdge, { slope, start }: Line): boolean {
  if (Math.abs(angle - Math.atan(slope)) > PIECE_TURN + 1 / lengthPx) return false;
  const half = (lengthPx / 2) * Math.cos(angle);
  const rise = (lengthPx / 2) * Math.sin(angle);
  return [-1, 1].every((end) => Math.abs(y + end * rise - (start + slope * (x + end * half))) < PIECE_OFF_PX);
}

function described(pieces: readonly StraightEdge[], grey: Plane): LevelLine {
  const { width, height } = grey;
  const line = lineThrough(pieces);
  const spans = pieces
    .map(({ x, lengthPx, angle }): [number, number] => {
      const half = (lengthPx / 2) * Math.cos(angle);
      return [x - half, x + half];
    })
    .sort((a, b) => a[0] - b[0]);
  let covered = 0;
  let end = -Infinity;
  for (const [from, to] of spans) {
    covered += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  const total = pieces.reduce((sum, { lengthPx }) => sum + lengthPx, 0);
  const square = pieces.reduce(
    (sum, { x, y, lengthPx, roughnessPx }) =>
      sum + lengthPx * (roughnessPx ** 2 + (y - line.start - line.slope * x) ** 2),
    0,
  );
  return {
    turn: -Math.atan(line.slope),
    covered: covered / width,
    span: (end - spans[0]![0]) / width,
    roughnessPx: Math.sqrt(square / total),
    difference: bandDifference(grey, line, spans[0]![0], end),
    height: line.start / height,
  };
}

const N_COLUMNS = 12;
const BAND_PX = 24;

function bandDifference({ width, height, data }: Plane, { slope, start }: Line, from: number, to: number): number {
  const differences: number[] = [];
  for (let column = 0; column < N_COLUMNS; column++) {
    let [above, below, nAbove, nBelow] = [0, 0, 0, 0];
    for (let i = 0; i < 8; i++) {
      const x = from + ((column + (i + 0.5) / 8) / N_COLUMNS) * (to - from);
      const px = Math.round(x + (width - 1) / 2);
      if (px < 0 || px >= width) continue;
      const py = start + slope * x + (height - 1) / 2;
      for (let d = 3; d < BAND_PX; d++) {
        const [up, down] = [Math.round(py - d), Math.round(py + d)];
        if (up >= 0 && up < height) [above, nAbove] = [above + data[up * width + px]!, nAbove + 1];
        if (down >= 0 && down < height) [below, nBelow] = [below + data[down * width + px]!, nBelow + 1];
      }
    }
    if (nAbove > 0 && nBelow > 0) differences.push(above / nAbove - below / nBelow);
  }
  // Signed: a horizon has its sky on one side all along.
  const sign = Math.sign(differences.reduce((sum, value) => sum + value, 0));
  const sorted = differences.map((value) => value * sign).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 3)] ?? 0;
}
