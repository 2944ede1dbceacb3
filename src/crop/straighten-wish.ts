import { FramewrightError } from '../base/errors.js';
import { received } from '../base/options-check.js';

/** `off`; `auto`: where the photo itself shows clearly that it is tilted; or the degrees to turn it by, clockwise. */
export type Straighten = 'off' | 'auto' | number;

/** As far as Camera Raw turns a crop. */
export const MOST_STRAIGHTEN_DEG = 45;

/** @throws FramewrightError USAGE */
export function checkStraighten(straighten: unknown): void {
  if (straighten === undefined || straighten === 'off' || straighten === 'auto') return;
  if (typeof straighten === 'number' && Math.abs(straighten) <= MOST_STRAIGHTEN_DEG) return;
  throw new FramewrightError(
    'USAGE',
    `Expected straighten to be "off", "auto" or degrees from -${MOST_STRAIGHTEN_DEG} to ${MOST_STRAIGHTEN_DEG} (clockwise) but received ${received(straighten)}`,
  );
}
