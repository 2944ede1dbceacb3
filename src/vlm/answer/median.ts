import type { OptionSet } from './option-walk.js';

/** Log-probability of the last token of each sequence, all from here. */
export type LastLogProbs = (sequences: readonly Int32Array[]) => Promise<readonly number[]>;

/**
 * Beginnings this much less probable than the likeliest of them wait for another look, which mostly finds them far from the
 * median. Changes how much is computed, never what comes of it.
 */
const WORTH_A_LOOK = 0.1;

/** Options that begin alike. */
interface Group {
  readonly prefix: readonly number[];
  /** Ascending. */
  readonly options: readonly number[];
  /** Probability that the answer goes on with one of them. */
  readonly mass: number;
}

/**
 * The median of what would be drawn: the least value whose probability together with that of all below it is one half or
 * more. Probabilities are those of a draw at temperature 1, token after token, each among those that the options leave.
 * Only beginnings whose options lie on both sides of where the median can still be are looked into, so that numbers that
 * are one token each take one look.
 *
 * @param valueOf of an option, ascending with the options; several may have the same
 */
export async function medianValue(
  options: OptionSet,
  valueOf: (option: number) => number,
  lastLogProbs: LastLogProbs,
): Promise<number> {
  let groups: readonly Group[] = [{ prefix: [], options: Array.from({ length: options.count }, (_, i) => i), mass: 1 }];
  for (;;) {
    const spans = groups.map((group) => spanOf(group, valueOf));
    const least = leastValue(spans.map(({ first, mass }) => ({ value: first, mass })));
    const most = leastValue(spans.map(({ last, mass }) => ({ value: last, mass })));
    const isOpen = spans.map(({ first, last, mass }) => mass > 0 && first < last && first <= most && last >= least);
    if (least >= most || !isOpen.includes(true)) return most;
    const greatest = Math.max(...spans.map(({ mass }, i) => (isOpen[i] ? mass : 0)));
    const isSplit = spans.map(({ mass }, i) => isOpen[i]! && mass >= WORTH_A_LOOK * greatest);
    const parted = await split(
      groups.filter((_, i) => isSplit[i]),
      options,
      lastLogProbs,
    );
    groups = [...groups.filter((_, i) => !isSplit[i]), ...parted];
  }
}

interface Span {
  readonly first: number;
  readonly last: number;
  readonly mass: number;
}

function spanOf({ options, mass }: Group, valueOf: (option: number) => number): Span {
  return { first: valueOf(options[0]!), last: valueOf(options.at(-1)!), mass };
}

/** The least value that half of all mass lies at or below. */
function leastValue(masses: readonly { readonly value: number; readonly mass: number }[]): number {
  const sorted = [...masses].sort((a, b) => a.value - b.value);
  const half = sorted.reduce((sum, { mass }) => sum + mass, 0) / 2;
  let sum = 0;
  return (sorted.find(({ mass }) => (sum += mass) >= half) ?? sorted.at(-1)!).value;
}

/** Each group by the next token that its options do not share. */
async function split(
  groups: readonly Group[],
  options: OptionSet,
  lastLogProbs: LastLogProbs,
): Promise<readonly Group[]> {
  const parted = groups.map((group) => parts(group, options));
  const logProbs = await lastLogProbs(parted.flat().map(({ prefix }) => Int32Array.from(prefix)));
  let at = 0;
  return parted.flatMap((children, i) => {
    const ofChildren = logProbs.slice(at, (at += children.length));
    const greatest = Math.max(...ofChildren);
    const weights = ofChildren.map((logProb) => Math.exp(logProb - greatest));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return children.map((child, c) => ({ ...child, mass: (groups[i]!.mass * weights[c]!) / total }));
  });
}

function parts({ prefix, options: members }: Group, options: OptionSet): Omit<Group, 'mass'>[] {
  for (const shared = [...prefix]; ;) {
    const byToken = new Map<number, number[]>();
    for (const option of members) {
      const token = options.tokenAt(option, shared.length)!;
      const alike = byToken.get(token);
      if (alike) alike.push(option);
      else byToken.set(token, [option]);
    }
    if (byToken.size > 1) return [...byToken].map(([token, alike]) => ({ prefix: [...shared, token], options: alike }));
    shared.push(...byToken.keys());
  }
}
