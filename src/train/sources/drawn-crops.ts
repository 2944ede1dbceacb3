import { contains, intersectionOverUnion, type Box, type Size } from '../../base/geometry.js';
import { wholeBetween, type Lots } from '../lots.js';
import type { PreferredPair, RatedBox } from './types.js';

/** Sides of a crop drawn blindly, as shares of the photo's. */
const DRAWN_SIDES = { least: 0.5, most: 0.95 } as const;
/** What a cut leaves of the subject at most, of the side that is cut. */
const CUT_LEAVES = 0.75;
const MOST_ATTEMPTS = 40;

/** A crop of any place and shape. */
export function blindBox({ width, height }: Size, lots: Lots): Box {
  const share = (): number => DRAWN_SIDES.least + lots() * (DRAWN_SIDES.most - DRAWN_SIDES.least);
  const [w, h] = [Math.round(width * share()), Math.round(height * share())];
  const [x, y] = [wholeBetween(0, width - w, lots), wholeBetween(0, height - h, lots)];
  return [x, y, x + w, y + h];
}

/** People's crops rated by how far they agree with each other's, and `count` blindly drawn ones by the same measure. */
export function ratedByAgreement(people: readonly Box[], size: Size, count: number, lots: Lots): RatedBox[] {
  const agreement = (box: Box): number =>
    people.reduce((sum, other) => sum + intersectionOverUnion(box, other), 0) / people.length;
  return [
    ...people.map((box): RatedBox => ({ box, rating: agreement(box) })),
    ...Array.from({ length: count }, (): RatedBox => {
      const box = blindBox(size, lots);
      return { box, rating: agreement(box), isDrawn: true };
    }),
  ];
}

/** Crops that hold the subject whole, each against one of the same size that cuts it. */
export function wholeAgainstCut(subject: Box, size: Size, count: number, lots: Lots): PreferredPair[] {
  const pairs: PreferredPair[] = [];
  for (let attempt = 0; attempt < MOST_ATTEMPTS * count && pairs.length < count; attempt++) {
    const chosen = blindBox(size, lots);
    if (!contains(chosen, subject)) continue;
    const [w, h] = [chosen[2] - chosen[0], chosen[3] - chosen[1]];
    const [x, y] = [wholeBetween(0, size.width - w, lots), wholeBetween(0, size.height - h, lots)];
    const rejected: Box = [x, y, x + w, y + h];
    if (leftOf(subject, rejected) <= CUT_LEAVES) pairs.push({ chosen, rejected });
  }
  return pairs;
}

/** The share of the subject's sides that a crop leaves; 0 where it misses it. */
function leftOf(subject: Box, crop: Box): number {
  const side = (low: 0 | 1, high: 2 | 3): number =>
    Math.max(0, Math.min(subject[high], crop[high]) - Math.max(subject[low], crop[low])) /
    (subject[high] - subject[low]);
  return Math.min(side(0, 2), side(1, 3));
}
