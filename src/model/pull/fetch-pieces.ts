import type { FileHandle } from 'node:fs/promises';
import { FramewrightError, messageOf } from '../../base/errors.js';
import type { HttpAnswer } from './http.js';
import type { Range } from './ranges.js';
import { contentRange, FileChanged, get, Pace, Patience, validatorOf, type Probed, type Server } from './server.js';

/** How much more is written before the room on the disk is looked at again. */
const ASK_EVERY_BYTES = 16 * 2 ** 20;

export interface FetchOptions {
  /** Requests at once. */
  readonly connections: number;
  /** A stretch is in the file. */
  readonly onReceived: (range: Range) => void;
}

/**
 * Fetches pieces of a file, several at once, each as often as it takes. The first failure that cannot be mended ends
 * them all.
 *
 * @throws FileChanged; FramewrightError DOWNLOAD; the signal's reason
 */
export async function fetchPieces(
  file: FileHandle,
  pieces: readonly Range[],
  probed: Probed,
  server: Server,
  { connections, onReceived }: FetchOptions,
): Promise<void> {
  const stop = new AbortController();
  const signal = server.signal ? AbortSignal.any([server.signal, stop.signal]) : stop.signal;
  const waiting = [...pieces];
  // While any connection brings something, the server is not given up.
  const peers = new Set<Patience>();
  const patiences = Array.from(
    { length: Math.min(connections, pieces.length) },
    () => new Patience({ ...server, signal }, peers),
  );
  const workers = patiences.map(async (patience) => {
    try {
      for (let piece = waiting.shift(); piece; piece = waiting.shift())
        await fetchPiece(file, piece, probed, { ...server, signal }, patience, onReceived);
      patience.leave();
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  });
  const failed = (await Promise.allSettled(workers)).find((outcome) => outcome.status === 'rejected');
  server.signal?.throwIfAborted();
  if (failed) throw stop.signal.reason;
}

async function fetchPiece(
  file: FileHandle,
  [from, to]: Range,
  probed: Probed,
  server: Server,
  patience: Patience,
  onReceived: (range: Range) => void,
): Promise<void> {
  for (let at = from; at < to;) {
    try {
      const answer = await get(server, {
        range: `bytes=${at}-${to - 1}`,
        ...(probed.validator === '' ? {} : { 'if-range': probed.validator }),
      });
      const pace = new Pace(server);
      try {
        requireSameFile(answer, at, probed);
        for await (const chunk of answer.body as AsyncIterable<Buffer>) {
          const bytes = chunk.subarray(0, to - at); // a server may send more than it was asked for
          await writeAll(file, bytes, at);
          onReceived([at, at + bytes.length]);
          at += bytes.length;
          patience.renew(bytes.length);
          pace.add(bytes.length);
          if (at >= to) break;
        }
      } finally {
        answer.body.destroy();
      }
      if (at < to) throw new Error(`the connection ended ${to - at} bytes early`);
    } catch (error) {
      if (error instanceof FileChanged || error instanceof FramewrightError) throw error;
      await patience.after(error);
    }
  }
}

/** A 200 answers If-Range for a file that is another one now, and so does a range of other bounds or another total. */
function requireSameFile({ status, headers }: HttpAnswer, at: number, { totalBytes, validator }: Probed): void {
  if (status !== 206) throw new FileChanged(`the server answered ${status} for a range it had offered`);
  const range = contentRange(headers);
  if (range?.from !== at) throw new Error('the server sent another range than it was asked for');
  const now = validatorOf(headers);
  if (range.total !== totalBytes || (validator !== '' && now !== '' && now !== validator))
    throw new FileChanged('the server has another file now');
}

/**
 * From a server without ranges: from the start, and all over again when it breaks off.
 *
 * @param totalBytes what the file has; 0 where nobody knows
 * @param requireRoom asked now and then, where nobody knows, whether the disk takes more
 * @throws FramewrightError DOWNLOAD, OUTPUT_WRITE; the signal's reason
 */
export async function streamWhole(
  file: FileHandle,
  totalBytes: number,
  server: Server,
  { onReceived, requireRoom }: { onReceived: (receivedBytes: number) => void; requireRoom: () => Promise<void> },
): Promise<void> {
  const patience = new Patience(server);
  for (;;) {
    try {
      const { body } = await get(server, {});
      const pace = new Pace(server);
      let at = 0;
      let unasked = 0;
      try {
        for await (const chunk of body as AsyncIterable<Buffer>) {
          if (totalBytes > 0 && at + chunk.length > totalBytes) throw longer(server.url, totalBytes);
          unasked += chunk.length;
          if (totalBytes === 0 && unasked >= ASK_EVERY_BYTES) {
            await requireRoom();
            unasked = 0;
          }
          await writeAll(file, chunk, at);
          at += chunk.length;
          onReceived(at);
          pace.add(chunk.length);
        }
      } finally {
        body.destroy();
      }
      if (totalBytes > 0 && at !== totalBytes) throw new Error(`${at} bytes came instead of ${totalBytes}`);
      const nBytes = at;
      await onDisk(async () => {
        await file.truncate(nBytes);
        await file.sync();
      });
      return;
    } catch (error) {
      if (error instanceof FramewrightError) throw error;
      await patience.after(error);
    }
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const from = done;
    const { bytesWritten } = await onDisk(() => file.write(bytes, from, bytes.length - from, position + from));
    done += bytesWritten;
  }
}

/**
 * Asking the server again does not help where the disk is full or gone.
 * @throws FramewrightError OUTPUT_WRITE
 */
export async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    const remedy = ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code)
      ? 'the disk or quota is full: free some space and run it again, or set FRAMEWRIGHT_MODELS to another folder'
      : messageOf(cause);
    throw new FramewrightError('OUTPUT_WRITE', `cannot write what is downloaded: ${remedy}`, { cause });
  }
}

function longer(url: string, totalBytes: number): FramewrightError {
  return new FramewrightError(
    'DOWNLOAD',
    `${url} sends more than the ${totalBytes} bytes the file has: it is another file; use another mirror`,
  );
}
