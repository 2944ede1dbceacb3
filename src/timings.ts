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

  /** These and the steps `others` measured. */
  with(others: Timings): Record<string, number> {
    return Object.fromEntries(
      [...this.#ms, ...others.#ms].map(([step, ms]) => [step, Math.round(ms * 100) / 100] as const),
    );
  }
}
