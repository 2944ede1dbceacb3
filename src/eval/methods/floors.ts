import { intersectionOverUnion, type Box } from '../../base/geometry.js';
import { CENTRE_SHARE } from '../../engines/centre.js';
import type { Method, PresentPhoto } from './types.js';

/** The whole photo. */
export function fullMethod(): Method {
  return cropOnly('full', 'full', ({ size }) => [0, 0, size.width, size.height]);
}

/**
 * The middle of the photo, `share` of each side. Unlike the engine of that name it is not rounded to pixels: published
 * floors are not, and label space need not be the photo's pixels.
 */
export function centreMethod(share = CENTRE_SHARE): Method {
  return cropOnly('centre', `centre ${share}`, ({ size: { width, height } }) => [
    (width * (1 - share)) / 2,
    (height * (1 - share)) / 2,
    (width * (1 + share)) / 2,
    (height * (1 + share)) / 2,
  ]);
}

function cropOnly(name: string, key: string, boxFor: (photo: PresentPhoto) => Box): Method {
  return {
    name,
    key,
    needsPixels: false,
    crop: (photo) => Promise.resolve([boxFor(photo)]),
    rank: (photo, boxes) => Promise.resolve(overlapScores(boxFor(photo), boxes)),
  };
}

/** How a method that only crops orders given boxes: by their IoU with its own crop. */
export function overlapScores(crop: Box, boxes: readonly Box[]): number[] {
  return boxes.map((box) => intersectionOverUnion(crop, box));
}
