import type { Cropper } from '../../cropper.js';
import { FramewrightError } from '../../errors.js';
import type { Box, Size } from '../../geometry.js';
import { fileSha256 } from '../../model/file-hash.js';
import { photoSize } from '../datasets/photos.js';
import type { CropRect } from '../../schema.js';
import { rescaleBox, rescaleElement } from './engine.js';
import type { Method, PresentPhoto, SweepPoint } from './types.js';

export interface VlmMethodOptions {
  /** Default `vlm`. */
  readonly name?: string;
  readonly candidates?: number;
  readonly votes?: number;
  readonly sweep?: SweepPoint;
  /** Disposes the cropper after the run. Default false. */
  readonly ownsCropper?: boolean;
}

/**
 * The model as a method. Its key holds the contents of every model file, the prompts' version and the options, so a
 * journal never answers for another model.
 */
export async function vlmMethod(cropper: Cropper, options: VlmMethodOptions = {}): Promise<Method> {
  const { name = 'vlm', candidates = 5, votes = 1, sweep, ownsCropper = false } = options;
  if (!cropper.model) throw new FramewrightError('USAGE', `the engine ${cropper.engine} has no model to evaluate`);
  const { sha256, mmprojSha256, promptVersion, loras } = cropper.model;
  const adapters = await Promise.all(loras.map(async ({ path, scale }) => ({ sha256: await fileSha256(path), scale })));
  const key = JSON.stringify({ sha256, mmprojSha256, promptVersion, adapters, candidates, votes });
  return {
    name,
    key,
    needsPixels: true,
    ...(sweep ? { sweep } : {}),
    crop: async (photo, { signal }) => {
      const result = await cropper.crop(pathOf(photo), { candidates, votes, ...(signal ? { signal } : {}) });
      const from = { width: result.photo.widthPx, height: result.photo.heightPx };
      const chosen = result.candidates[result.best]!;
      const others = result.candidates.filter((candidate) => candidate !== chosen);
      others.sort((a, b) => b.modelScore - a.modelScore);
      return [chosen, ...others].map(({ box }) => rescaleBox(box, from, photo.size));
    },
    rank: async (photo, boxes, { signal }) => {
      const path = pathOf(photo);
      const to = await photoSize(path);
      const rects = boxes.map((box) => rectOf(rescaleBox(box, photo.size, to), to));
      return cropper.rank(path, rects, signal ? { signal } : {});
    },
    analyse: async (photo, { signal }) => {
      const path = pathOf(photo);
      const from = await photoSize(path);
      const elements = await cropper.analyse(path, signal ? { signal } : {});
      return elements.map((element) => rescaleElement(element, from, photo.size));
    },
    ...(ownsCropper ? { close: () => cropper.dispose() } : {}),
  };
}

function pathOf({ id, path }: PresentPhoto): string {
  if (path !== undefined) return path;
  throw new FramewrightError('INPUT_NOT_FOUND', `${id} is not in the data set's folder`);
}

/** Whole pixels inside the photo, at least one each way. */
function rectOf([x1, y1, x2, y2]: Box, { width, height }: Size): CropRect {
  const x = Math.max(0, Math.min(width - 1, Math.round(x1)));
  const y = Math.max(0, Math.min(height - 1, Math.round(y1)));
  const right = Math.max(x + 1, Math.min(width, Math.round(x2)));
  const bottom = Math.max(y + 1, Math.min(height, Math.round(y2)));
  return { x, y, width: right - x, height: bottom - y };
}
