import { seededRandom } from '../../base/random.js';

/** Which items a step learns from: each epoch goes through all of them in an order of its own. */
export class Order {
  readonly #nItems: number;
  readonly #batchSize: number;
  readonly #seed: number;
  #epoch = -1;
  #shuffled: readonly number[] = [];

  constructor(nItems: number, batchSize: number, seed: number) {
    this.#nItems = nItems;
    this.#batchSize = batchSize;
    this.#seed = seed;
  }

  /** Depends on the step alone, so that a run that goes on goes on with the same. */
  batch(step: number): number[] {
    return Array.from({ length: this.#batchSize }, (_, i) => this.#at(step * this.#batchSize + i));
  }

  /** The items that so many steps learn from. */
  visited(nSteps: number): ReadonlySet<number> {
    const items = new Set<number>();
    for (let step = 0; step < nSteps && items.size < this.#nItems; step++) {
      for (const item of this.batch(step)) items.add(item);
    }
    return items;
  }

  #at(position: number): number {
    const epoch = Math.floor(position / this.#nItems);
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#shuffled = shuffled(this.#nItems, seededRandom((this.#seed + 1) * 0x9e3779b1 + epoch));
    }
    return this.#shuffled[position % this.#nItems]!;
  }
}

/** 0 to n - 1 in random order (Fisher and Yates). */
function shuffled(n: number, random: () => number): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
