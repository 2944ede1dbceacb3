import { defined } from '../base/defined.js';
import { boxOfSize, rectOfBox, type Box } from '../base/geometry.js';
import { Slots } from '../base/slots.js';
import { decodePhoto } from '../photo/decode.js';
import { decoding } from '../photo/failure.js';
import { displayed, extractable } from '../photo/render.js';

/** Each holds a photo's file and its pixels. */
const AT_ONCE = 2;

export interface ScreenPicture {
  readonly path: string;
  /** How errors call the photo. Default: its path. */
  readonly name?: string;
  /** In pixels of the upright photo. Default: all of it. */
  readonly box?: Box;
  /** Of the square it is to fit into, in pixels; it is never enlarged. */
  readonly side: number;
  /** Of the JPEG, 1 to 100. */
  readonly quality: number;
}

/** Photos as a screen shows them, made when asked for, few at once. */
export class ScreenPictures {
  readonly #slots = new Slots(AT_ONCE);
  readonly #maxPixels: number | undefined;

  constructor(maxPixels?: number) {
    this.#maxPixels = maxPixels;
  }

  /**
   * The upright photo, or a part of it, as a JPEG in sRGB; nothing of the file's metadata.
   *
   * @throws FramewrightError INPUT_*, USAGE for a box outside the photo; the signal's reason
   */
  jpeg({ path, name, box, side, quality }: ScreenPicture, signal: AbortSignal): Promise<Buffer> {
    return this.#slots.run(async () => {
      const photo = await decodePhoto(path, { signal, ...defined({ name, maxPixels: this.#maxPixels }) });
      const region = rectOfBox(box ?? boxOfSize(photo));
      const scale = Math.min(1, side / Math.max(region.width, region.height));
      const width = Math.max(1, Math.round(region.width * scale));
      const height = Math.max(1, Math.round(region.height * scale));
      // A part is cut at the photo's own resolution; all of it may be decoded smaller.
      const shown = box ? displayed(photo).extract(extractable(photo, region)) : displayed(photo, { width, height });
      const pipeline = shown.resize(width, height, { fit: 'fill' }).jpeg({ quality });
      return decoding(photo.name, () => pipeline.toBuffer(), signal);
    }, signal);
  }
}
