import { GgufError } from '../errors.js';
import type { TensorCodec } from '../tensor-codec.js';
import { countNonFiniteBlocks } from '../nan-check.js';
import { namingFile, openRegularFile } from '../open-file.js';
import { GGML_TYPES, countElements, tensorBytes, type GgmlType } from '../types.js';
import type { TensorToWrite } from '../writer.js';
import type { StoredTensor } from './checkpoint.js';
import type { WantedTensor } from './tensors.js';

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
  const { name, shape, frame } = wanted;
  const [nPerRow = 1] = shape;
  async function* data(): AsyncGenerator<Uint8Array> {
    const pieces = frame === undefined ? rowsOf(wanted, stored) : kernelOf(wanted, stored, frame);
    for await (const bytes of pieces) {
      signal?.throwIfAborted();
      const values = type === stored.type ? undefined : codec.decode(stored.type, bytes);
      if (values) requireHeld(name, values, type);
      else if (countNonFiniteBlocks(stored.type, bytes) > 0) throw damaged(name, 'NaN or infinity');
      yield values ? codec.encode(type, values, nPerRow) : bytes;
    }
  }
  return { name, type, shape, data };
}

/** The source's bytes, or those of the part wanted, in whole rows. */
async function* rowsOf(
  { shape, part = { index: 0, of: 1 } }: WantedTensor,
  stored: StoredTensor,
): AsyncGenerator<Uint8Array> {
  const nBytes = stored.nBytes / part.of;
  const rowBytes = (shape[0] ?? 1) * GGML_TYPES[stored.type].bytesPerBlock;
  const chunkBytes = Math.max(1, Math.floor(CHUNK_BYTES / rowBytes)) * rowBytes;
  const { file } = await openRegularFile(stored.path);
  try {
    for (let done = 0; done < nBytes; done += chunkBytes) {
      const piece = new Uint8Array(Math.min(chunkBytes, nBytes - done));
      const from = stored.offset + part.index * nBytes + done;
      for (let filled = 0; filled < piece.length;) {
        const { bytesRead } = await file.read(piece, filled, piece.length - filled, from + filled);
        if (bytesRead === 0) throw new GgufError('TRUNCATED', `tensor ${stored.name} ends early`);
        filled += bytesRead;
      }
      yield piece;
    }
  } catch (error) {
    throw namingFile(stored.path, error);
  } finally {
    await file.close();
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
export function requireSource({ name, shape, part, frame }: WantedTensor, stored: StoredTensor): void {
  const outermost = [...shape].reverse();
  const expected =
    frame === undefined
      ? outermost.map((n, i) => (i === 0 ? n * (part?.of ?? 1) : n))
      : [outermost[0]!, outermost[1]!, 2, outermost[2]!, outermost[3]!];
  if (stored.shape.length === expected.length && stored.shape.every((n, i) => n === expected[i])) return;
  const found = `[${stored.shape.join(', ')}]`;
  throw new GgufError(
    'INVALID',
    `${stored.path}: ${stored.name} is ${found}, must be [${expected.join(', ')}] to make ${name} of ${countElements(shape)} values`,
  );
}
