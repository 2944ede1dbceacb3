import { lotsFor, shuffled } from '../../train/lots.js';
import type { Pair } from './pairs.js';
import type { Study } from './study-file.js';

/** A pair as one judge sees it. */
export interface ShownPair {
  readonly pair: Pair;
  /** Whether `pair.a` is on the left. */
  readonly isALeft: boolean;
  /** An attention check; the judge is not told. */
  readonly isCheck: boolean;
}

/**
 * What a judge is shown, in the judge's own order. Where all judge all pairs, each of two methods is as often on the left as
 * the other (to one): for each judge, and for each pair over any two judges that follow each other. Otherwise lots decide.
 * Checks are spread evenly.
 *
 * @param judge from 0
 */
export function planFor(study: Study, judge: number): ShownPair[] {
  const { seed, checks } = study;
  const isALeft = sidesFor(study, judge);
  const order = shuffled(pairsOf(study, judge), lotsFor(seed, `order ${judge}`));
  const shown = order.map((pair) => ({ pair, isCheck: false, isALeft: isALeft.get(pair.id)! }));
  const lots = lotsFor(seed, `checks ${judge}`);
  const checked = shuffled(checks, lots).map((pair) => ({ pair, isCheck: true, isALeft: lots() < 0.5 }));
  // Somewhere in the first, second, ... of as many equal parts.
  return checked.reduceRight<ShownPair[]>((all, check, i) => {
    const at = Math.round(((i + lots()) * shown.length) / checked.length);
    return [...all.slice(0, at), check, ...all.slice(at)];
  }, shown);
}

/** Each pair has its number of judges, and each judge as many pairs as the others, to one. */
function pairsOf({ seed, pairs, judges, judgesPerPair }: Study, judge: number): Pair[] {
  return shuffled(pairs, lotsFor(seed, 'judges of pairs')).filter((_, place) => {
    const first = (place * judgesPerPair) % judges;
    return (judge - first + judges) % judges < judgesPerPair;
  });
}

/** By the id of each pair. Two judges share their lots, and see opposite sides. */
function sidesFor({ seed, pairs }: Study, judge: number): Map<string, boolean> {
  const byMethods = new Map<string, Pair[]>();
  for (const pair of pairs) {
    const key = JSON.stringify([pair.a.method, pair.b.method]);
    byMethods.set(key, [...(byMethods.get(key) ?? []), pair]);
  }
  const sides = new Map<string, boolean>();
  for (const [key, of] of byMethods) {
    const lots = lotsFor(seed, `sides ${judge >> 1} ${key}`);
    const first = (lots() < 0.5 ? 0 : 1) + (judge % 2);
    shuffled(of, lots).forEach(({ id }, i) => sides.set(id, (i + first) % 2 === 0));
  }
  return sides;
}
