import type { FileHandle } from 'node:fs/promises';
import { GgufError } from '../errors.js';
import type { TensorCodec } from '../tensor-codec.js';
import { countNonFiniteBlocks } from '../nan-check.js';
import { namingFile, openRegularFile } from '../open-file.js';
import { GGML_TYPES, countElements, tensorBytes, type GgmlType } from '../types.js';
import type { TensorToWrite } from '../writer.js';
import type { StoredTensor } from './checkpoint.js';
import type { WantedTensor } from './wanted-tensor.js';
import { reorderColumns } from '../value-heads.js';

/** Types a converted file's matrices can have. */
export const CONVERTED_TYPES = ['F32', 'F16', 'BF16', 'Q8_0'] as const;
export type ConvertedType = (typeof CONVERTED_TYPES)[number];

const CHUNK_BYTES = 1 << 22;

/** What `wanted` becomes in a file of mostly `type`, as llama.cpp's converter has it. */
export function convertedType({ name, shape, frame, isExact }: WantedTensor, type: ConvertedType): GgmlType {
  if (shape.length === 1 || isExact) return 'F32';
  if (frame !== undefined) return type === 'F16' ? 'F16' : 'F32'; // a convolution takes these two
  if (tensorBytes(type, shape) !== undefined) return type;
  if (type === 'Q8_0') return 'F16'; // rows that are no whole number of blocks
  throw new GgufError('UNSUPPORTED', `${name}: rows of ${shape[0] ?? 0} values cannot be ${type}`);
}

/** A tensor to write whose data come from the checkpoint a few MiB at a time. */
export function tensorFrom(
  wanted: WantedTensor,
  stored: StoredTensor,
  type: GgmlType,
  codec: TensorCodec,
  signal: AbortSignal | undefined,
): TensorToWrite {
  const { name, shape, frame, columns, value } = wanted;
  const [nPerRow = 1] = shape;
  async function* data(): AsyncGenerator<Uint8Array> {
    const pieces =
      frame !== undefined
        ? kernelOf(wanted, stored, frame)
        : wanted.isTransposedStack
          ? transposedOf(wanted, stored)
          : rowsOf(wanted, stored);
    for await (const piece of pieces) {
      signal?.throwIfAborted();
      const bytes = columns ? reorderColumns(piece, columns, GGML_TYPES[stored.type].bytesPerBlock) : piece;
      const values = type === stored.type && !value ? undefined : codec.decode(stored.type, bytes);
      if (values && value) values.forEach((each, i) => (values[i] = value(each)));
      if (values) requireHeld(name, values, type);
      else if (countNonFiniteBlocks(stored.type, bytes) > 0) throw damaged(name, 'NaN or infinity');
      yield values ? codec.encode(type, values, nPerRow) : bytes;
    }
  }
  return { name, type, shape, data };
}

/** The source's bytes, or those of the part wanted, in whole rows, in the order wanted. */
async function* rowsOf(
  { shape, part = { index: 0, of: 1 }, rows }: WantedTensor,
  stored: StoredTensor,
): AsyncGenerator<Uint8Array> {
  const nBytes = stored.nBytes / part.of;
  const rowBytes = (shape[0] ?? 1) * GGML_TYPES[stored.type].bytesPerBlock;
  const chunkBytes = Math.max(1, Math.floor(CHUNK_BYTES / rowBytes)) * rowBytes;
  const { file } = await openRegularFile(stored.path);
  try {
    for (const { from, count } of rows ?? [{ from: 0, count: nBytes / rowBytes }]) {
      const start = stored.offset + part.index * nBytes + from * rowBytes;
      for (let done = 0; done < count * rowBytes; done += chunkBytes) {
        const piece = new Uint8Array(Math.min(chunkBytes, count * rowBytes - done));
        await readInto(file, piece, start + done, stored.name);
        yield piece;
      }
    }
  } catch (error) {
    throw namingFile(stored.path, error);
  } finally {
    await file.close();
  }
}

/** The experts' matrices one after the other, each turned from [nIn][columns] to the rows of a part of its columns. */
async function* transposedOf(
  { shape, part = { index: 0, of: 1 } }: WantedTensor,
  stored: StoredTensor,
): AsyncGenerator<Uint8Array> {
  const [nIn, nOut] = shape as [number, number];
  const { bytesPerBlock: size } = GGML_TYPES[stored.type];
  const nColumns = nOut * part.of;
  const expertBytes = nIn * nColumns * size;
  const { file } = await openRegularFile(stored.path);
  try {
    const expert = new Uint8Array(expertBytes);
    for (let done = 0; done < stored.nBytes; done += expertBytes) {
      await readInto(file, expert, stored.offset + done, stored.name);
      const turned = new Uint8Array(nIn * nOut * size);
      for (let row = 0; row < nIn; row++) {
        for (let column = 0; column < nOut; column++) {
          const from = (row * nColumns + part.index * nOut + column) * size;
          const to = (column * nIn + row) * size;
          for (let i = 0; i < size; i++) turned[to + i] = expert[from + i]!;
        }
      }
      yield turned;
    }
  } catch (error) {
    throw namingFile(stored.path, error);
  } finally {
    await file.close();
  }
}

async function readInto(file: FileHandle, piece: Uint8Array, from: number, name: string): Promise<void> {
  for (let filled = 0; filled < piece.length;) {
    const { bytesRead } = await file.read(piece, filled, piece.length - filled, from + filled);
    if (bytesRead === 0) throw new GgufError('TRUNCATED', `tensor ${name} ends early`);
    filled += bytesRead;
  }
}

/** One frame of a kernel over two, [nOut][3][2][patch][patch]: a few MB in all. */
async function* kernelOf({ shape }: WantedTensor, stored: StoredTensor, frame: 0 | 1): AsyncGenerator<Uint8Array> {
  const planeBytes = shape[0]! * shape[1]! * GGML_TYPES[stored.type].bytesPerBlock;
  for await (const bytes of rowsOf(
    { name: stored.name, source: stored.name, shape: [2 * shape[0]! * shape[1]!] },
    stored,
  )) {
    const half = new Uint8Array(bytes.length / 2);
    for (let at = 0; at < half.length; at += planeBytes)
      half.set(bytes.subarray(2 * at + frame * planeBytes, 2 * at + (frame + 1) * planeBytes), at);
    yield half;
  }
}

/** The greatest number that rounds to a finite half float. */
const LARGEST_HALF = 65519;

/** A bfloat16 reaches further than a half float: what would become an infinity is told, not written. */
function requireHeld(name: string, values: Float32Array, type: GgmlType): void {
  for (const value of values) {
    if (!Number.isFinite(value)) throw damaged(name, value);
    if (type === 'F16' && Math.abs(value) > LARGEST_HALF)
      throw new GgufError('INVALID', `tensor ${name} holds ${value}, which F16 cannot; convert to BF16 or F32`);
  }
}

function damaged(name: string, found: number | string): GgufError {
  return new GgufError('INVALID', `tensor ${name} holds ${found}: the checkpoint is damaged`);
}

/** @throws GgufError `INVALID` for a source of another shape than `wanted` is made of */
export function requireSource(
  { name, shape, part, frame, isTransposedStack, isSqueezed }: WantedTensor,
  stored: StoredTensor,
): void {
  const outermost = [...shape].reverse();
  const expected = isTransposedStack
    ? [outermost[0]!, outermost[2]!, outermost[1]! * (part?.of ?? 1)]
    : isSqueezed
      ? [outermost[0]!, 1, ...outermost.slice(1)]
      : frame === undefined
        ? outermost.map((n, i) => (i === 0 ? n * (part?.of ?? 1) : n))
        : [outermost[0]!, outermost[1]!, 2, outermost[2]!, outermost[3]!];
  if (stored.shape.length === expected.length && stored.shape.every((n, i) => n === expected[i])) return;
  const found = `[${stored.shape.join(', ')}]`;
  throw new GgufError(
    'INVALID',
    `${stored.path}: ${stored.name} is ${found}, must be [${expected.join(', ')}] to make ${name} of ${countElements(shape)} values`,
  );
}
