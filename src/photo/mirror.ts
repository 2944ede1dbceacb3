import type { Size } from '../base/geometry.js';

/** A picture mirrored left to right: interleaved RGB of 8 bits, by lines. */
export function mirroredRgb(rgb: Uint8Array, { width, height }: Size): Uint8Array {
  const mirrored = new Uint8Array(rgb.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 3 * (y * width + x);
      mirrored.set(rgb.subarray(from, from + 3), 3 * (y * width + width - 1 - x));
    }
  }
  return mirrored;
}
