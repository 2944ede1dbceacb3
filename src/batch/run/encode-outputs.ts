import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import { isLosslessWebp, type EncodeOptions } from '../../photo/encode.js';
import { pictureOf } from '../../crop/picture.js';
import { encodeCrop, type EncodeCropOptions } from '../../photo/crop-file.js';
import { losslessCrop, type LosslessCrop } from '../../photo/lossless/lossless-crop.js';
import { formatOfCrop, outputFormatOf, type OutputFormat } from '../../photo/output-format.js';
import type { Photo } from '../../photo/decode.js';
import { renderOverlay, type Drawing } from '../../photo/overlay/overlay.js';
import type { CropRect, CropResult } from '../../base/schema.js';
import type { PlannedPhoto } from '../plan/planned-photo.js';

/** A planned file with its bytes. */
export interface EncodedOutput {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** As of an EncodedCrop. */
  readonly leftOut: readonly string[];
  /** What was cut, where that is not the crop asked for. */
  readonly lossless?: Pick<LosslessCrop, 'crop' | 'movedPx'>;
}

export interface EncodeSettings extends EncodeOptions {
  /** Cut JPEGs without decoding them, and refuse what would lose by encoding. */
  readonly lossless: boolean;
}

/** The planned files of a photo, target by target; of one left for review only the overlay. Nothing is written yet. */
export async function encodeOutputs(
  photo: Photo,
  results: readonly CropResult[],
  planned: PlannedPhoto,
  { lossless, ...encode }: EncodeSettings,
): Promise<EncodedOutput[][]> {
  const perTarget: EncodedOutput[][] = [];
  for (const [target, result] of results.entries()) {
    const names = result.verdict === 'review' ? [] : planned.crops[target]!;
    const files: EncodedOutput[] = [];
    for (const [k, crop] of bestFirst(result).slice(0, names.length).entries()) {
      const name = names[k]!;
      const options = { ...encode, ...formatFor(name, encode), ...pictureOf(result, crop) };
      const cuts = lossless && cutsJpeg(photo, options);
      const made = cuts ? await cutJpeg(photo, result, crop, encode) : await encodeCrop(photo, options);
      files.push({
        path: name,
        bytes: made.bytes,
        leftOut: made.leftOut,
        ...('lossless' in made ? { lossless: made.lossless } : {}),
      });
    }
    const overlay = planned.overlays[target];
    if (overlay !== undefined) {
      const image = await renderOverlay(photo, drawingOf(result), { ...encode, ...formatFor(overlay, encode) });
      files.push({ path: overlay, bytes: image.bytes, leftOut: [] });
    }
    perTarget.push(files);
  }
  return perTarget;
}

/**
 * Whether the crop is a JPEG of a JPEG; one in a format that keeps every pixel is encoded as ever.
 *
 * @throws FramewrightError USAGE for one that is scaled or put on a canvas, INPUT_UNSUPPORTED where encoding would lose
 */
function cutsJpeg(photo: Photo, { format, resize, canvas }: EncodeCropOptions): boolean {
  if (resize ?? canvas) {
    throw new FramewrightError('USAGE', `${photo.name} is to have a size or a canvas, which --lossless cannot give it`);
  }
  const to = format ?? formatOfCrop(photo.format, photo.animation !== undefined);
  if (to === 'jpeg' && photo.format === 'jpeg') return true;
  if (to === 'png' || to === 'tiff' || (to === 'gif' && photo.format === 'gif')) return false;
  if (to === 'webp' && isLosslessWebp(photo)) return false;
  throw new FramewrightError(
    'INPUT_UNSUPPORTED',
    `${photo.name} would lose by being encoded as ${to.toUpperCase()}: name a .png or .tif, or leave out --lossless`,
  );
}

async function cutJpeg(
  photo: Photo,
  { target }: CropResult,
  crop: CropRect,
  { strip = false, signal }: EncodeOptions,
): Promise<Pick<EncodedOutput, 'bytes' | 'leftOut'> & Required<Pick<EncodedOutput, 'lossless'>>> {
  const keepsRatio = target.aspect !== undefined;
  const made = await losslessCrop(photo, { crop, keepsRatio, strip, ...defined({ signal }) });
  const { bytes, leftOut, movedPx } = made;
  return { bytes, leftOut, lossless: { crop: made.crop, movedPx } };
}

/** The format the file's name says, so that a name never lies. */
function formatFor(file: string, { format }: EncodeOptions): { format?: OutputFormat } {
  return defined({ format: format ?? outputFormatOf(file) });
}

/** Composition, candidates numbered as proposed, and the crop. */
function drawingOf({ photo, analysis, candidates, best, crop, verdict }: CropResult): Drawing {
  return {
    space: { width: photo.widthPx, height: photo.heightPx },
    elements: analysis,
    candidates: candidates.map(({ box }) => box),
    ...(verdict === 'crop' && {
      best: { box: [crop.x, crop.y, crop.x + crop.width, crop.y + crop.height], number: best + 1 },
    }),
  };
}

/** The crop, then the other candidates by falling score. */
function bestFirst(result: CropResult): CropRect[] {
  const others = result.candidates
    .filter((_, i) => i !== result.best)
    .sort((a, b) => b.modelScore - a.modelScore)
    .map(({ box: [x1, y1, x2, y2] }) => ({ x: x1, y: y1, width: x2 - x1, height: y2 - y1 }));
  return [result.crop, ...others];
}
