import { describe, expect, test } from 'vitest';
import { judgeCases, type CaseReport } from '../../scripts/fuzz/cases.js';
import { FUZZ_TARGETS } from '../../scripts/fuzz/targets/index.js';

/** What `npm run fuzz` does, in small and in this process. */
const N_CASES = 60;

type Ended = Exclude<CaseReport, { begun: true }>;

describe('changed files end in a result or a typed error', () => {
  test.each(FUZZ_TARGETS)('$name', async (target) => {
    const ended: Ended[] = [];
    const seeds = Array.from({ length: N_CASES }, (_, seed) => seed);
    await judgeCases(target, seeds, (report) => {
      if (!('begun' in report)) ended.push(report);
    });
    expect(ended.flatMap(({ seed, error }) => (error === undefined ? [] : [`${seed}: ${error}`]))).toEqual([]);
    expect(ended).toHaveLength(N_CASES);
    // Changes that no parser let through would test nothing behind it.
    expect(ended.filter(({ outcome }) => !/^[A-Z_]+$/.test(outcome)).length).toBeGreaterThan(N_CASES / 12);
  });

  test('an untyped error is told as one', async () => {
    const reports: CaseReport[] = [];
    const broken = {
      name: 'broken',
      prepare: () => Promise.resolve(() => Promise.reject(new TypeError('of undefined'))),
    };
    await judgeCases(broken, [7], (report) => reports.push(report));
    expect(reports[1]).toMatchObject({
      seed: 7,
      outcome: 'untyped',
      error: expect.stringContaining('TypeError') as string,
    });
  });
});
