import { expect, test } from 'vitest';
import { GGML_TYPES, ggmlTypeOfId, tensorBytes } from '../../gguf/index.js';
import { reference } from './reference.js';

test('every tensor type of llama.cpp is known, with its number, block size and bytes', () => {
  expect(GGML_TYPES).toEqual(reference.types);
});

test('numbers of types llama.cpp has removed are unknown', () => {
  for (const id of [4, 5, 31, 32, 33, 36, 37, 38, 43]) expect(ggmlTypeOfId(id)).toBeUndefined();
  expect(ggmlTypeOfId(12)).toBe('Q4_K');
});

test('a tensor takes its blocks, and none where a row is no whole number of them', () => {
  expect(tensorBytes('Q4_K', [3584, 2])).toBe(14 * 2 * 144);
  expect(tensorBytes('F16', [14, 14, 3, 2])).toBe(2352);
  expect(tensorBytes('Q8_0', [48, 64])).toBeUndefined();
});
