import { FramewrightError } from '../base/errors.js';
import { boxOfRect, boxOfSize, contains, type Box, type Size } from '../base/geometry.js';
import type { CropRect } from '../base/schema.js';

/** @throws FramewrightError USAGE for one that is not whole pixels inside the photo */
export function keepBox(rect: CropRect, photo: Size): Box {
  const box = boxOfRect(rect);
  const isWhole = box.every((edge) => Number.isSafeInteger(edge)) && rect.width >= 1 && rect.height >= 1;
  if (isWhole && contains(boxOfSize(photo), box)) return box;
  throw new FramewrightError(
    'USAGE',
    `Expected a box to be x,y,width,height in whole pixels inside the ${photo.width}x${photo.height} photo but received ${[rect.x, rect.y, rect.width, rect.height].join(',')}`,
  );
}
