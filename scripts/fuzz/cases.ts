import { diceOf } from './dice.js';
import type { FuzzTarget } from './target.js';

/** What a child says of a case: that it begins, and how it ended, with the processor's time it took. */
export type CaseReport =
  | { readonly seed: number; readonly begun: true }
  | {
      readonly seed: number;
      readonly outcome: string;
      readonly ms: number;
      readonly rssBytes: number;
      readonly error?: string;
    };

/** Judges cases of one target, one after the other in this process. */
export async function judgeCases(
  target: FuzzTarget,
  seeds: readonly number[],
  report: (report: CaseReport) => void,
): Promise<void> {
  const judge = await target.prepare();
  for (const seed of seeds) {
    report({ seed, begun: true });
    const before = process.cpuUsage();
    const ended = await judge(diceOf(`${target.name} ${seed}`)).then(
      (outcome) => ({ outcome }),
      (thrown: unknown) => ({
        outcome: 'untyped',
        error: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
      }),
    );
    const { user, system } = process.cpuUsage(before);
    report({ seed, ...ended, ms: (user + system) / 1000, rssBytes: process.memoryUsage().rss });
  }
}
