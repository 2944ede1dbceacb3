import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { openByteSink, type ByteSink } from './byte-sink.js';
import { encodeMetadata, encodePreamble, encodeTensorEntry, type TensorEntry } from './encode-header.js';
import { GgufError } from './errors.js';
import { GGML_TYPES, alignUp, tensorBytes, type GgmlType } from './types.js';
import { u32, type GgufMetadata } from './values.js';

/** llama.cpp's GGUF_DEFAULT_ALIGNMENT. */
export const DEFAULT_ALIGNMENT = 32;
/** llama.cpp keeps names in a char[64]. */
export const MAX_TENSOR_NAME_BYTES = 63;
export const MAX_TENSOR_DIMS = 4;

/**
 * A tensor's bytes: whole, or in pieces made when they are wanted (a piece may be reused by its maker as soon as the
 * next one is asked for), or `hole` for zeros that take no space on most file systems.
 */
export type TensorData = Uint8Array | (() => Iterable<Uint8Array> | AsyncIterable<Uint8Array>) | 'hole';

export interface TensorToWrite {
  readonly name: string;
  readonly type: GgmlType;
  /** ggml's `ne`, innermost first; 1 to 4 dimensions. */
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export interface GgufToWrite {
  /** `general.alignment` is added where `alignment` is not 32. */
  readonly metadata: GgufMetadata;
  readonly tensors: readonly TensorToWrite[];
  /** Bytes, a power of two; default 32. */
  readonly alignment?: number;
}

export interface WriteOptions {
  readonly signal?: AbortSignal;
}

/**
 * Writes a GGUF file, version 3, little-endian, tensors in the order given. The file appears whole or not at all: it is
 * written beside its place and renamed; an existing file is replaced. Memory does not grow with the size of the tensors.
 *
 * @throws GgufError `WRITE` for a description no file can have or data of another length than its shape and type,
 * `OUTPUT` when the operating system refuses; the signal's reason when aborted.
 */
export async function writeGguf(path: string, gguf: GgufToWrite, options: WriteOptions = {}): Promise<void> {
  const { signal } = options;
  const alignment = gguf.alignment ?? DEFAULT_ALIGNMENT;
  const metadata = new Map(gguf.metadata);
  if (alignment !== DEFAULT_ALIGNMENT) metadata.set('general.alignment', u32(alignment));
  const entries = placeTensors(gguf.tensors, alignment);
  signal?.throwIfAborted();

  const temporary = `${path}.${process.pid.toString(36)}${randomBytes(4).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx');
    try {
      const sink = openByteSink(file);
      await sink.write(encodePreamble(entries.length, metadata.size));
      for (const [key, value] of metadata) {
        for (const piece of encodeMetadata(key, value)) await sink.write(piece);
      }
      for (const entry of entries) {
        for (const piece of encodeTensorEntry(entry)) await sink.write(piece);
      }
      const dataStart = alignUp(sink.offset(), alignment);
      await sink.padTo(dataStart);
      for (const [i, entry] of entries.entries()) {
        signal?.throwIfAborted();
        await writeTensor(sink, gguf.tensors[i]!, dataStart + entry.offset, alignment, signal);
      }
      await sink.flush();
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    if (error instanceof GgufError || signal?.aborted) throw error;
    if (error instanceof Error && 'code' in error) {
      throw new GgufError('OUTPUT', `cannot write ${path}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** Offsets in the tensor data, in order, each aligned. */
function placeTensors(tensors: readonly TensorToWrite[], alignment: number): TensorEntry[] {
  if (!Number.isInteger(Math.log2(alignment))) {
    throw new GgufError('WRITE', `alignment ${alignment} is no power of two`);
  }
  const names = new Set<string>();
  let offset = 0;
  return tensors.map(({ name, type, shape }) => {
    if (names.has(name)) throw new GgufError('WRITE', `tensor ${name} is there twice`);
    names.add(name);
    if (Buffer.byteLength(name) > MAX_TENSOR_NAME_BYTES) {
      throw new GgufError('WRITE', `tensor name ${name} is longer than ${MAX_TENSOR_NAME_BYTES} bytes`);
    }
    if (shape.length < 1 || shape.length > MAX_TENSOR_DIMS || !shape.every((n) => Number.isSafeInteger(n) && n > 0)) {
      throw new GgufError(
        'WRITE',
        `tensor ${name}: [${shape.join(', ')}] is no shape of 1 to ${MAX_TENSOR_DIMS} sizes`,
      );
    }
    const nBytes = tensorBytes(type, shape);
    if (nBytes === undefined) {
      const { blockSize } = GGML_TYPES[type];
      throw new GgufError('WRITE', `tensor ${name}: ${type} needs rows of a multiple of ${blockSize}, not ${shape[0]}`);
    }
    const entry = { name, type, shape, offset };
    offset = alignUp(offset + nBytes, alignment);
    return entry;
  });
}

async function writeTensor(
  sink: ByteSink,
  tensor: TensorToWrite,
  start: number,
  alignment: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { name, type, shape, data } = tensor;
  const end = start + tensorBytes(type, shape)!;
  if (data === 'hole') {
    return sink.skipTo(alignUp(end, alignment));
  }
  for await (const piece of data instanceof Uint8Array ? [data] : data()) {
    signal?.throwIfAborted();
    if (sink.offset() + piece.length > end) {
      throw new GgufError('WRITE', `tensor ${name}: more data than the ${end - start} bytes of its shape and type`);
    }
    await sink.write(piece);
  }
  if (sink.offset() !== end) {
    throw new GgufError('WRITE', `tensor ${name}: ${sink.offset() - start} bytes of data instead of ${end - start}`);
  }
  await sink.padTo(alignUp(end, alignment));
}
