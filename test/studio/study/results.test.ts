import { describe, expect, test } from 'vitest';
import { wilsonInterval } from '../../../src/base/intervals.js';
import { seededRandom } from '../../../src/base/random.js';
import { planFor, type ShownPair } from '../../../src/studio/study/judge-plan.js';
import type { Judgement } from '../../../src/studio/study/judgement-log.js';
import type { Preference } from '../../../src/studio/study/pairs.js';
import { resultsOf } from '../../../src/studio/study/results.js';
import { readStudy, type Study } from '../../../src/studio/study/study-file.js';
import { useSmallStudy } from './small-study.js';

const N_PHOTOS = 60;
const { write } = useSmallStudy(N_PHOTOS);
const study = (more: object = {}): Promise<Study> => readStudy(write('study.json', more));

/** What a judge answers who prefers this, wherever it lies. */
function judgementOf(judge: number, { pair, isALeft }: ShownPair, preference: Preference, tookMs = 1000): Judgement {
  const answer = preference === 'tie' ? 'tie' : (preference === 'a') === isALeft ? 'left' : 'right';
  const left = (isALeft ? pair.a : pair.b).method;
  return { judge, pair: pair.id, left, answer, tookMs, at: '2026-01-01T00:00:00Z' };
}

function judged(of: Study, prefer: (judge: number, shown: ShownPair) => Preference | undefined): Judgement[] {
  return Array.from({ length: of.judges }, (_, judge) => judge).flatMap((judge) =>
    planFor(of, judge).flatMap((shown) => {
      const preference = prefer(judge, shown);
      return preference === undefined ? [] : [judgementOf(judge, shown, preference)];
    }),
  );
}

test('figures of a small study, counted by hand', async () => {
  const whole = await study();
  const ids = whole.pairs.slice(0, 4).map(({ id }) => id);
  /** By pair, what the three judges say. */
  const said: Record<string, readonly Preference[]> = {
    [ids[0]!]: ['a', 'a', 'b'],
    [ids[1]!]: ['a', 'tie', 'tie'],
    [ids[2]!]: ['b', 'b', 'b'],
    [ids[3]!]: ['a', 'b', 'tie'],
  };
  const judgements = judged(whole, (judge, { pair }) => said[pair.id]?.[judge]);
  const { comparisons, nJudgements, alpha, left } = resultsOf(whole, judgements);
  expect(nJudgements).toBe(12);
  expect(comparisons).toHaveLength(1);
  expect(comparisons[0]).toMatchObject({
    a: 'ours',
    b: 'theirs',
    judgements: { a: 4, b: 5, ties: 3, rate: 4 / 9, ...wilsonInterval(4, 9) },
    pairs: { a: 1, b: 1, ties: 2, rate: 1 / 2, ...wilsonInterval(1, 2) },
  });
  // Coincidences: disagreeing ratings 4 + 4 + 0 + 6, each unit over 2; of 4 a, 5 b, 3 ties 94 disagree by chance, over 11.
  expect(alpha).toBeCloseTo(1 - 14 / 2 / (94 / 11), 12);
  expect(left.n).toBe(9);
});

test('figures turn round with the methods, and stay true', async () => {
  const whole = await study();
  const judgements = judged(whole, (judge) => (judge === 0 ? 'b' : 'a'));
  const turned: Study = { ...whole, pairs: whole.pairs.map(({ a, b, ...rest }) => ({ ...rest, a: b, b: a })) };
  expect(resultsOf(turned, judgements).comparisons[0]).toMatchObject({
    a: 'theirs',
    b: 'ours',
    judgements: { a: 60, b: 120 },
  });
});

test('three judges who prefer one method in 70 % give a rate whose interval holds .7, and no preference for a side', async () => {
  const whole = await study();
  const lots = seededRandom(5);
  const judgements = judged(whole, (_, { isCheck }) => (isCheck || lots() < 0.7 ? 'a' : 'b'));
  const { comparisons, left, nJudgements, nTotal } = resultsOf(whole, judgements);
  expect([nJudgements, nTotal]).toEqual([3 * 61, 3 * 61]);
  const { rate, low, high, a, b } = comparisons[0]!.judgements;
  expect(a + b).toBe(180);
  expect(low! < 0.7 && 0.7 < high!, `${rate} [${low}, ${high}]`).toBe(true);
  expect(left.low! < 0.5 && 0.5 < left.high!).toBe(true);
});

test('where judges agree, the interval over photos is wider than Wilson’s; where they do not, about the same', async () => {
  const whole = await study();
  const lots = seededRandom(9);
  const byPhoto = new Map(whole.pairs.map(({ id }) => [id, lots() < 0.7 ? 'a' : 'b'] as const));
  const width = (interval: { low: number | null; high: number | null } | null): number =>
    interval!.high! - interval!.low!;
  const agreed = resultsOf(
    whole,
    judged(whole, (_, { pair }) => byPhoto.get(pair.id) ?? 'a'),
  );
  expect(agreed.alpha).toBe(1);
  const { judgements, overPhotos } = agreed.comparisons[0]!;
  // Three judges of one mind are one: the square root of 3.
  expect(width(overPhotos) / width(judgements)).toBeGreaterThan(1.5);
  expect(width(overPhotos) / width(judgements)).toBeLessThan(1.95);
  const alone = resultsOf(
    whole,
    judged(whole, () => (lots() < 0.7 ? 'a' : 'b')),
  ).comparisons[0]!;
  expect(Math.abs(width(alone.overPhotos) / width(alone.judgements) - 1)).toBeLessThan(0.25);
});

test('judges who always take the left crop show, and prefer no method', async () => {
  const whole = await study();
  const judgements = judged(whole, (_, { isALeft }) => (isALeft ? 'a' : 'b'));
  const { comparisons, left } = resultsOf(whole, judgements);
  expect(left).toMatchObject({ rate: 1, n: 180 });
  expect(comparisons[0]!.judgements.rate).toBe(0.5);
});

describe('attention checks', () => {
  /** The last judge fails theirs, and prefers `b` throughout. */
  const careless = (judge: number): Preference => (judge === 2 ? 'b' : 'a');

  test('are no judgements of the methods; who failed is told, and can be left out', async () => {
    const whole = await study();
    const judgements = judged(whole, careless);
    const all = resultsOf(whole, judgements);
    expect(all.judges.map(({ nChecksFailed, nChecks, hasFailed }) => [nChecksFailed, nChecks, hasFailed])).toEqual([
      [0, 1, false],
      [0, 1, false],
      [1, 1, true],
    ]);
    expect(all.comparisons[0]!.judgements).toMatchObject({ a: 120, b: 60 });
    expect(all.leftOut).toEqual([]);
    const without = resultsOf(whole, judgements, { withoutFailed: true });
    expect(without.leftOut).toEqual([2]);
    expect(without.comparisons[0]!.judgements).toMatchObject({ a: 120, b: 0, rate: 1 });
  });

  test('may be failed as often as the study allows; a tie is a failure', async () => {
    const lenient = await study({ maxFailedChecks: 1 });
    expect(resultsOf(lenient, judged(lenient, careless)).judges.some(({ hasFailed }) => hasFailed)).toBe(false);
    const whole = await study();
    const tied = judged(whole, (_, { isCheck }) => (isCheck ? 'tie' : 'a'));
    expect(resultsOf(whole, tied).judges.every(({ hasFailed }) => hasFailed)).toBe(true);
  });
});

test('before anybody judges nothing is claimed; what is no longer in the study is passed over', async () => {
  const whole = await study();
  const stray: Judgement = { judge: 0, pair: 'gone', left: 'ours', answer: 'left', tookMs: 1, at: '' };
  const { comparisons, alpha, left, nJudgements, judges } = resultsOf(whole, [stray]);
  expect(nJudgements).toBe(0);
  expect(comparisons[0]!.overPhotos).toBeNull();
  expect(comparisons[0]!.judgements).toEqual({ a: 0, b: 0, ties: 0, rate: null, low: null, high: null });
  expect([alpha, left.rate, judges[0]!.medianMs]).toEqual([null, null, null]);
});
