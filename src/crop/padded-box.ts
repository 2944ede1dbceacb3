import {
  boxArea,
  boxCentre,
  boxOfSize,
  contains,
  unionOf,
  type Aspect,
  type Box,
  type Size,
} from '../base/geometry.js';
import { placeAround } from '../engines/constraints.js';
import { largestSizeOf } from './crop-rectangle.js';

/** What a box for a canvas is held to; pixels of the upright photo. */
export interface HeldIn {
  readonly photo: Size;
  readonly aspect: Aspect;
  /** Inside the box, whole. */
  readonly held: readonly Box[];
  /** Least area of the box, as a share of the photo's. */
  readonly minSize: number;
}

/** Whether some crop of the ratio has room for all of it. */
export function hasRoomFor({ photo, aspect, held }: Omit<HeldIn, 'minSize'>): boolean {
  const all = unionOf(held);
  const { width, height } = largestSizeOf(aspect, photo);
  return !all || (all[2] - all[0] <= width && all[3] - all[1] <= height);
}

/**
 * The box that is put on a canvas because no crop of the ratio does: as wide and high as the photo's largest crop of the
 * ratio, and longer the one way until it holds everything and has the least area, so that the canvas shows as little of itself
 * as can be.
 *
 * @param towards where the box lies as far as it is free to
 */
export function paddedBox({ photo, aspect, held, minSize }: HeldIn, towards: Box): Box {
  const all = unionOf(held);
  const largest = largestSizeOf(aspect, photo);
  const least = minSize * boxArea(boxOfSize(photo));
  const isTooNarrow = largest.width < photo.width;
  const size = isTooNarrow
    ? { width: longer(largest.width, all && all[2] - all[0], least / photo.height, photo.width), height: photo.height }
    : { width: photo.width, height: longer(largest.height, all && all[3] - all[1], least / photo.width, photo.height) };
  const centre = all && !contains(towards, all) ? boxCentre(all) : boxCentre(towards);
  return placeAround(size, centre, photo, all);
}

function longer(ofRatio: number, ofHeld: number | undefined, ofArea: number, most: number): number {
  return Math.min(most, Math.max(ofRatio, ofHeld ?? 0, Math.ceil(ofArea - 1e-9)));
}
