import type { Chain } from './chains.js';
import { heightOf } from './chains.js';
import type { Glyph } from './glyph.js';
import { shapeDifference } from './shape.js';

/** What tells a line of text from a row of other things; means and spreads over its glyphs. */
export interface Evidence {
  readonly nGlyphs: number;
  /** Shares of the glyphs on the baseline, and at one of two heights. */
  readonly standing: number;
  readonly levelled: number;
  /** Standard deviation of the strokes' widths from glyph to glyph, as a share of their mean, and mean spread within one. */
  readonly strokesDiffer: number;
  readonly strokeSpread: number;
  readonly strokeShare: number;
  readonly paperNoise: number;
  readonly inkNoise: number;
  readonly sharpness: number;
  /** Standard deviation of the inks' luminance as a share of the contrast. */
  readonly inksDiffer: number;
  readonly papersDiffer: number;
  /** Mean difference of shape between two glyphs, and between each and the one most like it. */
  readonly shapesDiffer: number;
  readonly neighboursDiffer: number;
  readonly fill: number;
  readonly fillsDiffer: number;
  readonly outline: number;
  readonly nHoles: number;
  /** Share of the glyphs with a plausible number of them. */
  readonly gapsDiffer: number;
  readonly widthsDiffer: number;
  readonly contrast: number;
  readonly heightPx: number;
  readonly meanGap: number;
}

export function evidenceOf({ glyphs, baseline }: Chain): Evidence {
  const of = (value: (glyph: Glyph) => number): { mean: number; deviation: number } => momentsOf(glyphs.map(value));
  const contrast = of(({ ink, paper }) => Math.abs(ink - paper)).mean;
  const stroke = of(({ strokePx }) => strokePx);
  const { heightPx } = baseline;
  const differences = glyphs.flatMap((a, i) => glyphs.slice(i + 1).map((b) => shapeDifference(a.shape, b.shape)));
  const neighbours = glyphs.slice(1).map((b, i) => shapeDifference(glyphs[i]!.shape, b.shape));
  const gaps = glyphs.slice(1).map((b, i) => (b.box[0] - glyphs[i]!.box[2]) / heightPx);
  return {
    nGlyphs: glyphs.length,
    standing: baseline.standing,
    levelled: baseline.levelled,
    strokesDiffer: stroke.deviation / stroke.mean,
    strokeSpread: of(({ strokeSpread }) => strokeSpread).mean,
    strokeShare: stroke.mean / heightPx,
    paperNoise: of(({ paperNoise }) => paperNoise).mean,
    inkNoise: of(({ inkNoise }) => inkNoise).mean,
    sharpness: of(({ sharpness }) => sharpness).mean,
    inksDiffer: of(({ ink }) => ink).deviation / contrast,
    papersDiffer: of(({ paper }) => paper).deviation / contrast,
    shapesDiffer: momentsOf(differences).mean,
    neighboursDiffer: momentsOf(neighbours).mean,
    fill: of(({ fill }) => fill).mean,
    fillsDiffer: of(({ fill }) => fill).deviation,
    outline: of(({ outline }) => outline).mean,
    nHoles: of(({ nHoles }) => nHoles).mean,
    gapsDiffer: momentsOf(gaps).deviation,
    meanGap: momentsOf(gaps).mean,
    widthsDiffer: of(({ box }) => box[2] - box[0]).deviation / heightPx,
    contrast,
    heightPx,
  };
}

function momentsOf(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(square) };
}

export { heightOf };
