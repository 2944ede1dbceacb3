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
 * Some dozen choices are few: they are learned from several times, and at a small model's rate where the model is small. Looks
 * at what is held out are left to the figures at the end.
 */
const SETTINGS: Readonly<Record<TrainKind, (isSmall: boolean) => Partial<TrainSettings>>> = {
  sft: (isSmall) => ({ epochs: 6, batchSize: 4, every: 1_000_000, ...(isSmall && { learningRate: 1e-3 }) }),
  dpo: (isSmall) => ({ epochs: 1, batchSize: 8, every: 1_000_000, ...(isSmall && { learningRate: 1e-4 }) }),
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
