import { GGML_TYPES, GgufError, PLAIN_CODEC, type GgmlType, type TensorCodec } from '../../gguf/index.js';
import { messageOf } from '../errors.js';
import { loadBinding } from './binding.js';

/** Every type llama.cpp can quantise to, by its own code; F32 and F16 by ours, which is the same to the bit. */
export async function nativeCodec(): Promise<TensorCodec> {
  const { addon } = await loadBinding({ gpu: 'cpu' });
  const isPlain = (type: GgmlType): boolean => type === 'F32' || type === 'F16' || type === 'BF16';
  const native = <T>(type: GgmlType, run: (id: number) => T): T => {
    try {
      return run(GGML_TYPES[type].id);
    } catch (error) {
      throw new GgufError('UNSUPPORTED', `${type}: ${messageOf(error)}`, { cause: error });
    }
  };
  return {
    decode: (type, bytes) =>
      isPlain(type) ? PLAIN_CODEC.decode(type, bytes) : native(type, (id) => addon.decodeRows(id, bytes)),
    encode: (type, values, nPerRow) =>
      isPlain(type)
        ? PLAIN_CODEC.encode(type, values, nPerRow)
        : native(type, (id) => addon.encodeRows(id, values, nPerRow)),
  };
}
