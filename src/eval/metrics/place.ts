import { clamp, type Box, type Size } from '../../base/geometry.js';
import type { PlacesPhoto } from '../datasets/types.js';
import { RATIOS, windowOf } from '../ratio-window.js';

/** Where the crops lay that were judged, as shares of the way the largest crop of the ratio can move. */
export const JUDGED_PLACES = [0, 0.25, 0.5, 0.75, 1] as const;

export interface PlaceFigures {
  /** Whether the place nearest to the crop was called undeliverable. Undefined where none was. */
  readonly isBad: boolean | undefined;
  /** Distance to the nearer of the best and the second place, 0..1. Undefined where it is all the same. */
  readonly off: number | undefined;
  /** Whether the place nearest to the crop is the best. Undefined where it is all the same. */
  readonly isBest: boolean | undefined;
}

/** Where a crop of the judged ratio lies against what was judged. @param crop in the photo's label space; undefined: the worst */
export function placeFigures(
  { aspect, judgement, size }: PlacesPhoto & { size: Size },
  crop: Box | undefined,
): PlaceFigures {
  const { best, second, bad, isSame } = judgement;
  const place = crop && placeOf(crop, size, RATIOS[aspect]);
  const nearest = place === undefined ? undefined : nearestPlace(place);
  return {
    isBad: bad.length === 0 ? undefined : nearest === undefined || bad.includes(nearest),
    off: isSame ? undefined : place === undefined ? 1 : Math.min(Math.abs(place - best), Math.abs(place - second)),
    isBest: isSame ? undefined : nearest === best,
  };
}

/** Of the middle of a crop, on the way that the middle of the largest crop of the ratio can move; 0..1. */
function placeOf([x1, y1, x2, y2]: Box, photo: Size, ratio: number): number {
  const window = windowOf(photo, ratio);
  const [width, height] = [window.width * photo.width, window.height * photo.height];
  const along = photo.width - width > photo.height - height;
  const [middle, length, side] = along ? [(x1 + x2) / 2, width, photo.width] : [(y1 + y2) / 2, height, photo.height];
  const room = side - length;
  return room > 0 ? clamp((middle - length / 2) / room, 0, 1) : 0.5;
}

function nearestPlace(place: number): number {
  return JUDGED_PLACES.reduce((a, b) => (Math.abs(b - place) < Math.abs(a - place) ? b : a));
}
