import { GgufError } from './errors.js';
import { GGML_TYPES, type GgmlType } from './types.js';

/** Tensor types this folder can turn into floats. */
export const DECODABLE_TYPES = ['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0'] as const satisfies readonly GgmlType[];
export type DecodableType = (typeof DECODABLE_TYPES)[number];

export function isDecodable(type: GgmlType): type is DecodableType {
  return (DECODABLE_TYPES as readonly GgmlType[]).includes(type);
}

/** The value of IEEE 754 half precision bits; exact in float32. */
export function float16FromBits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 0x1f) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

/** Decodes one block that starts at byte `at` into `out` from `first`. */
type DecodeBlock = (view: DataView, at: number, out: Float32Array, first: number) => void;

const bfloat16 = new DataView(new ArrayBuffer(4));

const DECODE_BLOCK: Readonly<Record<DecodableType, DecodeBlock>> = {
  F32: (view, at, out, first) => {
    out[first] = view.getFloat32(at, true);
  },
  F16: (view, at, out, first) => {
    out[first] = float16FromBits(view.getUint16(at, true));
  },
  BF16: (view, at, out, first) => {
    bfloat16.setUint16(0, view.getUint16(at, true));
    out[first] = bfloat16.getFloat32(0);
  },
  Q8_0: (view, at, out, first) => {
    const scale = float16FromBits(view.getUint16(at, true));
    for (let i = 0; i < 32; i++) out[first + i] = scale * view.getInt8(at + 2 + i);
  },
  // Low nibbles are the first half of the block, high nibbles the second (dequantize_row_q4_0).
  Q4_0: (view, at, out, first) => {
    const scale = float16FromBits(view.getUint16(at, true));
    for (let i = 0; i < 16; i++) {
      const pair = view.getUint8(at + 2 + i);
      out[first + i] = scale * ((pair & 0x0f) - 8);
      out[first + 16 + i] = scale * ((pair >> 4) - 8);
    }
  },
};

/**
 * Tensor bytes as floats, to the bit what ggml's to_float gives.
 *
 * @throws GgufError `UNSUPPORTED` for a type that is not in `DECODABLE_TYPES`, `MALFORMED` for a broken block.
 */
export function decodeTensor(type: GgmlType, bytes: Uint8Array): Float32Array {
  if (!isDecodable(type)) {
    throw new GgufError('UNSUPPORTED', `${type} tensors cannot be decoded, only ${DECODABLE_TYPES.join(', ')}`);
  }
  const { blockSize, bytesPerBlock } = GGML_TYPES[type];
  if (bytes.length % bytesPerBlock !== 0) {
    throw new GgufError('MALFORMED', `${bytes.length} bytes are no whole number of ${type} blocks`);
  }
  const nBlocks = bytes.length / bytesPerBlock;
  const out = new Float32Array(nBlocks * blockSize);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decodeBlock = DECODE_BLOCK[type];
  for (let block = 0; block < nBlocks; block++) decodeBlock(view, block * bytesPerBlock, out, block * blockSize);
  return out;
}
