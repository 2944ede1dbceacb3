import type { Sharp } from 'sharp';
import { FramewrightError } from '../base/errors.js';
import type { Rect, Size } from '../base/geometry.js';
import type { CropRect } from '../base/schema.js';
import { parseBackground } from './background.js';
import { applyColourPlan, type ColourPlan } from './colour.js';
import { openPhoto, type Photo } from './decode.js';
import { decoding } from './failure.js';
import { ALPHA_BACKGROUND } from './render.js';
import { sharp } from './vips.js';

/** What a crop is put on where it does not fill the picture asked for. */
export interface Canvas extends Size {
  /** Where the crop lies on it, scaled to this size; inside it. */
  readonly at: Rect;
  /** `pad`: `background`; `blur`: the crop itself, blurred, until it covers the canvas. */
  readonly fill: 'pad' | 'blur';
  /** `#rrggbb`, taken for values of the photo's own colour space. Default white. */
  readonly background?: string;
}

/** Blurred at this many pixels of the longer side: what is blurred away needs no more. */
const BLURRED_SIDE_PX = 256;
/** Standard deviation of the blur, in these pixels: shapes go, colours and light stay. */
const BLUR_SIGMA_PX = 10;

/** @throws FramewrightError USAGE for a canvas its crop is not inside, or a colour that is none */
export function checkCanvas({ width, height, at, background }: Canvas): void {
  const isInside = at.x >= 0 && at.y >= 0 && at.x + at.width <= width && at.y + at.height <= height;
  if (!isInside || ![at.x, at.y, at.width, at.height].every(Number.isInteger)) {
    throw new FramewrightError(
      'USAGE',
      `${at.width}x${at.height} px at (${at.x}, ${at.y}) are not inside a canvas of ${width}x${height} px, in whole pixels`,
    );
  }
  if (background !== undefined) parseBackground(background);
}

/** The crop, cut out and scaled, with the canvas around it; `pipeline` is at the crop's place on it, in the plan's colours. */
export async function onCanvas(
  photo: Photo,
  pipeline: Sharp,
  { crop, canvas, plan }: { readonly crop: CropRect; readonly canvas: Canvas; readonly plan: ColourPlan },
  signal: AbortSignal | undefined,
): Promise<Sharp> {
  const { width, height, at, fill, background = ALPHA_BACKGROUND } = canvas;
  const around = { left: at.x, top: at.y, right: width - at.x - at.width, bottom: height - at.y - at.height };
  if (fill === 'pad') return pipeline.extend({ ...around, background });
  const blurred = await blurredCover(photo, crop, canvas, plan, signal);
  return pipeline
    .extend({ ...around, background: { r: 0, g: 0, b: 0, alpha: 0 } })
    .composite([{ input: blurred, blend: 'dest-over' }])
    .removeAlpha();
}

/** The middle of the crop in the canvas's ratio, blurred and as large as the canvas: a PNG in the plan's colours. */
async function blurredCover(
  photo: Photo,
  crop: CropRect,
  canvas: Size,
  plan: ColourPlan,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const cover = Math.min(crop.width / canvas.width, crop.height / canvas.height);
  const width = Math.max(1, Math.round(cover * canvas.width));
  const height = Math.max(1, Math.round(cover * canvas.height));
  const left = crop.x + Math.floor((crop.width - width) / 2);
  const top = crop.y + Math.floor((crop.height - height) / 2);
  const scale = BLURRED_SIDE_PX / Math.max(canvas.width, canvas.height);
  const small = {
    width: Math.max(1, Math.round(scale * canvas.width)),
    height: Math.max(1, Math.round(scale * canvas.height)),
  };
  const source = openPhoto(photo)
    .flatten({ background: ALPHA_BACKGROUND })
    .extract({ left, top, width, height })
    .resize(small.width, small.height, { fit: 'fill' })
    .blur(BLUR_SIGMA_PX);
  const blurred = await decoding(photo.name, () => applyColourPlan(source, plan).png().toBuffer(), signal);
  return decoding(
    photo.name,
    () =>
      sharp(blurred)
        .resize(canvas.width, canvas.height, { fit: 'fill', kernel: 'cubic' })
        .png({ compressionLevel: 1 })
        .toBuffer(),
    signal,
  );
}
