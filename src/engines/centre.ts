import { unionOf } from '../base/geometry.js';
import { allows, impossible, largestOfAspect, placeAround } from './constraints.js';
import type { EngineOptions, EngineProposal, Raster } from './types.js';

/** Share of each side that stays: the floor crop papers compare against. */
const CENTRE_SHARE = 0.9;

/**
 * The middle 0.90 of each side, in the photo's aspect or the asked one; larger where keep boxes or the least area ask
 * for it. One candidate.
 */
export function centre({ size }: Raster, options: EngineOptions): EngineProposal {
  const keep = unionOf(options.keep ?? []);
  const middle = [size.width / 2, size.height / 2] as const;
  for (const share of [CENTRE_SHARE, 0.92, 0.94, 0.96, 0.98, 1]) {
    const bounds = {
      width: Math.max(1, Math.round(share * size.width)),
      height: Math.max(1, Math.round(share * size.height)),
    };
    const boxSize = options.aspect === undefined ? bounds : largestOfAspect(options.aspect, bounds);
    const box = placeAround(boxSize, middle, size, keep);
    if (allows(box, size, options)) {
      return {
        elements: [],
        candidates: [{ box, score: 1, why: 'the middle of the photo, its edges trimmed' }],
        best: 0,
      };
    }
  }
  throw impossible(size, options);
}
