import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Timings } from '../../src/base/timings.js';

test('a step timed twice adds up, within one and across two', async () => {
  const shared = new Timings();
  const own = new Timings();
  await shared.measure('propose', () => wait(20));
  await shared.measure('propose', () => wait(20));
  await shared.measure('analyse', () => wait(1));
  const before = shared.with(new Timings()).propose!;
  expect(before).toBeGreaterThan(38);
  await own.measure('propose', () => wait(10));
  const both = shared.with(own);
  expect(Object.keys(both)).toEqual(['propose', 'analyse']);
  expect(both.propose).toBeGreaterThan(before + 9);
});
