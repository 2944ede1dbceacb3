import { boxOfRect, clipped, intersectionOverUnion, type Aspect, type Box, type Size } from '../../base/geometry.js';
import type { CropRect } from '../../base/schema.js';
import { cropRectangle } from '../crop-rectangle.js';
import { isImpossible } from '../wishes.js';
import { commonPart } from './carried-rectangle.js';

/** A crop that has to give up more than this (as IoU) for a photo of its series leaves that photo to itself. */
const LEAST_IOU = 0.75;

/**
 * The crop of a series' lead moved, or made smaller, so that it lies in what the photos of the series show, those aside that
 * would cost too much of it.
 *
 * @param others what each other photo shows, in pixels of the lead
 * @param keep rectangles the crop holds, which it goes on to hold
 */
export function commonCrop(
  crop: CropRect,
  others: readonly Box[],
  { photo, aspect, keep }: { readonly photo: Size; readonly aspect?: Aspect; readonly keep: readonly Box[] },
): CropRect {
  const wanted = boxOfRect(crop);
  const lying = (shown: readonly Box[]): CropRect | undefined => {
    const part = commonPart(photo, shown);
    return part && cropWithin(part, wanted, aspect, keep);
  };
  const nearness = (found: CropRect | undefined): number =>
    found ? intersectionOverUnion(boxOfRect(found), wanted) : 0;
  const alone = others.map((shown) => ({ shown, iou: nearness(lying([shown])) })).sort((a, b) => b.iou - a.iou);
  let best = { crop, shown: [] as readonly Box[] };
  for (const { shown } of alone) {
    const together = [...best.shown, shown];
    const found = lying(together);
    if (found && nearness(found) >= LEAST_IOU) best = { crop: found, shown: together };
  }
  return best.crop;
}

function cropWithin(part: Box, wanted: Box, aspect: Aspect | undefined, keep: readonly Box[]): CropRect | undefined {
  const [x, y] = part;
  const photo = { width: part[2] - x, height: part[3] - y };
  const moved = ([x1, y1, x2, y2]: Box): Box => [x1 - x, y1 - y, x2 - x, y2 - y];
  const kept = keep.map(moved);
  if (kept.some((box) => clipped(box, photo)?.join() !== box.join())) return undefined;
  try {
    const found = cropRectangle({ photo, box: moved(wanted), keep: kept, ...(aspect ? { aspect } : {}) });
    return { ...found, x: found.x + x, y: found.y + y };
  } catch (thrown) {
    if (!isImpossible(thrown)) throw thrown;
    return undefined;
  }
}
