import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FramewrightError, messageOf } from '../base/errors.js';
import { received, shortened } from '../base/options-check.js';

/** A Blob, a File or the Response of a fetch. */
export interface BytesBody {
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** A web ReadableStream. */
export interface BytesStream {
  getReader(): unknown;
}

/**
 * A path, a `file:` URL, the bytes of an image file (also as a Blob or the Response of a fetch), or a stream of them.
 * Bytes are not copied: leave them unchanged until the photo is done with.
 */
export type PhotoInput = string | URL | Uint8Array | ArrayBuffer | BytesBody | BytesStream | AsyncIterable<Uint8Array>;

/** An input as it is read. */
export type InputSource =
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'bytes'; readonly bytes: Uint8Array }
  | { readonly from: 'stream'; readonly stream: AsyncIterable<Uint8Array> };

/** A file may be called so all the same. */
const OTHER_PLACE = /^(?:https?|ftps?|s3|gs):\/\/|^(?:data|blob):/i;

/** @throws FramewrightError USAGE for what is no photo at all, INPUT_UNSUPPORTED for one that is elsewhere */
export function sourceOf(input: unknown, name: string): InputSource {
  if (typeof input === 'string') {
    if (OTHER_PLACE.test(input) && !existsSync(input)) throw elsewhere(input);
    return { from: 'file', path: input };
  }
  if (input instanceof URL) {
    if (input.protocol !== 'file:') throw elsewhere(input.href);
    return { from: 'file', path: pathOf(input) };
  }
  if (ArrayBuffer.isView(input)) {
    const isBytes = input instanceof Uint8Array;
    return { from: 'bytes', bytes: isBytes ? input : new Uint8Array(input.buffer, input.byteOffset, input.byteLength) };
  }
  if (input instanceof ArrayBuffer || input instanceof SharedArrayBuffer) {
    return { from: 'bytes', bytes: new Uint8Array(input) };
  }
  if (typeof input === 'object' && input !== null) {
    const stream = streamOf(input, name);
    if (stream) return { from: 'stream', stream };
  }
  throw notTaken(received(input), name);
}

/** A file: URL may name another machine, or hold what no path can. */
function pathOf(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new FramewrightError('USAGE', `${shortened(url.href)} is no path on this machine: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function streamOf(input: object, name: string): AsyncIterable<Uint8Array> | undefined {
  if (Symbol.asyncIterator in input) return input as AsyncIterable<Uint8Array>;
  if ('getReader' in input && typeof input.getReader === 'function') return readThrough(input as ReadableStream);
  if (!('arrayBuffer' in input && typeof input.arrayBuffer === 'function')) return undefined;
  refuseFailed(input, name);
  // Piece by piece where it can be: a limit then holds before all of it is in memory.
  if ('body' in input && input.body !== null && typeof input.body === 'object') return streamOf(input.body, name);
  if ('stream' in input && typeof input.stream === 'function') {
    return streamOf((input as { stream: () => object }).stream(), name);
  }
  return wholeBody(input as BytesBody);
}

/** The page that says that there is no photo is none. */
function refuseFailed(input: object, name: string): void {
  if ('ok' in input && input.ok === false) {
    const status = 'status' in input ? ` ${String(input.status)}` : '';
    throw new FramewrightError(
      'INPUT_UNREADABLE',
      `${name} is a response that failed (${status.trim()}): fetch it anew`,
    );
  }
  if ('bodyUsed' in input && input.bodyUsed === true) {
    throw new FramewrightError('USAGE', `${name} is a response whose body was read before: pass the bytes`);
  }
}

/** Of browsers and polyfills whose streams are not iterable. */
async function* readThrough(stream: ReadableStream): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function* wholeBody(body: BytesBody): AsyncGenerator<Uint8Array, void, undefined> {
  yield new Uint8Array(await body.arrayBuffer());
}

function elsewhere(url: string): FramewrightError {
  return new FramewrightError(
    'INPUT_UNSUPPORTED',
    `${shortened(url)} is not on this machine: download it and pass the file, or its bytes`,
  );
}

function notTaken(what: string, name: string): FramewrightError {
  return new FramewrightError(
    'USAGE',
    `Expected ${name} to be a path, a file: URL, bytes (Uint8Array, ArrayBuffer, Blob, Response) or a stream of them but received ${what}`,
  );
}
