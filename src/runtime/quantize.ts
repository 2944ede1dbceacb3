import { randomBytes } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { FramewrightError, messageOf } from '../base/errors.js';
import { checkOutputFolder } from '../files/write.js';
import { loadBinding } from './binding.js';
import { CallQueue } from './session/call-queue.js';
import { checkInteger } from './check.js';
import { guardListener } from './listener.js';
import { usableCores } from './threads.js';

/** llama_ftype (llama.h) of the kinds that need no importance matrix. */
export const QUANTIZATIONS = {
  F16: 1,
  BF16: 32,
  Q8_0: 7,
  Q6_K: 18,
  Q5_K_M: 17,
  Q5_K_S: 16,
  Q4_K_M: 15,
  Q4_K_S: 14,
  Q4_0: 2,
  Q3_K_M: 12,
  Q2_K: 10,
} as const;
export type Quantization = keyof typeof QUANTIZATIONS;

export interface QuantizeOptions {
  readonly type: Quantization;
  /** Default: the physical cores. */
  readonly threads?: number;
  /** Also takes a file that is quantised already, which loses more than quantising the original. Default false. */
  readonly allowRequantize?: boolean;
  /** All matrices of the one type, instead of llama.cpp's mixture. Default false. */
  readonly pure?: boolean;
  /** Fraction 0..1 of the tensors. */
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Quantises a validated text model with llama.cpp's own quantiser, off the main thread. The file appears whole or not at
 * all.
 *
 * @throws FramewrightError MODEL_UNSUPPORTED with llama.cpp's reason, OUTPUT_WRITE, USAGE; the signal's reason
 */
export async function quantizeModel(inputPath: string, outputPath: string, options: QuantizeOptions): Promise<void> {
  const { type, allowRequantize = false, pure = false, signal } = options;
  const threads = checkInteger('threads', options.threads ?? usableCores(), 1, 512);
  signal?.throwIfAborted();
  await checkOutputFolder(outputPath);
  const { addon } = await loadBinding({ gpu: 'cpu' });
  const temporary = `${outputPath}.${randomBytes(4).toString('hex')}.tmp`;
  const onProgress = guardListener(options.onProgress ?? (() => undefined), (error) => queue.cancel(error));
  const native = new addon.Quantizer((fraction) => {
    if (!signal?.aborted) onProgress(fraction);
  });
  const queue = new CallQueue('quantiser', () => native.interrupt());
  try {
    const params = {
      input: inputPath,
      output: temporary,
      fileType: QUANTIZATIONS[type],
      threads,
      allowRequantize,
      pure,
    };
    await queue.run(() => native.run(params), signal);
    await rename(temporary, outputPath).catch((error: unknown) => {
      throw new FramewrightError('OUTPUT_WRITE', `cannot write ${outputPath}: ${messageOf(error)}`, { cause: error });
    });
  } finally {
    // Waits for a call that was aborted: until then it may still write.
    await queue.close();
    await native.dispose();
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}
