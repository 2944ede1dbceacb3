import { clamp, unionOf, type Aspect, type Box, type Point, type Size } from '../base/geometry.js';
import type { CropRect } from '../base/schema.js';
import { placeAround } from '../engines/constraints.js';
import { cropRectangle } from './crop-rectangle.js';

/** Where in a crop its subject may be asked to be; sides are thirds, and one side alone leaves the other way as it is. */
export const PLACES = [
  ...(['left', 'right', 'top', 'bottom', 'centre'] as const),
  ...(['top-left', 'top-right', 'bottom-left', 'bottom-right'] as const),
] as const;
export type Place = (typeof PLACES)[number];

export interface PlaceLimits {
  readonly photo: Size;
  readonly aspect?: Aspect;
  readonly keep: readonly Box[];
  readonly minSize: number;
}

/** So near to the third, as a share of the crop's side, nobody sees a difference. */
const NEAR_ENOUGH = 0.02;
/** Further off, the subject is not where it was asked to be, and the result says so. */
const TOLD_FROM = 0.06;
/** Shares of the crop's sides that are tried, the largest first: a smaller crop comes nearer to the photo's edges. */
const SCALES = Array.from({ length: 13 }, (_, i) => 1 - i / 25);

/**
 * The crop moved, and made as much smaller as that takes, until the subject is where it was asked to be; as near as the photo's
 * edges, what is to be kept and the least size allow.
 *
 * @param subject its middle, in pixels of the upright photo
 */
export function placedCrop(crop: CropRect, subject: Point, place: Place, limits: PlaceLimits): CropRect {
  const { photo, keep } = limits;
  const [across, down] = sharesOf(place);
  let best = crop;
  for (const scale of SCALES) {
    const size = {
      width: Math.max(1, Math.round(scale * crop.width)),
      height: Math.max(1, Math.round(scale * crop.height)),
    };
    if (scale < 1 && size.width * size.height < limits.minSize * photo.width * photo.height) break;
    const centre = [
      across === undefined ? crop.x + crop.width / 2 : subject[0] + (0.5 - across) * size.width,
      down === undefined ? crop.y + crop.height / 2 : subject[1] + (0.5 - down) * size.height,
    ] as const;
    const all = unionOf(keep);
    if (all && (all[2] - all[0] > size.width || all[3] - all[1] > size.height)) break;
    const [x1, y1, x2, y2] = placeAround(size, centre, photo, all);
    const rect = cropRectangle({ ...limits, box: [x1, y1, x2, y2] });
    if (offBy(rect, subject, place) < offBy(best, subject, place) - 1e-9) best = rect;
    if (offBy(best, subject, place) <= NEAR_ENOUGH) break;
  }
  return best;
}

/** What to say of a crop whose subject is not where it was asked to be. */
export function placeNote(crop: CropRect, subject: Point, place: Place): string | undefined {
  if (offBy(crop, subject, place) <= TOLD_FROM) return undefined;
  const percent = (share: number): string => `${Math.round(100 * clamp(share, 0, 1))} %`;
  const [x, y] = [(subject[0] - crop.x) / crop.width, (subject[1] - crop.y) / crop.height];
  return `has its subject at ${percent(x)} across and ${percent(y)} down of the crop, not ${place}: the photo's edges, the least size or what is to be kept leave no room for that`;
}

/** As a share of the crop's side, the worse of the two. */
function offBy(crop: CropRect, [x, y]: Point, place: Place): number {
  const [across, down] = sharesOf(place);
  const offX = across === undefined ? 0 : Math.abs((x - crop.x) / crop.width - across);
  const offY = down === undefined ? 0 : Math.abs((y - crop.y) / crop.height - down);
  return Math.max(offX, offY);
}

function sharesOf(place: Place): readonly [across: number | undefined, down: number | undefined] {
  if (place === 'centre') return [1 / 2, 1 / 2];
  const words = place.split('-');
  const third = (first: string, last: string): number | undefined =>
    words.includes(first) ? 1 / 3 : words.includes(last) ? 2 / 3 : undefined;
  return [third('left', 'right'), third('top', 'bottom')];
}
