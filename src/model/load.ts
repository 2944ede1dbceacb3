import { GgufError, requireValidPair } from '../../gguf/index.js';
import { FramewrightError } from '../errors.js';
import type { Runtime } from '../runtime/runtime.js';
import type { VisionModel } from '../runtime/model.js';
import type { ModelOptions } from '../runtime/types.js';
import { CELL_PX } from '../image/frame.js';
import type { ResolvedModel } from './resolve.js';

export type LoadOptions = Pick<
  ModelOptions,
  'mmap' | 'gpuLayers' | 'projectorOnGpu' | 'threads' | 'loras' | 'onProgress' | 'signal'
>;

/** Validates the pair, then lets llama.cpp load it: no file it could crash on gets that far. */
export async function loadResolved(
  runtime: Runtime,
  resolved: ResolvedModel,
  options: LoadOptions,
): Promise<VisionModel> {
  const { textPath, mmprojPath, use } = resolved;
  try {
    await requireValidPair(textPath, mmprojPath, options.signal ? { signal: options.signal } : {});
  } catch (error) {
    if (!(error instanceof GgufError)) throw error;
    const code = error.code === 'UNSUPPORTED' ? 'MODEL_UNSUPPORTED' : 'MODEL_INVALID';
    throw new FramewrightError(code, `cannot use the model ${resolved.name}: ${error.message}`, { cause: error });
  }
  return runtime.loadModel({
    ...options,
    path: textPath,
    mmprojPath,
    imageMinTokens: 1,
    imageMaxTokens: Math.ceil(use.pixelBudget.max / CELL_PX ** 2),
  });
}
