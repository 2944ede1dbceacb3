import { krippendorffAlpha } from '../../base/agreement.js';
import {
  bootstrapSamples,
  percentileInterval,
  preferenceRate,
  wilsonInterval,
  type Interval,
} from '../../base/intervals.js';
import { planFor } from './judge-plan.js';
import type { Judgement } from './judgement-log.js';
import { preferenceOf, type Pair, type Preference } from './pairs.js';
import type { Study } from './study-file.js';

/** Figures that cannot be told yet are null. */
export interface Rate {
  /** Of those that prefer one. */
  readonly rate: number | null;
  /** Wilson's 95 % interval. */
  readonly low: number | null;
  readonly high: number | null;
}

/** How often a method was preferred to another; `rate` is that of `a`. */
export interface Comparison {
  readonly a: string;
  readonly b: string;
  readonly judgements: Votes & Rate;
  /**
   * Of the same rate, a 95 % interval from samples of photos (percentile bootstrap): what judges say of one photo hangs
   * together, which Wilson's interval does not know. Null for fewer than two photos.
   */
  readonly overPhotos: Interval | null;
  /** By pair, what most of its judges say. Another question than what one judge says: the majority of many sways further. */
  readonly pairs: Votes & Rate;
}

export interface Votes {
  readonly a: number;
  readonly b: number;
  readonly ties: number;
}

export interface JudgeFigures {
  /** From 0. */
  readonly judge: number;
  readonly nDone: number;
  readonly nTotal: number;
  readonly nChecks: number;
  readonly nChecksFailed: number;
  /** Failed more attention checks than the study allows. */
  readonly hasFailed: boolean;
  /** Of their judgements, in milliseconds. */
  readonly medianMs: number | null;
}

export interface StudyResults {
  readonly nJudgements: number;
  readonly nTotal: number;
  readonly comparisons: readonly Comparison[];
  /** Krippendorff's alpha over the pairs, of the answers a, b and tie. */
  readonly alpha: number | null;
  /** How often the left crop was preferred, whichever it was: .5 where sides do not matter. */
  readonly left: Rate & { readonly n: number };
  readonly judges: readonly JudgeFigures[];
  /** Judges that the figures leave out. */
  readonly leftOut: readonly number[];
}

/** A judgement with what it is about. */
export interface KnownJudgement extends Judgement {
  readonly of: Pair;
  readonly isCheck: boolean;
  readonly isALeft: boolean;
  readonly preference: Preference;
}

/** Judgements about what the study holds; those of an earlier version of it are passed over. */
export function knownJudgements(study: Study, judgements: readonly Judgement[]): KnownJudgement[] {
  const checks = new Map(study.checks.map((pair) => [pair.id, pair]));
  const pairs = new Map(study.pairs.map((pair) => [pair.id, pair]));
  return judgements.flatMap((each) => {
    const check = checks.get(each.pair);
    const of = check ?? pairs.get(each.pair);
    if (!of || each.judge >= study.judges) return [];
    const isALeft = each.left === of.a.method;
    return [{ ...each, of, isALeft, isCheck: check !== undefined, preference: preferenceOf(each.answer, isALeft) }];
  });
}

/** @param withoutFailed leaves out judges that failed their attention checks */
export function resultsOf(
  study: Study,
  judgements: readonly Judgement[],
  { withoutFailed = false }: { readonly withoutFailed?: boolean } = {},
): StudyResults {
  const known = knownJudgements(study, judgements);
  const judges = Array.from({ length: study.judges }, (_, judge) => judgeFigures(study, judge, known));
  const leftOut = withoutFailed ? judges.filter(({ hasFailed }) => hasFailed).map(({ judge }) => judge) : [];
  const counted = known.filter(({ judge, isCheck }) => !isCheck && !leftOut.includes(judge));
  const byPair = groupedBy(counted, ({ pair }) => pair);
  const sided = counted.filter(({ answer }) => answer !== 'tie');
  const nLeft = sided.filter(({ answer }) => answer === 'left').length;
  return {
    nJudgements: known.length,
    nTotal: judges.reduce((sum, { nTotal }) => sum + nTotal, 0),
    comparisons: comparisonsOf(study, counted, byPair),
    alpha: krippendorffAlpha([...byPair.values()].map((each) => each.map(({ preference }) => preference))),
    left: { n: sided.length, ...rateOf(nLeft, sided.length - nLeft) },
    judges,
    leftOut,
  };
}

/** What most of a pair's judges prefer; a tie where as many prefer either, or most say so. */
export function majorityOf(judgements: readonly KnownJudgement[]): Preference {
  const { a, b, ties } = votesOf(judgements.map(({ preference }) => preference));
  if (a === b || ties > Math.max(a, b)) return 'tie';
  return a > b ? 'a' : 'b';
}

function comparisonsOf(
  study: Study,
  counted: readonly KnownJudgement[],
  byPair: ReadonlyMap<string, readonly KnownJudgement[]>,
): Comparison[] {
  const methodsOf = ({ a, b }: Pair): string => JSON.stringify([a.method, b.method]);
  const votes = groupedBy(counted, ({ of }) => methodsOf(of));
  const majorities = groupedBy(
    [...byPair.values()].map((each) => ({ of: each[0]!.of, preference: majorityOf(each) })),
    ({ of }) => methodsOf(of),
  );
  return [...groupedBy(study.pairs, methodsOf)].map(([key, [pair]]) => ({
    a: pair!.a.method,
    b: pair!.b.method,
    judgements: withRate((votes.get(key) ?? []).map(({ preference }) => preference)),
    overPhotos: intervalOverPhotos(votes.get(key) ?? []),
    pairs: withRate((majorities.get(key) ?? []).map(({ preference }) => preference)),
  }));
}

function intervalOverPhotos(judgements: readonly KnownJudgement[]): Interval | null {
  const sided = judgements.filter(({ preference }) => preference !== 'tie');
  const rows = [...groupedBy(sided, ({ of }) => of.path).values()].map((each) => {
    const { a, b } = votesOf(each.map(({ preference }) => preference));
    return [a, b];
  });
  if (rows.length < 2) return null;
  const [samples] = bootstrapSamples(rows, [([a, b]) => a! / (a! + b!)]);
  return percentileInterval(samples!);
}

function judgeFigures(study: Study, judge: number, known: readonly KnownJudgement[]): JudgeFigures {
  const plan = planFor(study, judge);
  const own = known.filter((each) => each.judge === judge);
  const checks = own.filter(({ isCheck }) => isCheck);
  const nChecksFailed = checks.filter(({ preference }) => preference !== 'a').length;
  return {
    judge,
    nDone: own.length,
    nTotal: plan.length,
    nChecks: checks.length,
    nChecksFailed,
    hasFailed: nChecksFailed > study.maxFailedChecks,
    medianMs: medianOf(own.map(({ tookMs }) => tookMs)),
  };
}

function votesOf(preferences: readonly Preference[]): Votes {
  const count = (wanted: Preference): number => preferences.filter((each) => each === wanted).length;
  return { a: count('a'), b: count('b'), ties: count('tie') };
}

function withRate(preferences: readonly Preference[]): Votes & Rate {
  const votes = votesOf(preferences);
  return { ...votes, ...rateOf(votes.a, votes.b) };
}

function rateOf(wins: number, losses: number): Rate {
  if (wins + losses === 0) return { rate: null, low: null, high: null };
  return { rate: preferenceRate(wins, losses).rate, ...wilsonInterval(wins, wins + losses) };
}

function medianOf(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return null;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function groupedBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
