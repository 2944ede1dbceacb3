import type { Size } from '../base/geometry.js';

/**
 * A copy of a frame with its position written into it: in every patch, column 0 holds
 * `round(255 * patchCentreX / width)` and the last column `round(255 * patchCentreY / height)`, in all three channels.
 *
 * The vision tower knows relative positions only, so patches of a plain sky are all alike to it; a small model trained
 * with these ramps can tell them apart. Only for models whose manifest asks for it.
 *
 * @param rgb row-major RGB, 8 bits, length `3 * width * height`; both sides multiples of `patchPx`.
 * @param patchPx side of one patch of the vision tower
 */
export function positionRamps(rgb: Uint8Array, frame: Size, patchPx: number): Uint8Array {
  const { width, height } = frame;
  if (width % patchPx !== 0 || height % patchPx !== 0 || rgb.length !== 3 * width * height) {
    throw new RangeError(
      `expected RGB of a frame in whole patches, received ${rgb.length} bytes for ${width}x${height}`,
    );
  }
  const ramped = Uint8Array.from(rgb);
  for (let y = 0; y < height; y++) {
    const patchCentreY = Math.floor(y / patchPx) * patchPx + patchPx / 2;
    const valueY = Math.round((255 * patchCentreY) / height);
    for (let patchX = 0; patchX < width; patchX += patchPx) {
      const valueX = Math.round((255 * (patchX + patchPx / 2)) / width);
      const first = 3 * (y * width + patchX);
      ramped.fill(valueX, first, first + 3);
      const last = first + 3 * (patchPx - 1);
      ramped.fill(valueY, last, last + 3);
    }
  }
  return ramped;
}
