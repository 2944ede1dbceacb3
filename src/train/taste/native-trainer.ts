import { stat } from 'node:fs/promises';
import { defined } from '../../base/defined.js';
import { resolveModel } from '../../model/resolve.js';
import type { GpuChoice } from '../../runtime/types.js';
import type { TrainSettings } from '../native/settings.js';
import { trainAdapter } from '../native/train-adapter.js';
import type { AdapterTrainer } from './taste.js';

/** What the trainer inside Framewright trains, and on what. */
export interface NativeTrainerOptions {
  readonly model: string;
  readonly mmproj?: string;
  readonly gpu?: GpuChoice;
  readonly threads?: number;
}

/** Text models below have some million parameters: what CROP's rates are for has a thousand times as many. */
const SMALL_BELOW_BYTES = 64 * 2 ** 20;

/**
 * Each choice is there with parts of its photo: going through all of them once shows it some ten times. A small model takes a
 * small model's rate, and learns places, not tokens (docs/training.md). Looks at what is held out are left to the figures at
 * the end.
 */
const COMMON: Partial<TrainSettings> = { batchSize: 8, every: 1_000_000 };
const SMALL: Partial<TrainSettings> = { ...COMMON, nSteps: 90, learningRate: 3e-3, spread: 8 };
const LARGE: Partial<TrainSettings> = { ...COMMON, epochs: 1 };

/** The trainer inside Framewright, with settings for a person's choices. */
export function nativeTrainer({ model, mmproj, gpu, threads }: NativeTrainerOptions): AdapterTrainer {
  return async ({ data, leaveOut, output, shared, seed, onProgress, signal }) => {
    const { textPath } = await resolveModel({ model, ...defined({ mmproj }) });
    const isSmall = (await stat(textPath)).size < SMALL_BELOW_BYTES;
    await trainAdapter({
      kind: 'sft',
      folder: data,
      leaveOut,
      output,
      embeddings: shared,
      model,
      ...(isSmall && { numbers: 'median' }),
      settings: { ...(isSmall ? SMALL : LARGE), seed },
      ...defined({ mmproj, gpu, threads, signal }),
      onStage: (what, done, total) => onProgress?.(`learning your crops, ${what}: ${done} of ${total}`),
      onStep: ({ step, loss }, nSteps) =>
        onProgress?.(`learning your crops: step ${step} of ${nSteps}, loss ${loss.toFixed(3)}`),
    });
  };
}
