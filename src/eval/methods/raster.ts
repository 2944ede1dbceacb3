import { defined } from '../../base/defined.js';
import type { Raster } from '../../engines/types.js';
import { decodePhoto } from '../../photo/decode.js';
import { renderFrame } from '../../photo/render.js';

/** The photo upright and in sRGB, no side longer than `maxSide`. */
export async function loadRaster(
  path: string,
  maxSide: number,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Raster> {
  const photo = await decodePhoto(path, defined({ signal: options.signal }));
  const scale = Math.min(1, maxSide / Math.max(photo.width, photo.height));
  const size = {
    width: Math.max(1, Math.round(photo.width * scale)),
    height: Math.max(1, Math.round(photo.height * scale)),
  };
  return { data: await renderFrame(photo, size, options), size };
}
