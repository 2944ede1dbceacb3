import { stat } from 'node:fs/promises';
import type { ResolvedModel } from './resolve.js';

/**
 * Models of fewer bytes (both files) run on one thread unless told otherwise: their steps take about as long as waking a
 * second thread, and on a busy machine several threads wait for the slowest at every step.
 */
const ONE_THREAD_BELOW_BYTES = 64 * 1024 * 1024;

/** Threads a model is to run with, where that was left open and is not to be left to the runtime. */
export async function threadsFor(
  { textPath, mmprojPath }: ResolvedModel,
  asked?: number,
): Promise<{ threads?: number }> {
  if (asked !== undefined) return { threads: asked };
  return (await bytesOf([textPath, mmprojPath])) < ONE_THREAD_BELOW_BYTES ? { threads: 1 } : {};
}

/** Bytes of files together. A missing one is for validation, or llama.cpp, to report. */
export async function bytesOf(files: readonly string[]): Promise<number> {
  const sizes = files.map((file) =>
    stat(file).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
