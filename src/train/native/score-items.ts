import { FramewrightError } from '../../base/errors.js';
import type { LoraTrainer, TrainPass, TrainSample } from '../../runtime/trainer.js';
import type { EmbeddingStore } from './embeddings.js';
import { scoreOf } from './figures.js';
import { pack } from './pack.js';
import type { TrainItem } from './prepare.js';

export interface Scorer {
  readonly trainer: LoraTrainer;
  readonly embeddings: EmbeddingStore;
  readonly signal?: AbortSignal;
}

/** What the trainer's present adapter says of a conversation or a pair. */
export async function evaluateItem(
  { trainer, embeddings, signal }: Scorer,
  item: TrainItem,
): Promise<{ readonly sample: TrainSample; readonly pass: TrainPass }> {
  const sample = await pack(item.tokens, (image) => embeddings.rowsOf(image));
  return { sample, pass: await trainer.evaluate(sample, signal ? { signal } : {}) };
}

/**
 * log p(chosen) - log p(rejected) of pairs, by the trainer's present adapter; 0 for those that are not wanted.
 *
 * @throws FramewrightError TRAINING_FAILED where one is no number
 */
export async function scoreItems(
  scorer: Scorer,
  items: readonly TrainItem[],
  onDone?: (done: number, total: number) => void,
  wanted?: ReadonlySet<number>,
): Promise<number[]> {
  const scores = items.map(() => 0);
  const nWanted = wanted?.size ?? items.length;
  let nDone = 0;
  for (const [i, item] of items.entries()) {
    if (wanted && !wanted.has(i)) continue;
    const { sample, pass } = await evaluateItem(scorer, item);
    const score = scoreOf(sample, pass);
    if (!Number.isFinite(score)) throw noNumberAtStart('the loss');
    scores[i] = score;
    onDone?.(++nDone, nWanted);
  }
  return scores;
}

/** Nothing was learned yet that could have diverged. */
export function noNumberAtStart(what: string): FramewrightError {
  return new FramewrightError(
    'TRAINING_FAILED',
    `${what} is no number before the first step: look for NaN in the model with "framewright gguf validate --nan"`,
  );
}
