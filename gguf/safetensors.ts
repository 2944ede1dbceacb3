import type { FileHandle } from 'node:fs/promises';
import { GgufError } from './errors.js';
import { namingFile, openRegularFile } from './open-file.js';

/** Longest header that is read; an adapter's has some hundred bytes a tensor. */
const MAX_HEADER_BYTES = 16 * 2 ** 20;

export interface SafeTensor {
  readonly name: string;
  /** `F32`, `F16`, `BF16`, ... as the file spells it. */
  readonly type: string;
  /** Outermost first, as PyTorch has it. */
  readonly shape: readonly number[];
  /** In the file. */
  readonly offset: number;
  readonly nBytes: number;
}

export interface SafeTensorsHeader {
  readonly path: string;
  readonly tensors: readonly SafeTensor[];
}

/**
 * The table of tensors of a .safetensors file (huggingface/safetensors: eight bytes of length, JSON, data).
 *
 * @throws GgufError `IO`, `MALFORMED`
 */
export async function readSafeTensors(path: string): Promise<SafeTensorsHeader> {
  let file: FileHandle | undefined;
  try {
    const opened = await openRegularFile(path);
    file = opened.file;
    const size = opened.fileBytes;
    const start = Buffer.alloc(8);
    const { bytesRead } = await file.read(start, 0, 8, 0);
    const nHeader = bytesRead === 8 ? Number(start.readBigUInt64LE()) : 0;
    if (nHeader < 2 || nHeader > Math.min(MAX_HEADER_BYTES, size - 8))
      throw new GgufError('MALFORMED', 'it is no safetensors file: its first eight bytes are no length of a header');
    const header = Buffer.alloc(nHeader);
    await file.read(header, 0, nHeader, 8);
    return { path, tensors: parseHeader(header.toString('utf8'), 8 + nHeader, size) };
  } catch (error) {
    throw namingFile(path, error);
  } finally {
    await file?.close();
  }
}

function parseHeader(json: string, dataStart: number, fileBytes: number): SafeTensor[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw new GgufError('MALFORMED', 'it is no safetensors file: its header is no JSON');
  }
  if (typeof parsed !== 'object' || parsed === null) throw new GgufError('MALFORMED', 'its header is no object');
  return Object.entries(parsed)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => {
      const { dtype, shape, data_offsets: offsets } = Object(entry) as Record<string, unknown>;
      if (typeof dtype !== 'string' || !isCounts(shape) || !isCounts(offsets) || offsets.length !== 2)
        throw new GgufError('MALFORMED', `tensor ${name} is not described as a safetensors file does`);
      const [from, to] = offsets as [number, number];
      if (from > to || dataStart + to > fileBytes)
        throw new GgufError('TRUNCATED', `tensor ${name} reaches past the end of the file`);
      return { name, type: dtype, shape, offset: dataStart + from, nBytes: to - from };
    });
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
}

/** A tensor's bytes as they are in the file. */
export async function readSafeTensor({ path }: SafeTensorsHeader, tensor: SafeTensor): Promise<Uint8Array> {
  const { file } = await openRegularFile(path);
  try {
    const bytes = new Uint8Array(tensor.nBytes);
    for (let filled = 0; filled < bytes.length;) {
      const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, tensor.offset + filled);
      if (bytesRead === 0) throw new GgufError('TRUNCATED', `${path}: tensor ${tensor.name} ends early`);
      filled += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}
