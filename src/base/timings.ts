/** Wall time of named steps, in milliseconds with two decimals; a step timed twice adds up. */
export class Timings {
  readonly #ms = new Map<string, number>();

  async measure<T>(step: string, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#ms.set(step, (this.#ms.get(step) ?? 0) + performance.now() - start);
    }
  }

  /** These and the steps `others` measured; one that both did is their sum. */
  with(others: Timings): Record<string, number> {
    const sums = new Map(this.#ms);
    for (const [step, ms] of others.#ms) sums.set(step, (sums.get(step) ?? 0) + ms);
    return Object.fromEntries([...sums].map(([step, ms]) => [step, Math.round(ms * 100) / 100] as const));
  }
}
