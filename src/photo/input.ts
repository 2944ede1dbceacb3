import type { Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { FramewrightError, messageOf } from '../base/errors.js';
import { untilAborted } from '../base/abort.js';
import { READ_WITHOUT_WAITING } from '../files/read-regular.js';
import { sourceOf, type PhotoInput } from './input-kinds.js';
import { rawPreviewOf, type RawFile } from './raw-preview.js';
import { HEAD_BYTES, recognise } from './sniff.js';
import type { PhotoFormat } from './sniff.js';

/** Encoded photos above this are refused unless `maxBytes` says otherwise; twice the largest TIFF of a 100 MP camera. */
export const DEFAULT_MAX_BYTES = 1024 ** 3;

export interface InputOptions {
  readonly maxBytes?: number;
  /** How errors name an input that has no path, e.g. `stdin`. Default `photo`. */
  readonly name?: string;
  /** Of a camera's raw file, take the JPEG preview in it for the photo. Default false: it is refused. */
  readonly rawPreview?: boolean;
  readonly signal?: AbortSignal;
}

export interface EncodedPhoto {
  readonly bytes: Uint8Array;
  readonly format: PhotoFormat;
  /** The path, or `options.name`. */
  readonly name: string;
  readonly path?: string;
  /** Of a camera's raw file, whose preview everything else here is. */
  readonly raw?: RawFile;
}

/**
 * Reads the whole encoded file once, so that every later step sees the same photo even if the file changes meanwhile.
 * What is no photo is refused from its first bytes.
 *
 * @throws FramewrightError INPUT_NOT_FOUND, INPUT_UNREADABLE, INPUT_UNSUPPORTED, INPUT_TOO_LARGE; USAGE for what is no input
 */
export async function readInput(input: PhotoInput, options: InputOptions = {}): Promise<EncodedPhoto> {
  options.signal?.throwIfAborted();
  const { maxBytes = DEFAULT_MAX_BYTES, name = 'photo', rawPreview = false } = options;
  checkLimit('maxBytes', maxBytes);
  const source = sourceOf(input, name);
  if (source.from === 'file') {
    const { path } = source;
    const bytes = await untilAborted(readPath(path, maxBytes, rawPreview, options.signal), options.signal);
    return { ...encodedIn(bytes, path, rawPreview), path };
  }
  const bytes = source.from === 'bytes' ? source.bytes : await collect(source.stream, name, maxBytes, options.signal);
  if (bytes.length > maxBytes) throw tooLarge(name, bytes.length, maxBytes);
  return encodedIn(bytes, name, rawPreview);
}

/**
 * A limit that is no number would hold for nothing.
 * @throws FramewrightError USAGE
 */
export function checkLimit(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new FramewrightError('USAGE', `${name} must be a whole number of at least 1, not ${String(value)}`);
}

function encodedIn(bytes: Uint8Array, name: string, rawPreview: boolean): EncodedPhoto {
  const format = formatOf(bytes, name, rawPreview);
  if (format !== 'raw') return { bytes, format, name };
  const { jpeg, raw } = rawPreviewOf(bytes, name);
  return { bytes: jpeg, format: 'jpeg', name, raw };
}

function formatOf(bytes: Uint8Array, name: string, takesRaw: boolean): PhotoFormat | 'raw' {
  const recognised = recognise(bytes, name);
  if ('format' in recognised) return recognised.format;
  if (recognised.isRaw && takesRaw) return 'raw';
  throw new FramewrightError('INPUT_UNSUPPORTED', `${name} ${recognised.refusal}`);
}

/** What is no file may never end, or never begin. */
function irregular(path: string, stat: Stats): FramewrightError {
  if (stat.isDirectory()) {
    return new FramewrightError('INPUT_UNREADABLE', `${path} is a folder, not a photo: name the photos in it`);
  }
  const kind = stat.isFIFO() ? 'a pipe' : stat.isSocket() ? 'a socket' : 'a device';
  return new FramewrightError(
    'INPUT_UNREADABLE',
    `${path} is ${kind}, not a file: name a file, or pass the photo on stdin (-)`,
  );
}

async function readPath(
  path: string,
  maxBytes: number,
  takesRaw: boolean,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, READ_WITHOUT_WAITING);
    const stat = await handle.stat();
    if (!stat.isFile()) throw irregular(path, stat);
    const head = new Uint8Array(Math.min(HEAD_BYTES, stat.size));
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    formatOf(head.subarray(0, bytesRead), path, takesRaw);
    if (stat.size > maxBytes) throw tooLarge(path, stat.size, maxBytes);
    const bytes = await handle.readFile(signal ? { signal } : {});
    const after = await handle.stat();
    if (after.mtimeMs !== stat.mtimeMs || after.size !== bytes.length) {
      throw new FramewrightError(
        'INPUT_UNREADABLE',
        `${path} changed while it was read: try again when it is complete`,
      );
    }
    return bytes;
  } catch (thrown) {
    signal?.throwIfAborted();
    throw unreadable(path, thrown);
  } finally {
    await handle?.close();
  }
}

/**
 * All bytes of a stream.
 * @throws FramewrightError INPUT_TOO_LARGE, INPUT_UNREADABLE, USAGE for a stream of text
 */
export async function collect(
  stream: AsyncIterable<Uint8Array>,
  name: string,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reading = (async () => {
    for await (const chunk of stream) {
      signal?.throwIfAborted();
      if (!(chunk instanceof Uint8Array)) {
        throw new FramewrightError(
          'USAGE',
          `${name} is a stream of ${typeof chunk}, not of bytes: set no encoding on it`,
        );
      }
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxBytes) throw tooLarge(name, length, maxBytes);
    }
  })();
  try {
    await untilAborted(reading, signal);
  } catch (thrown) {
    if (stream instanceof Readable) stream.destroy();
    signal?.throwIfAborted();
    throw unreadable(name, thrown);
  }
  return Buffer.concat(chunks, length);
}

function tooLarge(name: string, nBytes: number, maxBytes: number): FramewrightError {
  const megabytes = (value: number): string => `${(value / 1e6).toFixed(0)} MB`;
  return new FramewrightError(
    'INPUT_TOO_LARGE',
    `${name} has ${megabytes(nBytes)} or more, over the limit of ${megabytes(maxBytes)}: reduce it first (in code, decodePhoto takes it with a higher maxBytes)`,
  );
}

function unreadable(name: string, thrown: unknown): FramewrightError {
  if (thrown instanceof FramewrightError) return thrown;
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new FramewrightError('INPUT_NOT_FOUND', `${name} does not exist: check the path`, { cause: thrown });
    case 'EACCES':
    case 'EPERM':
      return new FramewrightError('INPUT_UNREADABLE', `no permission to read ${name}: check its owner and mode`, {
        cause: thrown,
      });
    case 'EISDIR':
      return new FramewrightError('INPUT_UNREADABLE', `${name} is a folder, not a photo: name the photos in it`, {
        cause: thrown,
      });
    case 'ENXIO':
    case 'EOPNOTSUPP':
      return new FramewrightError(
        'INPUT_UNREADABLE',
        `${name} is a socket or a device, not a file: name a file, or pass the photo on stdin (-)`,
        { cause: thrown },
      );
    case 'ERR_FS_FILE_TOO_LARGE':
      return new FramewrightError('INPUT_TOO_LARGE', `${name} is larger than Node can read at once: reduce it first`, {
        cause: thrown,
      });
    default:
      return new FramewrightError('INPUT_UNREADABLE', `cannot read ${name}: ${messageOf(thrown)}`, { cause: thrown });
  }
}
