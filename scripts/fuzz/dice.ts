import { seededWords } from '../../gguf/random.js';

/** Repeatable random choices. */
export interface Dice {
  /** A whole number from 0 to below `count`. */
  int(count: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
}

export function diceOf(seed: string): Dice {
  const next = seededWords(seed);
  const int = (count: number): number => Math.floor((next() / 2 ** 32) * count);
  return {
    int,
    chance: (probability) => next() / 2 ** 32 < probability,
    pick: (items) => items[int(items.length)]!,
  };
}
