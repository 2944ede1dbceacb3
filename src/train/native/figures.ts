import { bootstrapSamples, pairedInterval, type Interval } from '../../base/intervals.js';
import type { TrainPass, TrainSample } from '../../runtime/trainer.js';
import type { CurveRow, HeldOutFigures } from './curves.js';

/** What one conversation or pair came to. */
export interface ItemFigures {
  /** SFT: sum of -log p over the answers' tokens. DPO: loss. */
  readonly loss: number;
  /** SFT: tokens that were the likeliest, of shared ones the shares. DPO: 1 for a margin above 0. */
  readonly hits: number;
  /** SFT: tokens of answers. DPO: 1. */
  readonly n: number;
  /** DPO: log p(chosen) - log p(rejected), and what it was in the reference. */
  readonly score: number;
  readonly reference: number;
}

/** Sum of sign * log p over what is scored: for a pair, log p(chosen) - log p(rejected). */
export function scoreOf({ signs }: TrainSample, { logProbs }: TrainPass): number {
  return logProbs.reduce((sum, logProb, i) => sum + signs[i]! * logProb, 0);
}

/** Tokens that a conversation is to say: the shares of one that is shared add up to 1. */
export function nTargetsOf({ signs }: TrainSample): number {
  return signs.reduce((sum, sign) => sum + sign, 0);
}

export function sftFigures(sample: TrainSample, pass: TrainPass): ItemFigures {
  const score = scoreOf(sample, pass);
  const hits = pass.hits.reduce((sum, hit, i) => sum + hit * sample.signs[i]!, 0);
  return { loss: -score, hits, n: nTargetsOf(sample), score, reference: 0 };
}

export function dpoFigures(score: number, beta: number, reference: number): ItemFigures {
  const margin = beta * (score - reference);
  return { loss: softplus(-margin), hits: margin > 0 ? 1 : 0, n: 1, score, reference };
}

/** log(1 + exp(x)) without overflow. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

export function meanLoss(items: readonly ItemFigures[]): Pick<CurveRow, 'loss' | 'accuracy'> {
  const n = items.reduce((sum, each) => sum + each.n, 0);
  return {
    loss: items.reduce((sum, { loss }) => sum + loss, 0) / n,
    accuracy: items.reduce((sum, { hits }) => sum + hits, 0) / n,
  };
}

export function meanMargin(items: readonly ItemFigures[], beta: number): number {
  return (beta * items.reduce((sum, { score, reference }) => sum + score - reference, 0)) / items.length;
}

export function heldOutFigures(items: readonly ItemFigures[], beta: number | undefined): HeldOutFigures {
  const base = meanLoss(items);
  if (beta === undefined) return base;
  const preferred = items.filter(({ score }) => score > 0).length / items.length;
  return { ...base, margin: meanMargin(items, beta), preferred };
}

/** How a share or mean over what is held out changed, with the 95 % interval of the difference over the photos. */
export interface Change extends Interval {
  readonly before: number;
  readonly after: number;
}

/**
 * DPO: the share of pairs whose chosen answer is the likelier. SFT: mean log p of the answers' tokens. Pairs of one photo
 * hang together, so photos are drawn, not pairs (paired bootstrap, 2000 samples).
 */
export function changeOf(
  kind: 'sft' | 'dpo',
  photos: readonly string[],
  before: readonly ItemFigures[],
  after: readonly ItemFigures[],
): Change {
  const valueOf = (item: ItemFigures): readonly [sum: number, n: number] =>
    kind === 'dpo' ? [item.score > 0 ? 1 : 0, 1] : [-item.loss, item.n];
  const mean = (sums: readonly number[]): number => sums[0]! / sums[1]!;
  const rowsOf = (items: readonly ItemFigures[]): number[][] => {
    const rows = new Map<string, number[]>();
    for (const [i, item] of items.entries()) {
      const [sum, n] = valueOf(item);
      const row = rows.get(photos[i]!) ?? [0, 0];
      rows.set(photos[i]!, [row[0]! + sum, row[1]! + n]);
    }
    return [...rows.values()];
  };
  const total = (rows: readonly number[][]): number =>
    mean([0, 1].map((k) => rows.reduce((sum, row) => sum + row[k]!, 0)));
  const [rowsBefore, rowsAfter] = [rowsOf(before), rowsOf(after)];
  const [samplesBefore, samplesAfter] = [rowsBefore, rowsAfter].map((rows) => bootstrapSamples(rows, [mean])[0]!);
  return {
    before: total(rowsBefore),
    after: total(rowsAfter),
    ...pairedInterval(samplesAfter!, samplesBefore!),
  };
}
