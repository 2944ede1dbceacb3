import type { FileHandle } from 'node:fs/promises';
import { openByteSource, type ByteSource } from './byte-source.js';
import { GgufError } from './errors.js';
import { namingFile, openRegularFile } from './open-file.js';
import { readString, readValue, takeCount } from './read-metadata.js';
import { GGML_TYPES, alignUp, countElements, ggmlTypeOfId, tensorBytes, type GgmlType } from './types.js';
import type { GgufMetadata, GgufValue } from './values.js';
import { DEFAULT_ALIGNMENT, MAX_TENSOR_DIMS, MAX_TENSOR_NAME_BYTES } from './writer.js';

/**
 * Longest header we read. The largest vocabulary in use (Qwen, 152k tokens with its merges) makes 6 MB; the limit bounds
 * the memory a hostile file can claim.
 */
export const MAX_HEADER_BYTES = 64 * 2 ** 20;
/** llama.cpp compares every key with every other; far above any model's count. */
const MAX_METADATA = 8192;
/** Likewise; the largest models have some thousands. */
const MAX_TENSORS = 32768;

export interface GgufTensor {
  readonly name: string;
  readonly type: GgmlType;
  /** ggml's `ne`, innermost first; 1 to 4 dimensions. */
  readonly shape: readonly number[];
  /** Bytes from the start of the tensor data, as the file says; may lie outside the file, see `validateGguf`. */
  readonly offset: number;
  readonly nBytes: number;
}

export interface GgufHeader {
  readonly path: string;
  readonly fileBytes: number;
  /** 2 or 3. */
  readonly version: number;
  /** Bytes. */
  readonly alignment: number;
  readonly metadata: GgufMetadata;
  /** In the order of the file. */
  readonly tensors: readonly GgufTensor[];
  /** Offset in the file where the tensor data begins. */
  readonly dataStart: number;
}

export interface ReadOptions {
  readonly signal?: AbortSignal;
}

/**
 * Reads the header of a GGUF file: metadata and the table of tensors, never their data.
 *
 * @throws GgufError `NOT_GGUF`, `UNSUPPORTED` (big-endian, version 1, one part of a split model, a tensor type llama.cpp
 * has removed), `TRUNCATED`, `MALFORMED`, `IO`; the signal's reason when aborted. Messages name the file.
 */
export async function readGguf(path: string, options: ReadOptions = {}): Promise<GgufHeader> {
  const { file, fileBytes } = await openRegularFile(path);
  try {
    return await readHeader(path, file, fileBytes, options.signal);
  } catch (error) {
    throw namingFile(path, error);
  } finally {
    await file.close();
  }
}

async function readHeader(
  path: string,
  file: FileHandle,
  fileBytes: number,
  signal: AbortSignal | undefined,
): Promise<GgufHeader> {
  const source = openByteSource(file, fileBytes, MAX_HEADER_BYTES);
  const { version, nTensors, nMetadata } = await readPreamble(source, fileBytes);

  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < nMetadata; i++) {
    signal?.throwIfAborted();
    const key = await readString(source, `metadata key ${i}`);
    if (key === '' || metadata.has(key)) {
      throw new GgufError('MALFORMED', key === '' ? `metadata key ${i} is empty` : `metadata ${key} is there twice`);
    }
    metadata.set(key, await readValue(source, key));
  }
  refuseSplit(metadata);
  const alignment = alignmentOf(metadata);

  const names = new Set<string>();
  const tensors: GgufTensor[] = [];
  for (let i = 0; i < nTensors; i++) {
    const tensor = await readTensorEntry(source, i);
    if (names.has(tensor.name)) throw new GgufError('MALFORMED', `tensor ${tensor.name} is there twice`);
    names.add(tensor.name);
    tensors.push(tensor);
  }
  const dataStart = nTensors === 0 ? source.offset() : alignUp(source.offset(), alignment);
  return { path, fileBytes, version, alignment, metadata, tensors, dataStart };
}

interface Preamble {
  readonly version: number;
  readonly nTensors: number;
  readonly nMetadata: number;
}

async function readPreamble(source: ByteSource, fileBytes: number): Promise<Preamble> {
  if (fileBytes < 24) throw new GgufError('NOT_GGUF', `${fileBytes} bytes are no GGUF file`);
  await source.need(24);
  const magic = source.bytes(4).toString('latin1');
  if (magic !== 'GGUF') throw new GgufError('NOT_GGUF', 'it does not begin with "GGUF"');
  const version = source.u32();
  if (version !== 0 && (version & 0xffff) === 0) {
    throw new GgufError('UNSUPPORTED', 'it is a big-endian file; convert it with gguf-py/gguf_convert_endian.py');
  }
  if (version !== 2 && version !== 3) {
    throw new GgufError('UNSUPPORTED', `it is GGUF version ${version}; versions 2 and 3 are read`);
  }
  const nTensors = takeCount(source, 'the number of tensors');
  const nMetadata = takeCount(source, 'the number of metadata keys');
  if (nTensors > MAX_TENSORS || nMetadata > MAX_METADATA) {
    throw new GgufError('MALFORMED', `it claims ${nTensors} tensors and ${nMetadata} metadata keys`);
  }
  return { version, nTensors, nMetadata };
}

function refuseSplit(metadata: GgufMetadata): void {
  const count = metadata.get('split.count');
  if (count === undefined || Number(count.value) <= 1) return;
  const part = Number(metadata.get('split.no')?.value ?? 0) + 1;
  throw new GgufError(
    'UNSUPPORTED',
    `it is part ${part} of ${Number(count.value)} of a split model; join the parts with llama-gguf-split --merge`,
  );
}

function alignmentOf(metadata: GgufMetadata): number {
  const entry = metadata.get('general.alignment');
  if (!entry) return DEFAULT_ALIGNMENT;
  if (entry.type !== 'uint32' || entry.value === 0 || !Number.isInteger(Math.log2(entry.value))) {
    throw new GgufError('MALFORMED', 'general.alignment must be a uint32 power of two');
  }
  return entry.value;
}

async function readTensorEntry(source: ByteSource, index: number): Promise<GgufTensor> {
  const name = await readString(source, `the name of tensor ${index}`);
  const fail = (code: 'MALFORMED' | 'UNSUPPORTED', why: string): never => {
    throw new GgufError(code, `tensor ${name === '' ? index : name}: ${why}`);
  };
  if (name === '' || Buffer.byteLength(name) > MAX_TENSOR_NAME_BYTES || name.includes('\0')) {
    fail('MALFORMED', `a name has 1 to ${MAX_TENSOR_NAME_BYTES} bytes and no NUL`);
  }
  await source.need(4);
  const nDims = source.u32();
  if (nDims < 1 || nDims > MAX_TENSOR_DIMS) fail('MALFORMED', `${nDims} dimensions instead of 1 to ${MAX_TENSOR_DIMS}`);
  await source.need(8 * nDims + 12);
  const shape = Array.from({ length: nDims }, () => takeCount(source, `a dimension of tensor ${name}`));
  const typeId = source.u32();
  const type = ggmlTypeOfId(typeId) ?? fail('UNSUPPORTED', `type ${typeId} is unknown to llama.cpp`);
  const offset = takeCount(source, `the offset of tensor ${name}`);
  if (shape.includes(0)) fail('MALFORMED', `[${shape.join(', ')}] has an empty dimension`);
  if (!Number.isSafeInteger(countElements(shape))) fail('MALFORMED', `[${shape.join(', ')}] is larger than any file`);
  const nBytes =
    tensorBytes(type, shape) ??
    fail('MALFORMED', `${type} needs rows of a multiple of ${GGML_TYPES[type].blockSize}, not ${shape[0]}`);
  if (!Number.isSafeInteger(offset + nBytes))
    fail('MALFORMED', `${nBytes} bytes at ${offset} are larger than any file`);
  return { name, type, shape, offset, nBytes };
}
