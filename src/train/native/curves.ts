import { csv } from '../../base/csv.js';

/** Figures over conversations or pairs that are not learnt from. */
export interface HeldOutFigures {
  /** SFT: mean -log p of the answers' tokens, in nats. DPO: mean loss. */
  readonly loss: number;
  /** SFT: share of the tokens that are the likeliest ones. DPO: share of the pairs with a reward margin above 0. */
  readonly accuracy: number;
  /** DPO: mean reward margin, beta * (change of log p(chosen) - change of log p(rejected)). */
  readonly margin?: number | undefined;
  /** DPO: share of the pairs whose chosen answer is the likelier one, whatever the reference says. */
  readonly preferred?: number | undefined;
}

/** One step. */
export interface CurveRow {
  /** From 1. */
  readonly step: number;
  /** Passes over the data, fractions too. */
  readonly epoch: number;
  readonly learningRate: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly margin?: number | undefined;
  /** Length of the gradient before clipping. */
  readonly gradientNorm: number;
  /** Of the answers and all else, that were computed. */
  readonly nTokens: number;
  readonly seconds: number;
  readonly heldOut?: HeldOutFigures | undefined;
}

const COLUMNS = [
  'step',
  'epoch',
  'learning_rate',
  'loss',
  'accuracy',
  'margin',
  'gradient_norm',
  'tokens',
  'seconds',
  'held_out_loss',
  'held_out_accuracy',
  'held_out_margin',
  'held_out_preferred',
];

/** Step 0 is the model as it was before. */
export function curvesCsv(before: HeldOutFigures | undefined, rows: readonly CurveRow[]): string {
  const heldOut = (figures: HeldOutFigures | undefined): (number | null)[] => [
    figures?.loss ?? null,
    figures?.accuracy ?? null,
    figures?.margin ?? null,
    figures?.preferred ?? null,
  ];
  const first = before ? [[0, 0, ...Array<null>(7).fill(null), ...heldOut(before)]] : [];
  return csv([
    COLUMNS,
    ...first,
    ...rows.map((row) => [
      row.step,
      rounded(row.epoch),
      row.learningRate,
      row.loss,
      row.accuracy,
      row.margin ?? null,
      row.gradientNorm,
      row.nTokens,
      rounded(row.seconds),
      ...heldOut(row.heldOut),
    ]),
  ]);
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
