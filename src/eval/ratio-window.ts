import type { Size } from '../base/geometry.js';

/** Ratios that fixed-ratio crops are measured at, width over height. */
export const RATIOS = { '1:1': 1, '4:5': 4 / 5, '16:9': 16 / 9, '9:16': 9 / 16 } as const;
export type Ratio = keyof typeof RATIOS;
export const RATIO_NAMES = Object.keys(RATIOS) as Ratio[];

/** Sides of the largest crop of a ratio, as shares of the photo's; at least one of them is 1. */
export function windowOf(photo: Size, ratio: number): Size {
  const photoRatio = photo.width / photo.height;
  return ratio <= photoRatio ? { width: ratio / photoRatio, height: 1 } : { width: 1, height: photoRatio / ratio };
}
