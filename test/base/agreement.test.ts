import { expect, test } from 'vitest';
import { krippendorffAlpha } from '../../src/base/agreement.js';

/** Rows are raters, `.` is no rating. */
function unitsOf(...raters: readonly string[]): string[][] {
  const rows = raters.map((row) => row.split(' '));
  return rows[0]!.map((_, unit) => rows.map((row) => row[unit]!).filter((rating) => rating !== '.'));
}

// The worked examples of Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), sections A, B and C.
test.each([
  ['binary data, two raters', ['0 1 0 0 0 0 0 0 1 0', '1 1 1 0 0 1 0 0 0 0'], 0.095],
  ['nominal data, two raters', ['a a b b d c c c e d d a', 'b a b b b c c c e d d d'], 0.692],
  [
    'nominal data, four raters, some ratings missing',
    ['1 2 3 3 2 1 4 1 2 . . .', '1 2 3 3 2 2 4 1 2 5 . 3', '. 3 3 3 2 3 4 2 2 5 1 .', '1 2 3 3 2 4 4 1 2 5 1 .'],
    0.743,
  ],
])('alpha of the published example: %s', (_, raters, alpha) => {
  expect(krippendorffAlpha(unitsOf(...raters))).toBeCloseTo(alpha, 3);
});

test('full agreement is 1, and what cannot be told is null', () => {
  expect(
    krippendorffAlpha([
      ['a', 'a'],
      ['b', 'b', 'b'],
    ]),
  ).toBe(1);
  expect(
    krippendorffAlpha([
      ['a', 'a'],
      ['a', 'a'],
    ]),
  ).toBeNull();
  expect(krippendorffAlpha([['a'], ['b'], []])).toBeNull();
  expect(
    krippendorffAlpha([
      ['a', 'b'],
      ['b', 'a'],
    ]),
  ).toBeCloseTo(-0.5, 12); // by hand: 1 - 4 / ((16 - 8) / 3)
});
