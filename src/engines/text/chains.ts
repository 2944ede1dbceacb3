import type { Glyph } from './glyph.js';
import { baselineOf, type Baseline } from './baseline.js';

/** Glyphs that follow each other on a line, from left to right. */
export interface Chain {
  readonly glyphs: readonly Glyph[];
  readonly baseline: Baseline;
}

/** Fewer are no line: any three things stand in a row somewhere. */
export const LEAST_GLYPHS = 4;

/** Of two neighbours, in heights of the higher one: a space between words is a third to a half. */
const MOST_GAP = 0.9;
const MOST_OVERLAP = 0.35;
/** Capital and small letters, ascenders and those with none. */
const HEIGHT_RATIO = 2.2;
const STROKE_RATIO = 1.9;
/** Difference of their inks, as a share of the contrast, and of their papers. */
const MOST_INK_DIFFERENCE = 0.3;
const MOST_PAPER_DIFFERENCE = 0.4;
/** Share of the lower one's height that both stand in. */
const LEAST_BESIDE = 0.5;

/** Lines of glyphs of one polarity in one plane. */
export function chainsOf(glyphs: readonly Glyph[]): Chain[] {
  const sorted = glyphs.toSorted((a, b) => a.box[0] - b.box[0]);
  const after = nearestAfter(sorted);
  const before = new Map<Glyph, Glyph>();
  for (const [glyph, next] of after) {
    const rival = before.get(next);
    if (!rival || gapOf(glyph, next) < gapOf(rival, next)) before.set(next, glyph);
  }
  const chains: Chain[] = [];
  for (const first of sorted) {
    if (before.has(first)) continue;
    const run: Glyph[] = [];
    for (let glyph: Glyph | undefined = first; glyph; glyph = after.get(glyph)) {
      if (run.length > 0 && before.get(glyph) !== run.at(-1)) break;
      run.push(glyph);
    }
    if (run.length >= LEAST_GLYPHS) chains.push({ glyphs: run, baseline: baselineOf(run) });
  }
  return chains;
}

function gapOf(a: Glyph, b: Glyph): number {
  return b.box[0] - a.box[2];
}

/** For each glyph the nearest one to the right of it that may stand in one line with it. */
function nearestAfter(sorted: readonly Glyph[]): Map<Glyph, Glyph> {
  const after = new Map<Glyph, Glyph>();
  sorted.forEach((glyph, i) => {
    const reach = glyph.box[2] + MOST_GAP * HEIGHT_RATIO * heightOf(glyph);
    let best: Glyph | undefined;
    for (let j = i + 1; j < sorted.length && sorted[j]!.box[0] <= reach; j++) {
      const other = sorted[j]!;
      if (mayFollow(glyph, other) && (!best || gapOf(glyph, other) < gapOf(glyph, best))) best = other;
    }
    if (best) after.set(glyph, best);
  });
  return after;
}

function mayFollow(a: Glyph, b: Glyph): boolean {
  const beside = Math.min(a.box[3], b.box[3]) - Math.max(a.box[1], b.box[1]);
  // Of a texture's thousands most are not beside each other.
  if (beside <= 0) return false;
  const low = Math.min(heightOf(a), heightOf(b));
  const high = Math.max(heightOf(a), heightOf(b));
  const gap = gapOf(a, b);
  const contrast = Math.min(Math.abs(a.ink - a.paper), Math.abs(b.ink - b.paper));
  return (
    b.box[2] > a.box[2] &&
    gap <= MOST_GAP * high &&
    gap >= -MOST_OVERLAP * low &&
    high <= HEIGHT_RATIO * low &&
    beside >= LEAST_BESIDE * low &&
    Math.max(a.strokePx, b.strokePx) <= STROKE_RATIO * Math.min(a.strokePx, b.strokePx) + 0.7 &&
    Math.abs(a.ink - b.ink) <= MOST_INK_DIFFERENCE * contrast &&
    Math.abs(a.paper - b.paper) <= MOST_PAPER_DIFFERENCE * contrast
  );
}

export function heightOf({ box }: Glyph): number {
  return box[3] - box[1];
}
