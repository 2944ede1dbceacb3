import type { GgufHeader, GgufTensor, ReadOptions } from './reader.js';
import { readTensorChunks } from './tensor-data.js';
import { GGML_TYPES, type GgmlType } from './types.js';

/** Where a block keeps its floats: those that make every value of the block NaN or infinite. */
interface BlockFloats {
  readonly format: 'f16' | 'bf16' | 'f32' | 'f64' | 'e8m0' | 'iq1m';
  /** Byte offsets in the block. */
  readonly at: readonly [number, number?];
}

const F16_AT_0: BlockFloats = { format: 'f16', at: [0] };
const F16_PAIR_AT_0: BlockFloats = { format: 'f16', at: [0, 2] };

/**
 * As ggml_validate_row_data (ggml-quants.c) checks them, offsets from the structs of ggml-common.h. The integer types
 * and NVFP4, every byte of whose scales is a number, cannot hold a NaN.
 */
const BLOCK_FLOATS: Readonly<Record<GgmlType, BlockFloats | undefined>> = {
  F32: { format: 'f32', at: [0] },
  F64: { format: 'f64', at: [0] },
  F16: F16_AT_0,
  BF16: { format: 'bf16', at: [0] },
  Q1_0: F16_AT_0,
  Q2_0: F16_AT_0,
  Q4_0: F16_AT_0,
  Q4_1: F16_PAIR_AT_0,
  Q5_0: F16_AT_0,
  Q5_1: F16_PAIR_AT_0,
  Q8_0: F16_AT_0,
  Q8_1: F16_PAIR_AT_0,
  Q2_K: { format: 'f16', at: [80, 82] },
  Q3_K: { format: 'f16', at: [108] },
  Q4_K: F16_PAIR_AT_0,
  Q5_K: F16_PAIR_AT_0,
  Q6_K: { format: 'f16', at: [208] },
  Q8_K: { format: 'f32', at: [0] },
  IQ2_XXS: F16_AT_0,
  IQ2_XS: F16_AT_0,
  IQ2_S: F16_AT_0,
  IQ3_XXS: F16_AT_0,
  IQ3_S: F16_AT_0,
  IQ1_S: F16_AT_0,
  IQ1_M: { format: 'iq1m', at: [48] },
  IQ4_NL: F16_AT_0,
  IQ4_XS: F16_AT_0,
  TQ1_0: { format: 'f16', at: [52] },
  TQ2_0: { format: 'f16', at: [64] },
  MXFP4: { format: 'e8m0', at: [0] },
  NVFP4: undefined,
  I8: undefined,
  I16: undefined,
  I32: undefined,
  I64: undefined,
};

const IS_FINITE: Readonly<Record<BlockFloats['format'], (view: DataView, at: number) => boolean>> = {
  f16: (view, at) => (view.getUint16(at, true) & 0x7c00) !== 0x7c00,
  bf16: (view, at) => (view.getUint16(at, true) & 0x7f80) !== 0x7f80,
  f32: (view, at) => (view.getUint32(at, true) & 0x7f80_0000) !== 0x7f80_0000,
  // ggml computes in float32: what is too large for it is infinite.
  f64: (view, at) => Number.isFinite(Math.fround(view.getFloat64(at, true))),
  e8m0: (view, at) => view.getUint8(at) !== 0xff,
  // The half float's highest nibble lies in the last of four words; it holds sign and three exponent bits, the next
  // word's highest nibble the other two.
  iq1m: (view, at) =>
    (view.getUint16(at + 6, true) & 0x7000) !== 0x7000 || (view.getUint16(at + 4, true) & 0xc000) !== 0xc000,
};

/** How many blocks of tensor bytes hold a NaN or an infinity. The bytes are whole blocks. */
export function countNonFiniteBlocks(type: GgmlType, bytes: Uint8Array): number {
  const floats = BLOCK_FLOATS[type];
  if (!floats) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isFinite = IS_FINITE[floats.format];
  const { bytesPerBlock } = GGML_TYPES[type];
  const [first, second = first] = floats.at;
  let count = 0;
  for (let block = 0; block < bytes.length; block += bytesPerBlock) {
    if (!isFinite(view, block + first) || (second !== first && !isFinite(view, block + second))) count++;
  }
  return count;
}

/** The same for a tensor in its file; reads all of it. */
export async function countNonFiniteBlocksInFile(
  header: GgufHeader,
  tensor: GgufTensor,
  options: ReadOptions = {},
): Promise<number> {
  let count = 0;
  for await (const chunk of readTensorChunks(header, tensor, options))
    count += countNonFiniteBlocks(tensor.type, chunk);
  return count;
}
