import { FramewrightError } from '../../base/errors.js';

/** Sides of pictures that the page asks for, in pixels: in the grid, on a large screen, whole. */
const PICTURE_SIDES = [320, 800, 1600] as const;

/** Of a JPEG that is looked at for its crop. */
export const PICTURE_QUALITY = 78;

/** @throws FramewrightError USAGE */
export function sideOf(text: string | undefined): (typeof PICTURE_SIDES)[number] {
  const side = PICTURE_SIDES.find((each) => String(each) === text);
  if (side !== undefined) return side;
  throw new FramewrightError('USAGE', `side is one of ${PICTURE_SIDES.join(', ')}`);
}
