import { rulesLabels } from '../../src/engines/rules/index.js';
import { expectedIou, type BoxDistribution } from '../../src/engines/rules/scoring/select.js';
import { toUnit } from '../../src/engines/rules/scoring/aspect-grid.js';
import type { Raster } from '../../src/engines/types.js';
import { intersectionOverUnion, type Box, type Size } from '../../src/base/geometry.js';
import { dice, type Dice } from '../scenes/dice.js';

/** A better and a clearly worse crop of one photo, in its pixels. */
export type Pair = readonly [better: Box, worse: Box];

/** How many pairs of a photo, and which. */
export interface Draw {
  readonly count: number;
  readonly seed: number;
}

/** In IoU with the other annotators. */
const LEAST_HUMAN_GAP = 0.2;
/** In expected IoU. */
const LEAST_SCORER_GAP = 0.1;

/** The annotator who agrees most with the others, against blindly drawn boxes that agree with them clearly less. */
export function humanPairs(annotators: readonly Box[], size: Size, id: string, draw: Draw): Pair[] {
  const agreement = (box: Box): number =>
    annotators.reduce((sum, other) => sum + intersectionOverUnion(box, other), 0) / annotators.length;
  const good = annotators.reduce((a, b) => (agreement(b) > agreement(a) ? b : a)).map(Math.round) as unknown as Box;
  return drawn(diceOf(id, draw), size, draw.count, (bad) =>
    agreement(bad) < agreement(good) - LEAST_HUMAN_GAP ? [good, bad] : undefined,
  );
}

/** Blindly drawn boxes of which the teacher holds one clearly better. */
export function scorerPairs(raster: Raster, id: string, draw: Draw): Pair[] {
  const { distribution } = rulesLabels(raster);
  const { size } = raster;
  const roll = diceOf(`${id} scorer`, draw);
  return drawn(roll, size, draw.count, (one) => {
    const other = blindBox(roll, size);
    const gap = worthOf(one, size, distribution) - worthOf(other, size, distribution);
    if (Math.abs(gap) < LEAST_SCORER_GAP) return undefined;
    return gap > 0 ? [one, other] : [other, one];
  });
}

function drawn(roll: Dice, size: Size, count: number, pairWith: (box: Box) => Pair | undefined): Pair[] {
  const pairs: Pair[] = [];
  for (let attempt = 0; attempt < 40 * count && pairs.length < count; attempt++) {
    const pair = pairWith(blindBox(roll, size));
    if (pair) pairs.push(pair);
  }
  return pairs;
}

function blindBox(roll: Dice, { width, height }: Size): Box {
  const w = Math.round(width * roll.between(0.5, 0.95));
  const h = Math.round(height * roll.between(0.5, 0.95));
  const [x, y] = [roll.whole(0, width - w), roll.whole(0, height - h)];
  return [x, y, x + w, y + h];
}

function worthOf(box: Box, size: Size, distribution: BoxDistribution): number {
  return expectedIou(toUnit(box, size), distribution);
}

function diceOf(id: string, { seed }: Draw): Dice {
  return dice(Buffer.from(id).reduce((hash, byte) => Math.imul(hash, 31) + byte, seed));
}
