import { defined } from '../../base/defined.js';
import { Slots } from '../../base/slots.js';
import { decodePhoto } from '../../photo/decode.js';
import { decoding } from '../../photo/failure.js';
import { displayed } from '../../photo/render.js';
import type { LibraryPhoto } from './library.js';

/** Sides the page asks for, in pixels: in the grid, on a large screen, whole. */
export const PICTURE_SIDES = [320, 800, 1600] as const;
export type PictureSide = (typeof PICTURE_SIDES)[number];

const QUALITY = 78;
/** Each holds a photo's file and its pixels. */
const AT_ONCE = 2;

/** Photos as a screen shows them, made when asked for; browsers keep them. */
export class Pictures {
  readonly #slots = new Slots(AT_ONCE);
  readonly #maxPixels: number | undefined;

  constructor(maxPixels?: number) {
    this.#maxPixels = maxPixels;
  }

  /**
   * The upright photo as a JPEG in sRGB within a square of `side` pixels, never enlarged.
   *
   * @throws FramewrightError INPUT_*; the signal's reason
   */
  jpeg(photo: LibraryPhoto, side: PictureSide, signal: AbortSignal): Promise<Buffer> {
    return this.#slots.run(async () => {
      const decoded = await decodePhoto(photo.path, {
        name: photo.name,
        signal,
        ...defined({ maxPixels: this.#maxPixels }),
      });
      const scale = Math.min(1, side / Math.max(decoded.width, decoded.height));
      const width = Math.max(1, Math.round(decoded.width * scale));
      const height = Math.max(1, Math.round(decoded.height * scale));
      const pipeline = displayed(decoded, { width, height })
        .resize(width, height, { fit: 'fill' })
        .jpeg({ quality: QUALITY });
      return decoding(photo.name, () => pipeline.toBuffer(), signal);
    }, signal);
  }
}
