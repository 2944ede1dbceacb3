import { FramewrightError } from '../../base/errors.js';

/** Ways to go on, each a sequence of tokens; none is the beginning of another. */
export interface OptionSet {
  readonly count: number;
  /** The `depth`-th token of option `index`, undefined past its end. */
  tokenAt(index: number, depth: number): number | undefined;
}

export interface WalkActions {
  /** A token that is certain: forced, or just decided. */
  emit(token: number): void;
  /**
   * Decides between the tokens that can come next (two or more), the `depth`-th of each option left; returns an index
   * into `choices`.
   */
  decide(choices: Int32Array, depth: number): number | Promise<number>;
}

/**
 * Walks the token tree of the options from its root to one leaf: tokens all options left share are forced, a decision is
 * asked for only where they part. Returns the index of the option arrived at.
 */
export async function walkOptions(options: OptionSet, actions: WalkActions): Promise<number> {
  let alive: number[] = [];
  for (let index = 0; index < options.count; index++) alive.push(index);
  if (alive.length === 0) throw new FramewrightError('INTERNAL', 'an answer field without a single allowed value');
  for (let depth = 0; ; depth++) {
    const seen = new Set<number>();
    const distinct = new Int32Array(alive.length);
    for (const index of alive) {
      const token = options.tokenAt(index, depth);
      if (token === undefined) {
        if (alive.length === 1) return index;
        throw new FramewrightError('INTERNAL', 'an answer option is the beginning of another');
      }
      distinct[seen.size] = token; // taken back by the next one where it is not new
      seen.add(token);
    }
    const tokens = distinct.subarray(0, seen.size);
    const chosen = tokens.length === 1 ? tokens[0]! : tokens[await actions.decide(tokens, depth)]!;
    actions.emit(chosen);
    if (tokens.length > 1) alive = alive.filter((index) => options.tokenAt(index, depth) === chosen);
  }
}
