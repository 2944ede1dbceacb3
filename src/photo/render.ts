import type { Region, Sharp } from 'sharp';
import { FramewrightError } from '../base/errors.js';
import type { Size } from '../base/geometry.js';
import type { CropRect } from '../base/schema.js';
import { openPhoto } from './decode.js';
import type { Photo } from './decode.js';
import { decoding } from './failure.js';

/**
 * Behind transparent pixels. White is what Qwen2.5-VL's own preprocessing pastes them on (qwen_vl_utils `to_rgb`), and
 * what most pages and papers show such pictures on.
 */
export const ALPHA_BACKGROUND = '#ffffff';

/**
 * The photo at exactly the frame's size: upright, sRGB, 8 bits, no alpha; Lanczos3, each axis scaled on its own.
 * @returns row-major RGB, length `3 * frame.width * frame.height`.
 * @throws FramewrightError INPUT_CORRUPT if the pixel data is damaged or ends early.
 */
export async function renderFrame(
  photo: Photo,
  frame: Size,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Uint8Array> {
  const pipeline = displayed(photo, frame).resize(frame.width, frame.height, {
    fit: 'fill',
    kernel: 'lanczos3',
    fastShrinkOnLoad: false,
  });
  return rgb(photo, pipeline, options.signal);
}

/** A region of the upright photo at its own resolution: sRGB, 8 bits, no alpha, length `3 * width * height`. */
export async function renderRegion(
  photo: Photo,
  region: CropRect,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Uint8Array> {
  return rgb(photo, displayed(photo).extract(extractable(photo, region)), options.signal);
}

/** @throws FramewrightError USAGE for a region that is not inside the upright photo. */
export function extractable(photo: Photo, { x, y, width, height }: CropRect): Region {
  const inside =
    x >= 0 && y >= 0 && width >= 1 && height >= 1 && x + width <= photo.width && y + height <= photo.height;
  if (!inside || ![x, y, width, height].every(Number.isInteger)) {
    throw new FramewrightError(
      'USAGE',
      `${width}x${height} px at (${x}, ${y}) is no region of ${photo.name}: it must be in whole pixels inside ${photo.width}x${photo.height}`,
    );
  }
  return { left: x, top: y, width, height };
}

/**
 * The upright photo as a screen shows it: its profile converted to sRGB, 8 bits, alpha flattened.
 * @param scaledTo the size it will be resized to, if it will be.
 */
export function displayed(photo: Photo, scaledTo?: Size): Sharp {
  const pipeline = openPhoto(photo).flatten({ background: ALPHA_BACKGROUND });
  const space = workingSpace(photo, scaledTo);
  return (space === undefined ? pipeline : pipeline.pipelineColourspace(space)).toColourspace('srgb');
}

/**
 * Naming the working space does two things that sharp has no option for.
 *
 * 16-bit pixels with a profile: sharp converts them to Display P3 and then takes the result for sRGB (pipeline.cc,
 * `processingProfile`); in an 8-bit working space it converts to sRGB.
 *
 * JPEG: libjpeg can decode at a half, quarter or eighth, but rounds the sides up, which moves what is at the right and
 * bottom by up to 0.38 frame px (measured on odd sizes; 0.02 px without). It is kept to sides that divide evenly;
 * naming the photo's own space turns it off.
 */
function workingSpace({ format, stored, width, height }: Photo, scaledTo: Size | undefined): string | undefined {
  if (stored.depth === 'ushort') return 'srgb';
  if (format !== 'jpeg' || !scaledTo) return undefined;
  const shrink = Math.min(width / scaledTo.width, height / scaledTo.height);
  const divisor = SHRINKS_ON_LOAD.find((factor) => shrink >= 2 * factor) ?? 1;
  const canBeNamed = stored.space === 'srgb' || stored.space === 'b-w';
  return (width % divisor !== 0 || height % divisor !== 0) && canBeNamed ? stored.space : undefined;
}

/** libjpeg's; sharp leaves at least a factor of two to its own resampling (`fastShrinkOnLoad: false`). */
const SHRINKS_ON_LOAD = [8, 4, 2] as const;

async function rgb(photo: Photo, pipeline: Sharp, signal: AbortSignal | undefined): Promise<Uint8Array> {
  return decoding(photo.name, () => pipeline.removeAlpha().raw({ depth: 'uchar' }).toBuffer(), signal);
}
