import { decodeTensor } from './decode-tensor.js';
import { encodeTensor, ENCODABLE_TYPES, type EncodableType } from './encode-tensor.js';
import { GgufError } from './errors.js';
import type { GgmlType } from './types.js';

/** Tensor data to floats and back. */
export interface TensorCodec {
  decode(type: GgmlType, bytes: Uint8Array): Float32Array;
  /** Whole rows of `nPerRow` values. @throws GgufError `UNSUPPORTED` */
  encode(type: GgmlType, values: Float32Array, nPerRow: number): Uint8Array;
}

/** The types this folder knows itself; llama.cpp's own quantisers know them all. */
export const PLAIN_CODEC: TensorCodec = {
  decode: decodeTensor,
  encode: (type, values) => {
    if (!isEncodable(type)) throw new GgufError('UNSUPPORTED', `${type} tensors cannot be encoded here`);
    return encodeTensor(type, values);
  },
};

function isEncodable(type: GgmlType): type is EncodableType {
  return (ENCODABLE_TYPES as readonly GgmlType[]).includes(type);
}
