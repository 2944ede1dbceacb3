import type { Size } from '../../base/geometry.js';
import type { CropRect } from '../../base/schema.js';
import { isFrameHeader, jpegSegments } from '../formats/jpeg-segments.js';

/** Coefficients come in squares of so many pixels (ITU-T T.81). */
const BLOCK_PX = 8;

/** The pixels that a JPEG's smallest unit covers; undefined where no frame says it. */
export function unitOf(jpeg: Uint8Array): Size | undefined {
  const frame = jpegSegments(jpeg).find(({ marker }) => isFrameHeader(marker))?.payload;
  const nComponents = frame?.[5] ?? 0;
  if (!frame || nComponents === 0 || frame.length < 6 + 3 * nComponents) return undefined;
  // A single component is stored block by block, whatever its factors.
  if (nComponents === 1) return { width: BLOCK_PX, height: BLOCK_PX };
  const factors = Array.from({ length: nComponents }, (_, i) => frame[7 + 3 * i]!);
  return {
    width: BLOCK_PX * Math.max(...factors.map((factor) => factor >> 4)),
    height: BLOCK_PX * Math.max(...factors.map((factor) => factor & 15)),
  };
}

/**
 * The smallest rectangle that holds the crop and can be cut without touching a coefficient: its left and upper edge lie
 * between two units, further out, while the others may lie anywhere.
 *
 * @param options.keepsRatio further out with the others too, where the picture has room, so that the crop's proportions
 *   stay, to a pixel
 */
export function alignedCrop(
  crop: CropRect,
  picture: Size,
  unit: Size,
  { keepsRatio }: { readonly keepsRatio: boolean },
): CropRect {
  const x = crop.x - (crop.x % unit.width);
  const y = crop.y - (crop.y % unit.height);
  const width = crop.x + crop.width - x;
  const height = crop.y + crop.height - y;
  if (!keepsRatio) return { x, y, width, height };
  const scale = Math.max(width / crop.width, height / crop.height);
  const [wider, higher] = [Math.round(crop.width * scale), Math.round(crop.height * scale)];
  const fits = x + wider <= picture.width && y + higher <= picture.height;
  return fits ? { x, y, width: wider, height: higher } : { x, y, width, height };
}
