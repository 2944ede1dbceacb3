import { boxArea, contains, type Box, type Size } from '../../base/geometry.js';
import type { Lots } from '../lots.js';
import type { TastePhoto } from './types.js';
import { wellRated } from './well-rated.js';

/** Of what a part shows, the crop takes this much at most: what it leaves out is what is to be learned. */
const MOST_CROPPED = 0.9;
/** What a crop takes of a part, where it takes more of the photo than it should of parts, over what it takes of the photo. */
const NEAR_WHOLE = 1.1;
const MOST_ATTEMPTS = 200;

/**
 * A part of the photo of any place and shape that holds every crop that people preferred, or rated within `gap` of the best:
 * who likes a crop best of the whole likes it best of what is left of the whole. In whole pixels of `space`; undefined
 * where these crops leave no room.
 *
 * @param mostCropped the share of a part that a crop takes at most; one that takes more of the photo itself, a little more
 *   than that
 */
export function drawPart(
  { crops, pairs }: TastePhoto,
  space: Size,
  gap: number,
  lots: Lots,
  mostCropped = MOST_CROPPED,
): Box | undefined {
  const liked = [...wellRated(crops, gap).map(({ box }) => box), ...pairs.map(({ chosen }) => chosen)];
  if (liked.length === 0) return undefined;
  const edge = (i: 0 | 1 | 2 | 3, of: (...values: number[]) => number): number => of(...liked.map((box) => box[i]));
  const [left, top] = [edge(0, Math.min), edge(1, Math.min)];
  const [right, bottom] = [edge(2, Math.max), edge(3, Math.max)];
  const largest = Math.max(...liked.map(boxArea));
  const limit = Math.min(MOST_CROPPED, Math.max(mostCropped, (NEAR_WHOLE * largest) / (space.width * space.height)));
  const trim = (room: number): number => Math.floor(room * lots());
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const part: Box = [
      trim(left),
      trim(top),
      space.width - trim(space.width - right),
      space.height - trim(space.height - bottom),
    ];
    const isWhole = boxArea(part) === space.width * space.height;
    if (!isWhole && largest <= limit * boxArea(part)) return part;
  }
  return undefined;
}

/** The labels of a part of the photo: crops inside it, and pairs of two such, in its own pixels. */
export function partOfPhoto(photo: TastePhoto, part: Box): TastePhoto {
  const [left, top] = part;
  const within = (box: Box): Box => [box[0] - left, box[1] - top, box[2] - left, box[3] - top];
  const isInside = (box: Box): boolean => contains(part, box);
  const { id, path, split, target, isPreferredToOwn } = photo;
  return {
    id,
    path,
    part,
    space: { width: part[2] - left, height: part[3] - top },
    crops: photo.crops.filter(({ box }) => isInside(box)).map((crop) => ({ ...crop, box: within(crop.box) })),
    pairs: photo.pairs
      .filter(({ chosen, rejected }) => isInside(chosen) && isInside(rejected))
      .map(({ chosen, rejected }) => ({ chosen: within(chosen), rejected: within(rejected) })),
    ...(split && { split }),
    ...(target && { target }),
    ...(isPreferredToOwn && { isPreferredToOwn }),
  };
}
