import { unionOf } from '../base/geometry.js';
import { allows, impossible, largestOfAspect, placeAround } from './constraints.js';
import type { EngineOptions, EngineProposal, Raster } from './types.js';

/** The whole photo, or the largest centred box of the asked aspect. One candidate. */
export function full({ size }: Raster, options: EngineOptions): EngineProposal {
  const boxSize = options.aspect === undefined ? size : largestOfAspect(options.aspect, size);
  const box = placeAround(boxSize, [size.width / 2, size.height / 2], size, unionOf(options.keep ?? []));
  if (!allows(box, size, options)) throw impossible(size, options);
  const why = options.aspect === undefined ? 'the whole photo' : 'as much of the photo as the aspect ratio leaves';
  return { elements: [], candidates: [{ box, score: 1, why }], best: 0 };
}
