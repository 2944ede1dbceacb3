import { describe, expect, test } from 'vitest';
import { planFor } from '../../../src/studio/study/judge-plan.js';
import { readStudy } from '../../../src/studio/study/study-file.js';
import { BAD, GOOD, useSmallStudy } from './small-study.js';

const N_PHOTOS = 20;
const { write } = useSmallStudy(N_PHOTOS);
/** Found beside the study. */
const checks = [0, 1, 2, 3].map((i) => ({ path: `${i}.jpg`, better: GOOD, worse: BAD }));

describe('where all judge all', () => {
  const study = () => readStudy(write('all.json', { judges: 6, checks }));

  test('each judge sees every pair and check once, in an order of their own, the same every time', async () => {
    const whole = await study();
    const ids = [...whole.pairs, ...whole.checks].map(({ id }) => id).sort();
    const orders = Array.from({ length: 6 }, (_, judge) => planFor(whole, judge).map(({ pair }) => pair.id));
    for (const order of orders) expect([...order].sort()).toEqual(ids);
    expect(new Set(orders.map((order) => order.join())).size).toBe(6);
    expect(planFor(await study(), 4).map(({ pair }) => pair.id)).toEqual(orders[4]);
    expect(planFor({ ...whole, seed: 1 }, 4).map(({ pair }) => pair.id)).not.toEqual(orders[4]);
  });

  test('each method is on the left in half of a judge’s pairs, and of a pair’s judges', async () => {
    const whole = await study();
    const plans = Array.from({ length: 6 }, (_, judge) => planFor(whole, judge).filter(({ isCheck }) => !isCheck));
    for (const plan of plans) expect(plan.filter(({ isALeft }) => isALeft).length).toBe(N_PHOTOS / 2);
    for (const { id } of whole.pairs) {
      const left = plans.map((plan) => plan.find(({ pair }) => pair.id === id)!.isALeft);
      expect(left.filter(Boolean).length).toBe(3);
    }
    // By lot: judges of another two see other sides, and sides do not follow the order.
    const sidesOf = (judge: number): boolean[] =>
      whole.pairs.map(({ id }) => plans[judge]!.find(({ pair }) => pair.id === id)!.isALeft);
    expect(sidesOf(0)).not.toEqual(sidesOf(2));
    expect(plans[0]!.some(({ isALeft }, i) => isALeft === plans[0]![i + 1]?.isALeft)).toBe(true);
  });

  test('checks are spread, one in each part', async () => {
    const whole = await study();
    for (let judge = 0; judge < 6; judge++) {
      const plan = planFor(whole, judge);
      const places = plan.flatMap(({ isCheck }, i) => (isCheck ? [i] : []));
      expect(places).toHaveLength(4);
      places.forEach((place, i) => {
        expect(place).toBeGreaterThanOrEqual(5 * i + i);
        expect(place).toBeLessThanOrEqual(5 * (i + 1) + i);
      });
    }
  });
});

test.each([
  [5, 2],
  [7, 3],
  [3, 1],
])('of %i judges %i see each pair, and all as many', async (judges, judgesPerPair) => {
  const study = await readStudy(write('some.json', { judges, judgesPerPair, checks }));
  const plans = Array.from({ length: judges }, (_, judge) => planFor(study, judge).filter(({ isCheck }) => !isCheck));
  const counts = plans.map((plan) => plan.length);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  for (const { id } of study.pairs) {
    expect(plans.filter((plan) => plan.some(({ pair }) => pair.id === id)).length).toBe(judgesPerPair);
  }
});
