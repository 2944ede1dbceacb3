import { lumaOf, resizePlane, resizeRgb, workingSize, type Plane } from '../rules/maps/plane.js';
import type { Raster } from '../types.js';

/** Long side of the largest plane that letters are looked for in, pixels. */
export const TEXT_LONG_SIDE_PX = 1024;

/** Planes of half the size each: letters up to eight times as high as in the first. */
const N_PLANES = 4;
const LEAST_SIDE_PX = 48;

/** Luminance, from the working size down; what is larger than a letter in one is a letter in the next. */
export function luminancePlanes(raster: Raster): Plane[] {
  const long = Math.max(raster.size.width, raster.size.height);
  const size = workingSize(raster.size, Math.min(TEXT_LONG_SIDE_PX, long), LEAST_SIDE_PX / 2);
  let grey = lumaOf(resizeRgb(raster, size));
  const planes: Plane[] = [];
  while (planes.length < N_PLANES && Math.min(grey.width, grey.height) >= LEAST_SIDE_PX) {
    planes.push(grey);
    grey = resizePlane(grey, { width: Math.round(grey.width / 2), height: Math.round(grey.height / 2) });
  }
  return planes;
}
