import { expect, test } from 'vitest';
import type { RatedBox } from '../../../src/train/sources/types.js';
import { lotsFor } from '../../../src/train/lots.js';
import { HARDNESSES, pairsOfRatings } from '../../../src/train/targets/pairs-of-ratings.js';

const crops: RatedBox[] = Array.from({ length: 12 }, (_, i) => ({
  box: [i, 0, i + 50, 50],
  rating: Math.floor(i / 2),
}));
const ratingOf = new Map(crops.map(({ box, rating }) => [box, rating]));
const gapsOf = (options: Partial<Parameters<typeof pairsOfRatings>[1]>): number[] =>
  pairsOfRatings(crops, { gap: 1, hardness: 'mixed', count: 6, ...options }, lotsFor(3, 'a')).map(
    ({ chosen, rejected }) => ratingOf.get(chosen)! - ratingOf.get(rejected)!,
  );

test.each(HARDNESSES)('%s pairs keep the gap and are never of a tie', (hardness) => {
  const gaps = gapsOf({ hardness, gap: 2 });
  expect(gaps).toHaveLength(6);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(2);
  expect(
    pairsOfRatings(
      crops.map((crop) => ({ ...crop, rating: 3 })),
      { gap: 0.1, hardness, count: 6 },
      lotsFor(1, ''),
    ),
  ).toEqual([]);
});

test('hard pairs are of nearer ratings than easy ones', () => {
  const mean = (gaps: readonly number[]): number => gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  expect(mean(gapsOf({ hardness: 'hard' }))).toBeLessThan(mean(gapsOf({ hardness: 'easy' })) - 1);
});

test('what is chosen is of the better half, nobody’s blind crop, and not the same again while there are others', () => {
  const mixed = crops.map((crop, i) => (i === 11 ? { ...crop, isDrawn: true } : crop));
  const pairs = pairsOfRatings(mixed, { gap: 1, hardness: 'mixed', count: 5 }, lotsFor(9, 'b'));
  expect(new Set(pairs.map(({ chosen }) => chosen)).size).toBe(5);
  for (const { chosen } of pairs) {
    expect(ratingOf.get(chosen)).toBeGreaterThanOrEqual(2);
    expect(chosen).not.toBe(mixed[11]!.box);
  }
});
