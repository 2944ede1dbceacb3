import { statSync } from 'node:fs';
import { FramewrightError } from '../base/errors.js';
import type { NativeModelParams } from './addon.js';
import { checkInteger } from './check.js';
import { flashAttentionType } from './model.js';
import { usableCores } from './threads.js';
import type { ModelOptions, RuntimeInfo } from './types.js';

/** A smaller file is read: one that is mapped and cut short meanwhile ends the process (SIGBUS). */
const MAPPED_FROM_BYTES = 64 * 2 ** 20;

function isLarge(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) >= MAPPED_FROM_BYTES;
}

/** Fills in what the caller left open. @throws FramewrightError USAGE */
export function toNativeParams(info: RuntimeInfo, options: ModelOptions): NativeModelParams {
  const onGpu = info.backend !== 'cpu';
  const { gpuLayers = onGpu ? -1 : 0, imageMinTokens = 4, imageMaxTokens = 1280, loras = [] } = options;
  checkInteger('gpuLayers', gpuLayers, -1, 2 ** 31 - 1);
  checkInteger('imageMinTokens', imageMinTokens, 1, 2 ** 16);
  checkInteger('imageMaxTokens', imageMaxTokens, imageMinTokens, 2 ** 16);
  for (const { path, scale } of loras)
    if (scale !== undefined && !Number.isFinite(scale))
      throw new FramewrightError('USAGE', `expected a number as scale of ${path} but received ${scale}`);
  const devices = info.devices.filter(({ kind }) => kind === 'gpu' || kind === 'igpu').map(({ name }) => name);
  return {
    path: options.path,
    mmprojPath: options.mmprojPath,
    mmap: options.mmap ?? isLarge(options.path),
    gpuLayers,
    devices,
    projectorOnGpu: (options.projectorOnGpu ?? onGpu) && devices.length > 0,
    threads: checkInteger('threads', options.threads ?? usableCores(), 1, 512),
    flashAttention: flashAttentionType(options.flashAttention),
    imageMinTokens,
    imageMaxTokens,
    loras: loras.map(({ path, scale = 1 }) => ({ path, scale })),
  };
}
