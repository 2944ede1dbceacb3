import type { Size } from '../base/geometry.js';
import type { CropRect } from '../base/schema.js';
import { applyColourPlan, planColour } from './colour.js';
import { openPhoto, type Photo } from './decode.js';
import { encodeAs, type EncodedImage, type EncodeOptions } from './encode.js';
import { withPhotoMetadata } from './metadata/metadata-of-crop.js';
import { extractable } from './render.js';

export interface EncodeCropOptions extends EncodeOptions {
  /** In pixels of the upright photo. */
  readonly crop: CropRect;
  /** Scale the crop to exactly this; each axis on its own, so give the crop's aspect. Default: not scaled. */
  readonly resize?: Size;
}

export interface EncodedCrop extends EncodedImage {
  /** What of the photo's metadata is missing, though the format could hold it, with the reason: for people. */
  readonly leftOut: readonly string[];
}

/**
 * Cuts the crop out of the original file and encodes it: decoded once, resampled at most once. The pixels are upright,
 * so orientation tags say 1; the photo's colour profile stays with its untouched values where the format allows.
 *
 * @throws FramewrightError USAGE for a crop outside the photo or a size the format cannot hold; INPUT_CORRUPT.
 */
export async function encodeCrop(photo: Photo, options: EncodeCropOptions): Promise<EncodedCrop> {
  const format = options.format ?? (photo.format === 'gif' ? 'png' : photo.format);
  const { width, height } = options.resize ?? options.crop;
  let pipeline = openPhoto(photo).extract(extractable(photo, options.crop));
  if (options.resize) {
    pipeline = pipeline.resize(width, height, { fit: 'fill', kernel: 'lanczos3' });
  }
  const plan = planColour(photo.stored, format, options.strip ?? false);
  pipeline = applyColourPlan(pipeline, plan);
  const bitDepth = plan.deep ? 16 : 8;
  const image = await encodeAs(photo, pipeline, { ...options, format, bitDepth, width, height });
  if (plan.strip) return { ...image, leftOut: [] };
  const change = {
    stored: { width: photo.stored.width, height: photo.stored.height },
    orientation: photo.stored.orientation ?? 1,
    crop: options.crop,
    output: { width, height },
  };
  return { ...image, ...(await withPhotoMetadata(photo, image, change, options.signal)) };
}
