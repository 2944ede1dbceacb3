import { GGML_TYPES, GgufError, PLAIN_CODEC, type GgmlType, type TensorCodec } from '../../gguf/index.js';
import { messageOf } from '../base/errors.js';
import { loadBinding } from './binding.js';

/** Every type llama.cpp can quantise to, by its own code. */
export async function nativeCodec(): Promise<TensorCodec> {
  const { addon } = await loadBinding({ gpu: 'cpu' });
  const native = <T>(type: GgmlType, run: (id: number) => T): T => {
    try {
      return run(GGML_TYPES[type].id);
    } catch (error) {
      throw new GgufError('UNSUPPORTED', `${type}: ${messageOf(error)}`, { cause: error });
    }
  };
  return {
    decode: (type, bytes) =>
      type === 'F32' ? PLAIN_CODEC.decode(type, bytes) : native(type, (id) => addon.decodeRows(id, bytes)),
    encode: (type, values, nPerRow) =>
      type === 'F32'
        ? PLAIN_CODEC.encode(type, values, nPerRow)
        : native(type, (id) => addon.encodeRows(id, values, nPerRow)),
  };
}
