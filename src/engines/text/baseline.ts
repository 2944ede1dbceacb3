import type { Glyph } from './glyph.js';

/** What most letters of a line stand on, and how high they are. Pixels of the plane. */
export interface Baseline {
  /** Rise per pixel to the right, y down. */
  readonly slope: number;
  /** Height of the line at x = 0. */
  readonly start: number;
  /** Of its larger letters. */
  readonly heightPx: number;
  /** Share of the glyphs that stand on it. */
  readonly standing: number;
  /** Share of the glyphs that end above at one of two heights: that of capitals and that of small letters. */
  readonly levelled: number;
}

/** Steeper lines are not looked for. */
export const MOST_SLOPE = Math.tan((12 * Math.PI) / 180);

/** How far from a height still is at it, as a share of the line's height; and what a pixel's grid may do, pixels. */
const NEAR = 0.1;
const NEAR_PX = 0.75;

export function baselineOf(glyphs: readonly Glyph[]): Baseline {
  const heights = glyphs.map(({ box }) => box[3] - box[1]).sort((a, b) => a - b);
  const heightPx = heights[Math.floor(0.8 * (heights.length - 1))]!;
  const near = Math.max(NEAR_PX, NEAR * heightPx);
  const points = glyphs.map(({ box }) => ({ x: (box[0] + box[2]) / 2, bottom: box[3], top: box[1] }));
  let best = { slope: 0, start: 0, standing: -1, off: Infinity };
  // The line through two bottoms that most others stand on.
  for (let i = 0; i < points.length; i++) {
    for (let j = i + 1; j < points.length; j++) {
      const [a, b] = [points[i]!, points[j]!];
      if (b.x - a.x < 1.5 * heightPx) continue;
      const slope = (b.bottom - a.bottom) / (b.x - a.x);
      if (Math.abs(slope) > MOST_SLOPE) continue;
      const start = a.bottom - slope * a.x;
      const offs = points.map(({ x, bottom }) => Math.abs(bottom - start - slope * x));
      const standing = offs.filter((off) => off <= near).length;
      const off = offs.reduce((sum, each) => sum + Math.min(each, near), 0);
      if (standing > best.standing || (standing === best.standing && off < best.off)) {
        best = { slope, start, standing, off };
      }
    }
  }
  const { slope, start } = best;
  const rises = points.map(({ x, top }) => start + slope * x - top);
  return {
    slope,
    start,
    heightPx,
    standing: Math.max(0, best.standing) / glyphs.length,
    levelled: atTwoLevels(rises, near) / glyphs.length,
  };
}

/** The most values that lie near one of two. */
function atTwoLevels(values: readonly number[], near: number): number {
  let most = 0;
  for (const a of values) {
    for (const b of values) {
      const n = values.filter((value) => Math.abs(value - a) <= near || Math.abs(value - b) <= near).length;
      if (n > most) most = n;
    }
  }
  return most;
}
