import type { Size } from '../base/geometry.js';
import type { CropRect } from '../base/schema.js';
import { defined } from '../base/defined.js';
import { checkOptions, checkWhole, type OptionKinds } from '../base/options-check.js';
import { movesIn, openAnimation } from './animation.js';
import { applyColourPlan, planColour } from './colour.js';
import { openPhoto, type Photo } from './decode.js';
import { checkCanvas, onCanvas, type Canvas } from './canvas.js';
import { encodeApng } from './encode-apng.js';
import { encodeAs, type EncodedImage, type EncodeOptions } from './encode.js';
import { withPhotoMetadata } from './metadata/metadata-of-crop.js';
import { formatOfCrop, OUTPUT_FORMATS } from './output-format.js';
import { extractable } from './render.js';

export interface EncodeCropOptions extends EncodeOptions {
  /** In pixels of the upright photo, or of the straight one if it is turned. */
  readonly crop: CropRect;
  /** Scale the crop to exactly this; each axis on its own, so give the crop's aspect. Default: not scaled. */
  readonly resize?: Size;
  /** Put the crop on a canvas, scaled to its place there; in place of `resize`. Default: none. */
  readonly canvas?: Canvas;
}

const ENCODE_CROP_OPTIONS: OptionKinds<EncodeCropOptions> = {
  crop: 'object',
  resize: 'object',
  canvas: 'object',
  format: OUTPUT_FORMATS,
  quality: 'number',
  strip: 'boolean',
  signal: 'signal',
};

function checkSize({ width, height }: Size): void {
  checkWhole('the width of resize', width, 1, MOST_PX);
  checkWhole('the height of resize', height, 1, MOST_PX);
}

/** Above, no format holds a side; less is theirs to say. */
const MOST_PX = 10_000_000;

export interface EncodedCrop extends EncodedImage {
  /** What of the photo's metadata is missing, though the format could hold it, with the reason: for people. */
  readonly leftOut: readonly string[];
}

/**
 * Cuts the crop out of the original file and encodes it: decoded once, resampled at most once. The pixels are upright,
 * so orientation tags say 1; the photo's colour profile stays with its untouched values where the format allows.
 * Of an animation, every frame is cut alike, with its time, where the format moves (GIF, WebP, and PNG of an APNG).
 *
 * @throws FramewrightError USAGE for a crop outside the photo, a size the format cannot hold, or an option out of its range;
 *   INPUT_CORRUPT.
 */
export async function encodeCrop(photo: Photo, options: EncodeCropOptions): Promise<EncodedCrop> {
  checkOptions('encodeCrop', options, ENCODE_CROP_OPTIONS);
  const { canvas } = options;
  const resize = canvas?.at ?? options.resize;
  if (resize) checkSize(resize);
  if (canvas) {
    checkSize(canvas);
    checkCanvas(canvas);
  }
  const format = options.format ?? formatOfCrop(photo.format, photo.animation !== undefined);
  const { width, height } = canvas ?? resize ?? options.crop;
  const animation = photo.animation && movesIn(format, photo.animation) && !canvas ? photo.animation : undefined;
  const opened = animation ? openAnimation(animation, photo) : openPhoto(photo);
  let pipeline = opened.extract(extractable(photo, options.crop));
  if (resize) {
    pipeline = pipeline.resize(resize.width, resize.height, { fit: 'fill', kernel: 'lanczos3' });
  }
  const plan = planColour(photo.stored, format, options.strip ?? false);
  pipeline = applyColourPlan(pipeline, plan);
  if (canvas) pipeline = await onCanvas(photo, pipeline, { crop: options.crop, canvas, plan }, options.signal);
  const bitDepth = plan.deep ? 16 : 8;
  const image =
    animation?.timing && format === 'png'
      ? { bytes: await encodeApng(photo, pipeline, animation.timing, options.signal), format, width, height }
      : await encodeAs(photo, pipeline, {
          ...options,
          ...{ format, bitDepth, width, height },
          ...defined({ timing: animation?.timing }),
        });
  const nLost = photo.animation && !animation ? photo.animation.nFrames - 1 : 0;
  const frames = nLost > 0 ? [framesLost(nLost, canvas !== undefined)] : [];
  if (plan.strip || format === 'gif') return { ...image, leftOut: frames };
  const change = {
    stored: { width: photo.stored.width, height: photo.stored.height },
    orientation: photo.stored.orientation ?? 1,
    ...defined({ turn: photo.turn }),
    crop: options.crop,
    output: { width, height },
    ...(canvas && { at: canvas.at }),
  };
  const cicp = plan.profile === 'srgb' ? undefined : photo.cicp;
  const described = await withPhotoMetadata(photo, image, change, { cicp, signal: options.signal });
  return { ...image, ...described, leftOut: [...described.leftOut, ...frames] };
}

function framesLost(nFrames: number, isOnCanvas: boolean): string {
  const why = isOnCanvas ? 'which a canvas does not hold' : 'which only GIF and WebP hold';
  return `${nFrames === 1 ? 'frame' : `${nFrames} frames`} after the first, ${why}`;
}
