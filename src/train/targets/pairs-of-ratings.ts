import type { Box } from '../../base/geometry.js';
import { shuffled, type Lots } from '../lots.js';
import type { PreferredPair, RatedBox } from '../sources/types.js';

/** Which pairs: those whose ratings are near, far apart, or any. */
export const HARDNESSES = ['easy', 'mixed', 'hard'] as const;
export type Hardness = (typeof HARDNESSES)[number];

export interface PairOptions {
  /** Ratings of a pair differ by at least this much, and by more than nothing. */
  readonly gap: number;
  readonly hardness: Hardness;
  readonly count: number;
}

/** Of all pairs that may be drawn, by gap, how many of the nearest or farthest ones count as hard or easy. */
const PART = 1 / 3;

/**
 * Draws pairs of a photo's rated crops: what is chosen is in the better half of those people made, what is rejected worse
 * by the gap. No chosen crop comes again while there are others.
 */
export function pairsOfRatings(crops: readonly RatedBox[], options: PairOptions, lots: Lots): PreferredPair[] {
  const { gap, hardness, count } = options;
  const people = crops.filter(({ isDrawn }) => !isDrawn).map(({ rating }) => rating);
  if (people.length === 0) return [];
  const median = [...people].sort((a, b) => a - b)[people.length >> 1]!;
  const all = crops
    .filter(({ rating, isDrawn }) => !isDrawn && rating >= median)
    .flatMap((chosen) =>
      crops
        .filter(({ rating }) => rating < chosen.rating && chosen.rating - rating >= gap)
        .map((rejected) => ({ chosen, rejected, by: chosen.rating - rejected.rating })),
    )
    .sort((a, b) => a.by - b.by);
  const nPart = Math.max(count, Math.ceil(all.length * PART));
  const part = hardness === 'hard' ? all.slice(0, nPart) : hardness === 'easy' ? all.slice(-nPart) : all;
  const timesChosen = new Map<Box, number>();
  const drawn: PreferredPair[] = [];
  const left = shuffled(part, lots);
  while (drawn.length < count && left.length > 0) {
    const fewest = Math.min(...left.map(({ chosen }) => timesChosen.get(chosen.box) ?? 0));
    const at = left.findIndex(({ chosen }) => (timesChosen.get(chosen.box) ?? 0) === fewest);
    const [{ chosen, rejected }] = left.splice(at, 1) as [(typeof left)[number]];
    timesChosen.set(chosen.box, fewest + 1);
    drawn.push({ chosen: chosen.box, rejected: rejected.box });
  }
  return drawn;
}
