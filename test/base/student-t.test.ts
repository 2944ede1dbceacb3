import { expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { meanInterval, tQuantile } from '../../src/base/student-t.js';

test("Student's t is that of the tables", () => {
  // Two-sided 95 %: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
  const table = {
    1: 12.706,
    2: 4.303,
    3: 3.182,
    4: 2.776,
    5: 2.571,
    10: 2.228,
    14: 2.145,
    29: 2.045,
    59: 2.001,
    100: 1.984,
  };
  for (const [nDegrees, t] of Object.entries(table)) expect(tQuantile(Number(nDegrees))).toBeCloseTo(t, 3);
});

test('the interval holds the mean that values are drawn around 95 times of 100, also of ten values', () => {
  const random = seededRandom(5);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  let nHeld = 0;
  for (let i = 0; i < 4000; i++) {
    const { low, high } = meanInterval(Array.from({ length: 10 }, () => 0.3 + 0.1 * normal()));
    if (low <= 0.3 && 0.3 <= high) nHeld++;
  }
  expect(nHeld / 4000).toBeGreaterThan(0.94);
  expect(nHeld / 4000).toBeLessThan(0.96);
});

test('one value tells nothing of the mean, and equal ones leave no doubt', () => {
  expect(meanInterval([0.2])).toEqual({ low: -Infinity, high: Infinity });
  expect(meanInterval([0.5, 0.5, 0.5])).toEqual({ low: 0.5, high: 0.5 });
});
