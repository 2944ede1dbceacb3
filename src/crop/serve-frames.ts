import { boxOfRect, boxOfSize, rectOfBox, unionOf, type Box } from '../base/geometry.js';
import type { CropRect } from '../base/schema.js';
import type { Photo } from '../photo/decode.js';
import { cropRectangle } from './crop-rectangle.js';
import { isImpossible, type SettledTarget } from './wishes.js';

/**
 * One rectangle for all frames of an animation, of the crops that single frames would have: the smallest that holds them
 * all, so that nothing a frame's crop shows is ever cut. Where the target's ratio has no room for that, the one that has
 * most in common with it.
 *
 * @param crops at least one, each of which meets the target
 */
export function rectangleForAll(crops: readonly CropRect[], photo: Photo, settled: SettledTarget): CropRect {
  const all: Box = unionOf(crops.map(boxOfRect)) ?? boxOfSize(photo);
  const { aspect } = settled.target;
  if (!aspect) return rectOfBox(all);
  const { minSize, keep } = settled;
  const request = { photo, box: all, aspect, minSize, name: photo.name };
  try {
    return cropRectangle({ ...request, keep: [all] });
  } catch (thrown) {
    if (!isImpossible(thrown)) throw thrown;
    return cropRectangle({ ...request, keep });
  }
}
