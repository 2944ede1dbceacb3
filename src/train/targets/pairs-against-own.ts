import { intersectionOverUnion, type Box } from '../../base/geometry.js';
import type { OwnAnswer, PreferredPair } from '../sources/types.js';

/** A person's crop that overlaps the model's own by this much agrees with it. */
export const AGREED_IOU = 0.9;

/**
 * A chosen crop against the one the model would have made, and then against its other candidates; none where both agree.
 */
export function pairsAgainstOwn(chosen: Box, own: OwnAnswer): PreferredPair[] {
  const best = own.candidates[own.best]!;
  const others = own.candidates.filter((_, i) => i !== own.best);
  const isOther = (candidate: Box): boolean => intersectionOverUnion(candidate, chosen) < AGREED_IOU;
  return (isOther(best) ? [best, ...others.filter(isOther)] : []).map((rejected) => ({ chosen, rejected }));
}
