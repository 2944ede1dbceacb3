import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { countNonFiniteBlocks, decodeTensor, encodeTensor, type GgmlType } from '../../gguf/index.js';
import { bytesOf, floatsOf, reference } from './reference.js';

test.each(['F16', 'BF16', 'Q8_0'] as const)('floats become the same %s bytes as in ggml', (type) => {
  const { source, encoded } = reference.conversions[type]!;
  expect(encodeTensor(type, floatsOf(source))).toEqual(bytesOf(encoded));
});

test.each(['BF16', 'Q8_0', 'Q4_0'] as const)('%s blocks become the same floats as in ggml', (type) => {
  const { blocks, decoded } = reference.conversions[type]!;
  expect(decodeTensor(type, bytesOf(blocks))).toEqual(floatsOf(decoded));
});

test('all 65536 half floats become the same floats as in ggml', () => {
  const patterns = new Uint8Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer);
  const decoded = decodeTensor('F16', patterns).map((value) => (Number.isNaN(value) ? NaN : value));
  const sha256 = createHash('sha256').update(new Uint8Array(decoded.buffer)).digest('hex');
  expect(sha256).toBe(reference.conversions.F16!.allDecodedSha256);
});

test('a NaN stays a NaN in every float type', () => {
  for (const type of ['F32', 'F16', 'BF16'] as const) {
    expect(decodeTensor(type, encodeTensor(type, Float32Array.of(NaN)))[0]).toBeNaN();
  }
});

test('F32 is stored as it is', () => {
  const values = Float32Array.of(1.5, -0, Infinity, 1e-40);
  expect(decodeTensor('F32', encodeTensor('F32', values))).toEqual(values);
});

test('values that are no whole number of blocks are refused', () => {
  expect(() => encodeTensor('Q8_0', new Float32Array(33))).toThrow(/33 values are no whole number/);
  expect(() => decodeTensor('Q8_0', new Uint8Array(33))).toThrow(/33 bytes are no whole number/);
});

test('a type without a decoder is refused by name', () => {
  expect(() => decodeTensor('Q4_K', new Uint8Array(144))).toThrow(/Q4_K tensors cannot be decoded/);
});

test.each(Object.keys(reference.blocks) as GgmlType[])(
  '%s blocks with NaN or infinity are told as ggml tells them',
  (type) => {
    const { finite, nonFinite } = reference.blocks[type];
    for (const block of finite) expect(countNonFiniteBlocks(type, bytesOf(block))).toBe(0);
    for (const block of nonFinite) expect(countNonFiniteBlocks(type, bytesOf(block))).toBe(1);
    const all = Buffer.concat([...finite, ...nonFinite].map(bytesOf));
    expect(countNonFiniteBlocks(type, all)).toBe(nonFinite.length);
  },
);

test('the reference has blocks with and without NaN of every type that can hold one', () => {
  const withoutNaN = Object.entries(reference.blocks).filter(([, { nonFinite }]) => nonFinite.length === 0);
  expect(withoutNaN.map(([type]) => type).sort()).toEqual(['I16', 'I32', 'I64', 'I8', 'NVFP4']);
});
