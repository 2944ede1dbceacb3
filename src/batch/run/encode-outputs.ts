import { defined } from '../../base/defined.js';
import type { EncodeOptions } from '../../photo/encode.js';
import { pictureOf } from '../../crop/picture.js';
import { encodeCrop } from '../../photo/crop-file.js';
import { outputFormatOf, type OutputFormat } from '../../photo/output-format.js';
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
}

/** The planned files of a photo, target by target; of one left for review only the overlay. Nothing is written yet. */
export async function encodeOutputs(
  photo: Photo,
  results: readonly CropResult[],
  planned: PlannedPhoto,
  encode: EncodeOptions,
): Promise<EncodedOutput[][]> {
  const perTarget: EncodedOutput[][] = [];
  for (const [target, result] of results.entries()) {
    const names = result.verdict === 'review' ? [] : planned.crops[target]!;
    const files: EncodedOutput[] = [];
    for (const [k, crop] of bestFirst(result).slice(0, names.length).entries()) {
      const name = names[k]!;
      const image = await encodeCrop(photo, { ...encode, ...formatFor(name, encode), ...pictureOf(result, crop) });
      files.push({ path: name, bytes: image.bytes, leftOut: image.leftOut });
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
