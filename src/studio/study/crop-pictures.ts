import { rectOfBox, type Box } from '../../base/geometry.js';
import { defined } from '../../base/defined.js';
import { Slots } from '../../base/slots.js';
import { decodePhoto } from '../../photo/decode.js';
import { decoding } from '../../photo/failure.js';
import { displayed, extractable } from '../../photo/render.js';

/** As large as a half of a large screen shows it. */
const SIDE_PX = 1400;
/** Judges are not to prefer a crop for its artefacts. */
const QUALITY = 92;
/** Each holds a photo's pixels. */
const AT_ONCE = 2;

/** The crops judges see, cut from their photos when asked for. */
export class CropPictures {
  readonly #slots = new Slots(AT_ONCE);
  readonly #maxPixels: number | undefined;

  constructor(maxPixels?: number) {
    this.#maxPixels = maxPixels;
  }

  /**
   * A crop as a JPEG in sRGB within a square of 1400 px, never enlarged; nothing of the file's metadata.
   *
   * @throws FramewrightError INPUT_*; the signal's reason
   */
  jpeg(file: string, box: Box, signal: AbortSignal): Promise<Buffer> {
    return this.#slots.run(async () => {
      const photo = await decodePhoto(file, { signal, ...defined({ maxPixels: this.#maxPixels }) });
      const region = rectOfBox(box);
      const scale = Math.min(1, SIDE_PX / Math.max(region.width, region.height));
      const pipeline = displayed(photo)
        .extract(extractable(photo, region))
        .resize(Math.max(1, Math.round(region.width * scale)), Math.max(1, Math.round(region.height * scale)), {
          fit: 'fill',
        })
        .jpeg({ quality: QUALITY });
      return decoding(photo.name, () => pipeline.toBuffer(), signal);
    }, signal);
  }
}
