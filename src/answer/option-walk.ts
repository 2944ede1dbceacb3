import { FramewrightError } from '../errors.js';

/** Ways to go on, each a sequence of tokens; none is the beginning of another. */
export interface OptionSet {
  readonly count: number;
  /** The `depth`-th token of option `index`, undefined past its end. */
  tokenAt(index: number, depth: number): number | undefined;
}

export interface WalkActions {
  /** A token that is certain: forced, or just decided. */
  emit(token: number): void;
  /** Decides between the tokens that can come next (two or more); returns an index into `choices`. */
  decide(choices: Int32Array, optionsOf: (choice: number) => readonly number[]): number | Promise<number>;
}

/**
 * Walks the token tree of the options from its root to one leaf: tokens all options left share are forced, a decision is
 * asked for only where they part. Returns the index of the option arrived at.
 */
export async function walkOptions(options: OptionSet, actions: WalkActions): Promise<number> {
  let alive: number[] = Array.from({ length: options.count }, (_, index) => index);
  if (alive.length === 0) throw new FramewrightError('INTERNAL', 'an answer field without a single allowed value');
  for (let depth = 0; ; depth++) {
    const branches = new Map<number, number[]>();
    for (const index of alive) {
      const token = options.tokenAt(index, depth);
      if (token === undefined) {
        if (alive.length === 1) return index;
        throw new FramewrightError('INTERNAL', 'an answer option is the beginning of another');
      }
      const branch = branches.get(token);
      if (branch) branch.push(index);
      else branches.set(token, [index]);
    }
    const choices = [...branches.keys()];
    const chosen =
      choices.length === 1
        ? choices[0]!
        : choices[await actions.decide(Int32Array.from(choices), (choice) => branches.get(choices[choice]!)!)]!;
    actions.emit(chosen);
    alive = branches.get(chosen)!;
  }
}
