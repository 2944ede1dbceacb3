import { defined } from '../base/defined.js';
import { cellPxOf, GgufError, requireValidPair, type ModelFamily, type ValidPair } from '../../gguf/index.js';
import { FramewrightError } from '../base/errors.js';
import type { Runtime } from '../runtime/runtime.js';
import type { VisionModel } from '../runtime/model.js';
import type { ModelOptions } from '../runtime/types.js';
import type { ResolvedModel } from './resolve.js';

export type LoadOptions = Pick<
  ModelOptions,
  'mmap' | 'gpuLayers' | 'projectorOnGpu' | 'threads' | 'loras' | 'onProgress' | 'signal'
>;

/**
 * Both files' headers, for a pair that runs with its adapters: no file llama.cpp could crash on gets further.
 *
 * @throws FramewrightError MODEL_INVALID, MODEL_UNSUPPORTED; the signal's reason
 */
export async function requireRunnable(
  { name, textPath, mmprojPath, loras }: ResolvedModel,
  signal?: AbortSignal,
): Promise<ValidPair> {
  try {
    const adapters = loras.map(({ path }) => path);
    return await requireValidPair(textPath, mmprojPath, { loras: adapters, ...defined({ signal }) });
  } catch (error) {
    if (!(error instanceof GgufError)) throw error;
    const code = error.code === 'UNSUPPORTED' ? 'MODEL_UNSUPPORTED' : 'MODEL_INVALID';
    throw new FramewrightError(code, `cannot use the model ${name}: ${error.message}`, { cause: error });
  }
}

/** Lets llama.cpp load a pair that `requireRunnable` has seen. */
export async function loadRunnable(
  runtime: Runtime,
  { textPath, mmprojPath, use }: ResolvedModel,
  family: ModelFamily,
  options: LoadOptions,
): Promise<VisionModel> {
  return runtime.loadModel({
    ...options,
    path: textPath,
    mmprojPath,
    imageMinTokens: 1,
    imageMaxTokens: Math.ceil(use.pixelBudget.max / cellPxOf(family) ** 2),
  });
}
