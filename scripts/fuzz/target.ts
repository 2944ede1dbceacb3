import type { Dice } from './dice.js';

/** A parser of foreign bytes under test. */
export interface FuzzTarget {
  readonly name: string;
  /** What every case of a run shares: sound files to be changed. */
  readonly prepare: () => Promise<FuzzCases>;
}

/**
 * Makes one case from the dice, which are the same for the same seed, and gives it to the parser. Returns how it ended in
 * a few words; throws for whatever is no typed error.
 */
export type FuzzCases = (dice: Dice) => Promise<string>;
