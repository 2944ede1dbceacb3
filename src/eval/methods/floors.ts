import { intersectionOverUnion, type Box } from '../../base/geometry.js';
import { CENTRE_SHARE } from '../../engines/centre.js';
import { RATIOS, windowOf, type Ratio } from '../ratio-window.js';
import type { Method, PresentPhoto } from './types.js';

/** The whole photo; of a ratio, the largest crop in its middle. */
export function fullMethod(): Method {
  return centred('full', 'full', 1);
}

/**
 * The middle of the photo, `share` of each side. Unlike the engine of that name it is not rounded to pixels: published
 * floors are not, and label space need not be the photo's pixels.
 */
export function centreMethod(share = CENTRE_SHARE): Method {
  return centred('centre', `centre ${share}`, share);
}

/** The middle of the photo, or of its largest crop of a ratio: `share` of each side. */
function centred(name: string, key: string, share: number): Method {
  return cropOnly(name, key, ({ size }, aspect) => {
    const window = aspect ? windowOf(size, RATIOS[aspect]) : { width: 1, height: 1 };
    const [x, y] = [window.width * share, window.height * share];
    const { width, height } = size;
    return [(width * (1 - x)) / 2, (height * (1 - y)) / 2, (width * (1 + x)) / 2, (height * (1 + y)) / 2];
  });
}

function cropOnly(name: string, key: string, boxFor: (photo: PresentPhoto, aspect?: Ratio) => Box): Method {
  return {
    name,
    key,
    needsPixels: false,
    crop: (photo, { aspect }) => Promise.resolve([boxFor(photo, aspect)]),
    rank: (photo, boxes) => Promise.resolve(overlapScores(boxFor(photo), boxes)),
  };
}

/** How a method that only crops orders given boxes: by their IoU with its own crop. */
export function overlapScores(crop: Box, boxes: readonly Box[]): number[] {
  return boxes.map((box) => intersectionOverUnion(crop, box));
}
