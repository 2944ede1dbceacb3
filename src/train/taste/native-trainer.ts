import { stat } from 'node:fs/promises';
import { defined } from '../../base/defined.js';
import { resolveModel } from '../../model/resolve.js';
import type { GpuChoice } from '../../runtime/types.js';
import type { TrainKind } from '../native/records.js';
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
 * Each choice is there with parts of its photo: going through all of them once shows it some ten times. A small model takes
 * more, at a small model's rate. Preferences are few and short steps, since they drive away from the model's own crops
 * without an end: the nano comes to crop too tightly (docs/training.md). Looks at what is held out are left to the figures at
 * the end.
 */
const SETTINGS: Readonly<Record<TrainKind, (isSmall: boolean) => Partial<TrainSettings>>> = {
  sft: (isSmall) => ({
    batchSize: 8,
    every: 1_000_000,
    ...(isSmall ? { epochs: 3, learningRate: 3e-3 } : { epochs: 1 }),
  }),
  dpo: (isSmall) => ({ nSteps: 30, batchSize: 8, every: 1_000_000, ...(isSmall && { learningRate: 3e-4 }) }),
};

/** The trainer inside Framewright, with settings for a person's choices. */
export function nativeTrainer({ model, mmproj, gpu, threads }: NativeTrainerOptions): AdapterTrainer {
  return async ({ kind, data, output, lora, seed, onProgress, signal }) => {
    const { textPath } = await resolveModel({ model, ...defined({ mmproj }) });
    const isSmall = (await stat(textPath)).size < SMALL_BELOW_BYTES;
    const name = kind === 'sft' ? 'learning your crops' : 'learning what you prefer';
    await trainAdapter({
      kind,
      folder: data,
      output,
      model,
      settings: { ...SETTINGS[kind](isSmall), seed },
      ...defined({ mmproj, gpu, threads, lora, signal }),
      onStage: (what, done, total) => onProgress?.(`${name}, ${what}: ${done} of ${total}`),
      onStep: ({ step, loss }, nSteps) => onProgress?.(`${name}: step ${step} of ${nSteps}, loss ${loss.toFixed(3)}`),
    });
  };
}
