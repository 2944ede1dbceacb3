import type { FileHandle } from 'node:fs/promises';
import { GgufError } from './errors.js';
import { namingFile, openRegularFile } from './open-file.js';
import type { GgufHeader, GgufTensor, ReadOptions } from './reader.js';
import { GGML_TYPES } from './types.js';

const CHUNK_BYTES = 1 << 22;

/** The entry of a tensor. @throws GgufError `INVALID` when the file has none of that name. */
export function findTensor(header: GgufHeader, name: string): GgufTensor {
  const tensor = header.tensors.find((candidate) => candidate.name === name);
  if (!tensor) throw new GgufError('INVALID', `${header.path}: there is no tensor ${name}`);
  return tensor;
}

/** Whether all of a tensor lies inside its file. */
export function isInsideFile(header: GgufHeader, tensor: GgufTensor): boolean {
  return header.dataStart + tensor.offset + tensor.nBytes <= header.fileBytes;
}

/**
 * A tensor's bytes as they are in the file.
 *
 * @throws GgufError `TRUNCATED` when it reaches past the end of the file, `IO`; the signal's reason.
 */
export async function readTensor(
  header: GgufHeader,
  tensor: GgufTensor,
  options: ReadOptions = {},
): Promise<Uint8Array> {
  requireInsideFile(header, tensor);
  const bytes = new Uint8Array(tensor.nBytes);
  let at = 0;
  for await (const chunk of readTensorChunks(header, tensor, options)) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/**
 * A tensor's bytes in order, in pieces of whole blocks, or of whole multiples of `unitBytes`; a piece is valid until the
 * next one is asked for.
 */
export async function* readTensorChunks(
  header: GgufHeader,
  tensor: GgufTensor,
  options: ReadOptions & { readonly unitBytes?: number } = {},
): AsyncGenerator<Uint8Array> {
  requireInsideFile(header, tensor);
  const { unitBytes = GGML_TYPES[tensor.type].bytesPerBlock } = options;
  const chunk = new Uint8Array(Math.min(tensor.nBytes, Math.max(1, Math.floor(CHUNK_BYTES / unitBytes)) * unitBytes));
  const { file } = await openRegularFile(header.path);
  try {
    for (let done = 0; done < tensor.nBytes; done += chunk.length) {
      options.signal?.throwIfAborted();
      const piece = chunk.subarray(0, Math.min(chunk.length, tensor.nBytes - done));
      await readExactly(file, piece, header.dataStart + tensor.offset + done);
      yield piece;
    }
  } catch (error) {
    throw namingFile(header.path, error);
  } finally {
    await file.close();
  }
}

async function readExactly(file: FileHandle, into: Uint8Array, position: number): Promise<void> {
  for (let filled = 0; filled < into.length;) {
    const { bytesRead } = await file.read(into, filled, into.length - filled, position + filled);
    if (bytesRead === 0) throw new GgufError('TRUNCATED', 'the file became shorter while it was read');
    filled += bytesRead;
  }
}

function requireInsideFile(header: GgufHeader, tensor: GgufTensor): void {
  if (!isInsideFile(header, tensor)) {
    throw new GgufError('TRUNCATED', `${header.path}: tensor ${tensor.name} reaches past the end of the file`);
  }
}
