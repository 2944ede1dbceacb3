import { readFileSync } from 'node:fs';
import { encodeTensor, type GgmlType, type GgufToWrite, type GgufValue } from '../../gguf/index.js';

type Plain = string | number | boolean;

/** test/gguf/fixtures/reference.json: what llama.cpp itself says; made by make_reference.py beside it. */
export interface Reference {
  readonly types: Readonly<Record<string, { id: number; blockSize: number; bytesPerBlock: number }>>;
  readonly conversions: Readonly<
    Record<string, { source: string; encoded: string; blocks: string; decoded: string; allDecodedSha256: string }>
  >;
  readonly blocks: Readonly<Record<GgmlType, { finite: readonly string[]; nonFinite: readonly string[] }>>;
  readonly file: {
    readonly sha256: string;
    readonly version: number;
    readonly alignment: number;
    readonly dataStart: number;
    readonly metadata: readonly (
      readonly [string, number, Plain] | readonly [string, number, number, readonly Plain[]]
    )[];
    readonly tensors: readonly { name: string; typeId: number; ne: number[]; offset: number; nBytes: number }[];
  };
}

export const reference = JSON.parse(
  readFileSync(new URL('./fixtures/reference.json', import.meta.url), 'utf8'),
) as Reference;

export function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(Buffer.from(base64, 'base64'));
}

export function floatsOf(base64: string): Float32Array {
  return new Float32Array(bytesOf(base64).buffer);
}

/** A file with a value of every type and tensors of all encodable ones; the file of the reference. */
export function referenceFile(): GgufToWrite {
  const metadata = new Map<string, GgufValue>([
    ['a.uint8', { type: 'uint8', value: 250 }],
    ['a.int8', { type: 'int8', value: -120 }],
    ['a.uint16', { type: 'uint16', value: 65000 }],
    ['a.int16', { type: 'int16', value: -32000 }],
    ['a.uint32', { type: 'uint32', value: 4_000_000_000 }],
    ['a.int32', { type: 'int32', value: -2_000_000_000 }],
    ['a.float32', { type: 'float32', value: Math.fround(0.1) }],
    ['a.float64', { type: 'float64', value: 0.1 }],
    ['a.bool', { type: 'bool', value: true }],
    ['a.string', { type: 'string', value: 'größer than 日本 🙂' }],
    ['a.uint64', { type: 'uint64', value: 2n ** 63n + 5n }],
    ['a.int64', { type: 'int64', value: -(2n ** 60n) }],
    ['arr.uint8', { type: 'array', itemType: 'uint8', value: Uint8Array.of(0, 255) }],
    ['arr.int16', { type: 'array', itemType: 'int16', value: Int16Array.of(-1, 1) }],
    ['arr.int32', { type: 'array', itemType: 'int32', value: Int32Array.of(16, 24, 24, 0) }],
    ['arr.float32', { type: 'array', itemType: 'float32', value: Float32Array.of(0.5, -1.25) }],
    ['arr.float64', { type: 'array', itemType: 'float64', value: Float64Array.of(1e300) }],
    ['arr.uint64', { type: 'array', itemType: 'uint64', value: BigUint64Array.of(2n ** 40n) }],
    ['arr.bool', { type: 'array', itemType: 'bool', value: Uint8Array.of(1, 0, 1) }],
    ['arr.string', { type: 'array', itemType: 'string', value: ['', 'Ġa', '<|im_end|>'] }],
    ['arr.empty', { type: 'array', itemType: 'string', value: [] }],
  ]);
  const ramp = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.sin(i));
  return {
    metadata,
    alignment: 64,
    tensors: [
      { name: 'vector.f32', type: 'F32', shape: [5], data: encodeTensor('F32', ramp(5)) },
      { name: 'matrix.f16', type: 'F16', shape: [7, 3], data: encodeTensor('F16', ramp(21)) },
      { name: 'matrix.q8_0', type: 'Q8_0', shape: [64, 2], data: encodeTensor('Q8_0', ramp(128)) },
      { name: 'kernel.bf16', type: 'BF16', shape: [2, 3, 4, 5], data: encodeTensor('BF16', ramp(120)) },
      { name: 'hole.q4_k', type: 'Q4_K', shape: [256, 2], data: 'hole' },
      { name: 'n'.repeat(63), type: 'I32', shape: [1], data: Uint8Array.of(1, 2, 3, 4) },
    ],
  };
}
