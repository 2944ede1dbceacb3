import { FramewrightError } from '../../base/errors.js';
import { LORA_TARGETS, type LoraTarget } from '../../runtime/trainer.js';
import type { TrainKind } from './records.js';

/** What may be chosen about a run of training. */
export interface TrainSettings {
  /** How often each conversation, or pair, is learnt from. */
  readonly epochs: number;
  /** Steps, in place of as many as the epochs make. */
  readonly nSteps?: number;
  /** Conversations, or pairs, of one step. One is computed at a time, whatever the size. */
  readonly batchSize: number;
  readonly learningRate: number;
  /** Share of the steps on the way up to the learning rate, from which it falls along half a cosine. */
  readonly warmup: number;
  readonly weightDecay: number;
  /** Gradients longer than this are made as long; 0: never. */
  readonly clipNorm: number;
  /** DPO: how much a margin of log-probabilities counts. */
  readonly beta: number;
  /**
   * SFT: standard deviation, in pixels of the frame, of the normal distribution over the numbers beside a coordinate that are
   * as good as it in part; 0: the coordinate alone. For models whose numbers are one token each.
   */
  readonly spread: number;
  readonly rank: number;
  readonly alpha: number;
  readonly targets: readonly LoraTarget[];
  /** Of the order, and of a new adapter's numbers. */
  readonly seed: number;
  /** Steps between two looks at what is held out, and checkpoints. Default: a tenth of all. */
  readonly every?: number;
}

const COMMON_DEFAULTS: Omit<TrainSettings, 'learningRate'> = {
  epochs: 3,
  batchSize: 8,
  warmup: 0.1,
  weightDecay: 0,
  clipNorm: 1,
  beta: 0.2,
  spread: 0,
  rank: 16,
  alpha: 32,
  targets: LORA_TARGETS,
  seed: 0,
};

/**
 * Rank, alpha, rates and beta are CROP's for a 7B (arXiv 2605.12545); a model of some million parameters needs more of a
 * rate (docs/training.md).
 */
export const TRAIN_DEFAULTS: Readonly<Record<TrainKind, TrainSettings>> = {
  sft: { ...COMMON_DEFAULTS, learningRate: 1e-4 },
  dpo: { ...COMMON_DEFAULTS, learningRate: 1e-5 },
};

/** Fills in what was left open. @throws FramewrightError USAGE */
export function settleSettings(kind: TrainKind, given: Partial<TrainSettings> = {}): TrainSettings {
  const defaults = TRAIN_DEFAULTS[kind];
  const { rank = defaults.rank } = given;
  const settled = { ...defaults, alpha: given.alpha ?? 2 * rank, ...given };
  const require = (name: keyof TrainSettings, holds: (value: number) => boolean, what: string): void => {
    const value = settled[name] as number | undefined;
    if (value !== undefined && !(Number.isFinite(value) && holds(value)))
      throw new FramewrightError('USAGE', `expected ${name} to be ${what} but received ${value}`);
  };
  for (const name of ['nSteps', 'batchSize', 'rank', 'every'] as const)
    require(name, (value) => Number.isInteger(value) && value >= 1, 'a whole number of at least 1');
  for (const name of ['epochs', 'learningRate', 'alpha', 'beta'] as const)
    require(name, (value) => value > 0, 'above 0');
  for (const name of ['weightDecay', 'clipNorm', 'spread'] as const) require(name, (value) => value >= 0, '0 or more');
  require('warmup', (value) => value >= 0 && value <= 1, 'from 0 to 1');
  require('seed', Number.isInteger, 'a whole number');
  return settled;
}

/** Steps of a run over so many conversations or pairs. */
export function stepsOf({ nSteps, epochs, batchSize }: TrainSettings, nItems: number): number {
  return nSteps ?? Math.max(1, Math.ceil((epochs * nItems) / batchSize));
}
