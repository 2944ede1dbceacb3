import { Worker } from 'node:worker_threads';
import { untilAborted } from '../../base/abort.js';
import { FramewrightError, messageOf } from '../../base/errors.js';
import { packageFile } from '../../files/package-root.js';
import { tooManyPixels } from '../failure.js';
import { findLibheif, HEIC_PACKAGE } from './libheif.js';
import type { HeicPicture, HeicReply, HeicRequest } from './messages.js';

/**
 * Decodes the primary picture of a HEIC on a thread of its own, which is ended when the signal aborts.
 *
 * @param maxPixels more are not decoded
 * @throws FramewrightError INPUT_UNSUPPORTED where the decoder is not installed or does not know the variant,
 *   INPUT_CORRUPT, INPUT_TOO_LARGE
 */
export async function readHeic(
  name: string,
  bytes: Uint8Array,
  maxPixels: number,
  signal: AbortSignal | undefined,
): Promise<HeicPicture> {
  const libheif = findLibheif();
  if (libheif === undefined) throw notInstalled(name);
  const reply = await decodeOnThread(name, { libheif, bytes, maxPixels }, signal);
  if ('found' in reply) return reply.found;
  if ('tooLarge' in reply) throw tooManyPixels(name, reply.tooLarge, maxPixels);
  const { kind, reason } = reply.failure;
  switch (kind) {
    case 'memory':
      throw noMemory(name, reason);
    case 'damaged':
      throw damaged(name, reason);
    case 'limit':
      throw new FramewrightError(
        'INPUT_TOO_LARGE',
        `${name} asks for more than its decoder allows (${reason}): where it opens elsewhere, convert it to JPEG there`,
      );
    case 'unsupported':
      throw new FramewrightError(
        'INPUT_UNSUPPORTED',
        `${name} uses a variant of HEIF that is not supported (${reason}): convert it to JPEG first`,
      );
  }
}

async function decodeOnThread(name: string, request: HeicRequest, signal: AbortSignal | undefined): Promise<HeicReply> {
  signal?.throwIfAborted();
  // What libheif prints goes nowhere: it says it again in its error.
  const worker = new Worker(packageFile('dist', 'src', 'photo', 'heic', 'worker.js'), {
    workerData: request,
    stdout: true,
    stderr: true,
    execArgv: [],
  });
  try {
    return await untilAborted(replyOf(name, worker), signal);
  } finally {
    await worker.terminate();
  }
}

function replyOf(name: string, worker: Worker): Promise<HeicReply> {
  return new Promise((resolve, reject) => {
    worker
      .once('message', resolve)
      .once('error', (error) => reject(crashed(name, error)))
      .once('exit', () => reject(damaged(name, 'its decoder ended without a picture')));
  });
}

/** WebAssembly traps instead of returning where its memory is full or was misused. */
function crashed(name: string, error: unknown): FramewrightError {
  const reason = messageOf(error);
  return /memory|alloc|Array buffer/i.test(reason) ? noMemory(name, reason, error) : damaged(name, reason, error);
}

function notInstalled(name: string): FramewrightError {
  return new FramewrightError(
    'INPUT_UNSUPPORTED',
    `${name} is a HEIC photo, which needs a package that is not installed: npm install ${HEIC_PACKAGE}`,
  );
}

function noMemory(name: string, reason: string, cause?: unknown): FramewrightError {
  return new FramewrightError(
    'INPUT_TOO_LARGE',
    `not enough memory to decode ${name} (${reason}): reduce it first`,
    cause === undefined ? {} : { cause },
  );
}

function damaged(name: string, reason: string, cause?: unknown): FramewrightError {
  return new FramewrightError(
    'INPUT_CORRUPT',
    `${name} is damaged or incomplete (${reason}): copy it again from where it came from`,
    cause === undefined ? {} : { cause },
  );
}
