import { createHash } from 'node:crypto';
import { seededRandom } from '../base/random.js';

/** Draws lots: uniform in [0, 1), the same for the same seed and name whatever was drawn for others. */
export type Lots = () => number;

export function lotsFor(seed: number, name: string): Lots {
  return seededRandom(createHash('sha256').update(`${seed} ${name}`).digest().readUInt32LE());
}

/** A copy in an order drawn by lot (Fisher and Yates). */
export function shuffled<T>(items: readonly T[], lots: Lots): T[] {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(lots() * (i + 1));
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}

/** A whole number from `least` to `most`. */
export function wholeBetween(least: number, most: number, lots: Lots): number {
  return least + Math.floor(lots() * (most - least + 1));
}
