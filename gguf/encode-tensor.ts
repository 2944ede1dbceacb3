import { GgufError } from './errors.js';
import { GGML_TYPES } from './types.js';

/** Tensor types this folder can make from floats. */
export const ENCODABLE_TYPES = ['F32', 'F16', 'BF16', 'Q8_0'] as const;
export type EncodableType = (typeof ENCODABLE_TYPES)[number];

const scratch = new DataView(new ArrayBuffer(4));

function bitsOfFloat32(value: number): number {
  scratch.setFloat32(0, value);
  return scratch.getUint32(0);
}

/** IEEE 754 half precision bits of a float32, round to nearest even, as the F16C instruction and numpy do it. */
export function float16Bits(value: number): number {
  const bits = bitsOfFloat32(value);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fff_ffff;
  if (magnitude > 0x7f80_0000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x4780_0000) return sign | 0x7c00; // 65536 and above
  if (magnitude < 0x3880_0000) {
    // Subnormal half: the float's own addition rounds, because one unit of 2^-24 is the last bit of 0.5's mantissa.
    return sign | (bitsOfFloat32(Math.fround(Math.abs(value)) + 0.5) - 0x3f00_0000);
  }
  const halfway = 0x0fff + ((magnitude >>> 13) & 1);
  return sign | ((magnitude - 0x3800_0000 + halfway) >>> 13);
}

/** bfloat16 bits of a float32, round to nearest even (ggml_compute_fp32_to_bf16). */
export function bfloat16Bits(value: number): number {
  const bits = bitsOfFloat32(value);
  if ((bits & 0x7fff_ffff) > 0x7f80_0000) return (bits >>> 16) | 64;
  return (bits + (0x7fff + ((bits >>> 16) & 1))) >>> 16;
}

/** C's roundf for small values: halves go away from zero, unlike Math.round. */
function roundAwayFromZero(value: number): number {
  return (value < 0 ? value - 0.5 : value + 0.5) | 0;
}

function encodeHalfWords(values: Float32Array, out: Uint8Array, toBits: (value: number) => number): void {
  for (let i = 0; i < values.length; i++) {
    const bits = toBits(values[i]!);
    out[2 * i] = bits;
    out[2 * i + 1] = bits >>> 8;
  }
}

/** ggml's quantize_row_q8_0_ref, to the bit: a float16 scale, then 32 signed bytes. */
function encodeQ8(values: Float32Array, out: Uint8Array): void {
  const { blockSize, bytesPerBlock } = GGML_TYPES.Q8_0;
  for (let block = 0; block * blockSize < values.length; block++) {
    const first = block * blockSize;
    let largest = 0;
    for (let i = first; i < first + blockSize; i++) {
      const magnitude = Math.abs(values[i]!);
      if (magnitude > largest) largest = magnitude;
    }
    const scale = Math.fround(largest / 127);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    const bits = float16Bits(scale);
    const at = block * bytesPerBlock;
    out[at] = bits;
    out[at + 1] = bits >>> 8;
    for (let i = 0; i < blockSize; i++) {
      out[at + 2 + i] = roundAwayFromZero(Math.fround(values[first + i]! * inverse));
    }
  }
}

/**
 * Float values as tensor bytes, little-endian. The number of values must be a whole number of blocks.
 *
 * @throws GgufError `WRITE` otherwise.
 */
export function encodeTensor(type: EncodableType, values: Float32Array): Uint8Array {
  const { blockSize, bytesPerBlock } = GGML_TYPES[type];
  if (values.length % blockSize !== 0) {
    throw new GgufError('WRITE', `${values.length} values are no whole number of ${type} blocks of ${blockSize}`);
  }
  const out = new Uint8Array((values.length / blockSize) * bytesPerBlock);
  switch (type) {
    case 'F32': {
      const view = new DataView(out.buffer);
      for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i]!, true);
      break;
    }
    case 'F16':
      encodeHalfWords(values, out, float16Bits);
      break;
    case 'BF16':
      encodeHalfWords(values, out, bfloat16Bits);
      break;
    case 'Q8_0':
      encodeQ8(values, out);
      break;
  }
  return out;
}
