import type { Chain } from './chains.js';
import type { Glyph } from './glyph.js';
import { shapeDifference } from './shape.js';

/** What tells a line of text from a row of other things. Lengths are in heights of the line, luminance in shares of the contrast. */
export interface Evidence {
  readonly nGlyphs: number;
  /** Share of the glyphs on the baseline. */
  readonly standing: number;
  /** Share of the glyphs that end above at one of two heights. */
  readonly levelled: number;
  /** How unevenly wide the strokes of one glyph are, on average. */
  readonly strokeSpread: number;
  /** How much the strokes' widths differ from glyph to glyph, as a share of their mean. */
  readonly strokesDiffer: number;
  readonly strokeWidth: number;
  readonly paperNoise: number;
  readonly inkNoise: number;
  readonly sharpness: number;
  readonly inksDiffer: number;
  readonly papersDiffer: number;
  /** Mean difference of shape between any two glyphs, and between neighbours. */
  readonly shapesDiffer: number;
  readonly neighboursDiffer: number;
  /** How far the share of the boxes that is ink is from that of common fonts. */
  readonly fillOff: number;
  readonly outline: number;
  readonly gapsDiffer: number;
  /** How far the mean gap is from that of common fonts. */
  readonly gapOff: number;
  readonly widthsDiffer: number;
  /** Grey levels. */
  readonly contrast: number;
}

/** About the medians of lines drawn in nine faces of DejaVu. */
const FILL = 0.48;
const GAP = 0.17;

export function evidenceOf({ glyphs, baseline }: Chain): Evidence {
  const of = (value: (glyph: Glyph) => number): Moments => momentsOf(glyphs.map(value));
  const { heightPx, standing, levelled } = baseline;
  const contrast = of(({ ink, paper }) => Math.abs(ink - paper)).mean;
  const stroke = of(({ strokePx }) => strokePx);
  const pairs = glyphs.flatMap((a, i) => glyphs.slice(i + 1).map((b) => shapeDifference(a.shape, b.shape)));
  const neighbours = glyphs.slice(1).map((b, i) => shapeDifference(glyphs[i]!.shape, b.shape));
  const gaps = momentsOf(glyphs.slice(1).map((b, i) => (b.box[0] - glyphs[i]!.box[2]) / heightPx));
  return {
    nGlyphs: glyphs.length,
    standing,
    levelled,
    strokeSpread: of(({ strokeSpread }) => strokeSpread).mean,
    strokesDiffer: stroke.deviation / stroke.mean,
    strokeWidth: stroke.mean / heightPx,
    paperNoise: of(({ paperNoise }) => paperNoise).mean,
    inkNoise: of(({ inkNoise }) => inkNoise).mean,
    sharpness: of(({ sharpness }) => sharpness).mean,
    inksDiffer: of(({ ink }) => ink).deviation / contrast,
    papersDiffer: of(({ paper }) => paper).deviation / contrast,
    shapesDiffer: momentsOf(pairs).mean,
    neighboursDiffer: momentsOf(neighbours).mean,
    fillOff: Math.abs(of(({ fill }) => fill).mean - FILL),
    outline: of(({ outline }) => outline).mean,
    gapsDiffer: gaps.deviation,
    gapOff: Math.abs(gaps.mean - GAP),
    widthsDiffer: of(({ box }) => box[2] - box[0]).deviation / heightPx,
    contrast,
  };
}

interface Moments {
  readonly mean: number;
  readonly deviation: number;
}

function momentsOf(values: readonly number[]): Moments {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(square) };
}
