import type { Size } from '../base/geometry.js';
import type { Photo } from '../photo/decode.js';
import { decoding } from '../photo/failure.js';
import { displayed } from '../photo/render.js';

export interface Thumbnail extends Size {
  /** Data URI of a JPEG. */
  readonly uri: string;
}

/** Strong enough to judge a crop by; at 320 px a photo takes about 10 kB. */
const QUALITY = 70;

/**
 * The upright photo as a screen shows it, inside a square of `sidePx`, never enlarged.
 *
 * @throws FramewrightError INPUT_CORRUPT
 */
export async function makeThumbnail(photo: Photo, sidePx: number, signal?: AbortSignal): Promise<Thumbnail> {
  const scale = Math.min(1, sidePx / Math.max(photo.width, photo.height));
  const size: Size = {
    width: Math.max(1, Math.round(photo.width * scale)),
    height: Math.max(1, Math.round(photo.height * scale)),
  };
  const pipeline = displayed(photo, size).resize(size.width, size.height, { fit: 'fill' }).jpeg({ quality: QUALITY });
  const jpeg = await decoding(photo.name, () => pipeline.toBuffer(), signal);
  return { ...size, uri: `data:image/jpeg;base64,${jpeg.toString('base64')}` };
}
