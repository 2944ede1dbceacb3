/** How far a session was cut back, and when: what tells whether a mark in it still holds. */
export class Cuts {
  /** How many there were. */
  count = 0;
  /** The deepest cut since each time: ever later, ever less deep. */
  readonly #deepest: { readonly at: number; readonly nTokens: number }[] = [];

  /** The session was cut back to its first `nTokens`. */
  add(nTokens: number): void {
    while ((this.#deepest.at(-1)?.nTokens ?? -1) >= nTokens) this.#deepest.pop();
    this.#deepest.push({ at: ++this.count, nTokens });
  }

  /** The fewest tokens it was cut back to after the first `count` cuts. */
  deepestSince(count: number): number {
    return this.#deepest.find(({ at }) => at > count)?.nTokens ?? Infinity;
  }
}
