import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { FramewrightError, messageOf } from '../../base/errors.js';
import { readRegularFile } from '../../files/read-regular.js';

/** What goes into a bucket: bytes, or a file of them. */
export type PutSource = Uint8Array | { readonly file: string };

export interface PutOptions {
  /** Hex, of the bytes. Kept with the object as `x-amz-meta-sha256`, so that it can be told whether it is the same. */
  readonly sha256: string;
  /** Replaces what is there. Default false: nothing is ever overwritten. */
  readonly force?: boolean;
  /** Replaces what is there as long as it has this ETag (without quotes); in place of `force`. */
  readonly ifMatch?: string;
  /** MIME type. Default: what the server takes. */
  readonly contentType?: string;
}

/** What is larger goes in parts: a part that fails is sent again alone, and no more than some parts are in memory. */
export const LARGEST_WHOLE = 16 * 2 ** 20;

/** A source, known to its size; small ones are in memory, where they can be sent again. */
export interface Content {
  readonly size: number;
  /** Undefined for what goes in parts. */
  readonly whole: Uint8Array | undefined;
  /** All bytes, from the beginning each time. */
  readonly open: () => Uint8Array | Readable;
}

/** @throws FramewrightError INPUT_NOT_FOUND, INPUT_UNREADABLE; the signal's reason */
export async function contentOf(source: PutSource, signal: AbortSignal): Promise<Content> {
  if (source instanceof Uint8Array) {
    const isSmall = source.length <= LARGEST_WHOLE;
    return { size: source.length, whole: isSmall ? source : undefined, open: () => source };
  }
  const { file } = source;
  const size = await sizeOf(file);
  if (size > LARGEST_WHOLE) return { size, whole: undefined, open: () => Readable.from(pieces(file, signal)) };
  const whole = await readRegularFile(file, { what: 'file', maxBytes: LARGEST_WHOLE, signal });
  if (!whole) throw notFound(file);
  return { size: whole.length, whole, open: () => whole };
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch((thrown: unknown) => {
    throw (thrown as NodeJS.ErrnoException).code === 'ENOENT' ? notFound(file, thrown) : unreadable(file, thrown);
  });
  if (!found.isFile()) throw new FramewrightError('INPUT_UNREADABLE', `${file} is no file: it cannot be stored`);
  return found.size;
}

/** Errors of the disk, told apart from the server's. */
async function* pieces(file: string, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const piece of createReadStream(file, { highWaterMark: 2 ** 20, signal })) yield piece as Buffer;
  } catch (thrown) {
    signal.throwIfAborted();
    throw unreadable(file, thrown);
  }
}

function notFound(file: string, cause?: unknown): FramewrightError {
  return new FramewrightError('INPUT_NOT_FOUND', `${file} does not exist: check the path`, { cause });
}

function unreadable(file: string, cause: unknown): FramewrightError {
  return new FramewrightError('INPUT_UNREADABLE', `cannot read ${file}: ${messageOf(cause)}`, { cause });
}
