import { expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { centred, commonPart, describe as described, PARTS } from '../../src/retrieval/descriptor.js';

test('a part of the photo is the mean of its rows, those on a border by their share', () => {
  // 3 x 2 cells of one number each; the middle column lies half in each part.
  const rows = Float32Array.from([1, 2, 3, 10, 20, 30]);
  const vector = described(rows, { width: 3, height: 2 }, 1);
  expect(PARTS).toBe(2);
  for (const [i, expected] of [(1 + 1) / 1.5, (1 + 3) / 1.5, (10 + 10) / 1.5, (10 + 30) / 1.5].entries()) {
    expect(vector[i]).toBeCloseTo(expected, 5);
  }
});

test('rows that are the same everywhere describe every part by that row, whatever the cells', () => {
  for (const cells of [
    { width: 1, height: 1 },
    { width: 5, height: 3 },
    { width: 8, height: 6 },
  ]) {
    const rows = Float32Array.from({ length: cells.width * cells.height * 3 }, (_, i) => (i % 3) + 1);
    const vector = described(rows, cells, 3);
    vector.forEach((value, i) => expect(value).toBeCloseTo((i % 3) + 1, 4));
  }
});

test('what all have in common is taken away, and what is left has length 1', () => {
  const random = seededRandom(1);
  const vectors = Array.from({ length: 7 }, () => Float32Array.from({ length: 4 * 5 }, () => 100 + random()));
  const common = commonPart(vectors, 5);
  common.forEach((value) => expect(value).toBeGreaterThan(100));
  const rest = vectors.map((vector) => centred(vector, common));
  for (const each of rest) expect(Math.hypot(...each)).toBeCloseTo(1, 5);
  commonPart(rest, 5).forEach((value) => expect(Math.abs(value)).toBeLessThan(0.2));
  expect([...centred(Float32Array.of(3, 3, 3, 3), Float32Array.of(3))]).toEqual([0, 0, 0, 0]);
});
