import { expect, test } from 'vitest';
import { GGML_TYPES, GgufError, isMatrixType, tensorBytes, type GgmlType } from '../../gguf/index.js';
import { nativeCodec } from '../../src/runtime/tensor-codec.js';

const codec = await nativeCodec();
const values = Float32Array.from({ length: 512 }, (_, i) => Math.sin(i));

/** What becomes of rows of 256 values: the number of their bytes, or the code they are refused with. */
function encoded(type: GgmlType, row: Float32Array = values): number | string {
  try {
    return codec.encode(type, row, 256).length;
  } catch (error) {
    return error instanceof GgufError ? error.code : String(error);
  }
}

/** llama.cpp makes these with an importance matrix only. */
const WITH_IMATRIX: readonly GgmlType[] = ['IQ2_XXS', 'IQ2_XS', 'IQ1_S'];
/** The grids of these take seconds to make. */
const SLOW: readonly GgmlType[] = ['IQ2_S', 'IQ1_M'];
const types = (Object.keys(GGML_TYPES) as GgmlType[]).filter((type) => !SLOW.includes(type));

test.each(types)('floats become %s, or are refused', (type) => {
  const isMade = isMatrixType(type) && !WITH_IMATRIX.includes(type);
  expect(encoded(type)).toBe(isMade ? tensorBytes(type, [256, 2]) : 'UNSUPPORTED');
});

test.each(['Q4_K', 'IQ3_S', 'IQ4_XS'] as const)('NaN and infinity cannot be made %s', (type) => {
  for (const value of [NaN, Infinity]) expect(encoded(type, values.with(300, value))).toBe('UNSUPPORTED');
});
