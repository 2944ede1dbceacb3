import { defined } from '../../base/defined.js';
import type { Cropper } from '../../cropper/cropper.js';
import { FramewrightError } from '../../base/errors.js';
import type { Box, Size } from '../../base/geometry.js';
import type { HeldPhoto } from '../../cropper/held-photo.js';
import { fileSha256 } from '../../files/file-hash.js';
import type { CropRect, CropResult, Element } from '../../base/schema.js';
import type { HeldWishes } from '../../crop/wishes.js';
import type { HeldCropOptions } from '../../cropper/options.js';
import type { Stage } from '../../base/stages.js';
import { rescaleBox, rescaleElement } from './engine.js';
import type { Ablation, Method, PresentPhoto, SweepPoint } from './types.js';

/** 1 left out of the key how the model is used, but for the size of its picture. */
const KEY_VERSION = 2;

/** One way to use a loaded model. */
export interface VlmVariant {
  /** Default `vlm`. */
  readonly name?: string;
  /** Default 5. */
  readonly candidates?: number;
  /** Default 1. */
  readonly votes?: number;
  /** Stages to do without. */
  readonly without?: readonly Stage[];
  readonly sweeps?: readonly SweepPoint[];
  readonly ablation?: Ablation;
}

/** A photo of a cropper that is measured; see HeldPhoto. */
export type MeasuredPhoto = Pick<HeldPhoto, 'widthPx' | 'heightPx'> &
  AsyncDisposable & {
    crop(request?: HeldCropOptions): Promise<CropResult>;
    rank(rectangles: readonly CropRect[], request?: Pick<HeldWishes, 'without' | 'signal'>): Promise<readonly number[]>;
    analyse(request?: Pick<HeldWishes, 'signal'>): Promise<readonly Element[]>;
  };

/** What of a cropper is measured: one that is open here, or that of workers elsewhere. */
export interface MeasuredCropper extends Pick<Cropper, 'engine' | 'model' | 'runtimeInfo' | 'dispose'> {
  hold(photo: string, options?: Pick<HeldWishes, 'signal'>): Promise<MeasuredPhoto>;
}

export interface VlmMethodsOptions {
  /** Disposes the cropper after the run. Default false. */
  readonly ownsCropper?: boolean;
}

/**
 * Variants of one model as methods. What they share of a photo, each stage up to where they part, is computed once: the
 * photo stays in the model until the run is done with it, which takes a cropper opened with `parallel` twice the photos
 * evaluated at once. The keys hold the contents of every model file, how the manifest and the memory say the model is
 * used, the prompts' version and the options, so a journal never answers for another model.
 */
export async function vlmMethods(
  cropper: MeasuredCropper,
  variants: readonly VlmVariant[],
  { ownsCropper = false }: VlmMethodsOptions = {},
): Promise<Method[]> {
  const model = await modelKey(cropper);
  const held = new HeldPhotos(cropper);
  return variants.map(({ name = 'vlm', candidates = 5, votes = 1, without = [], sweeps, ablation }): Method => {
    const stages = without.length > 0 ? { without } : {};
    return {
      name,
      key: JSON.stringify({ ...model, candidates, votes, ...stages }),
      needsPixels: true,
      ...defined({ sweeps, ablation }),
      crop: async (photo, { signal, aspect }) => {
        const inModel = await held.of(photo, signal);
        const result = await inModel.crop({ candidates, votes, ...stages, ...defined({ signal, aspect }) });
        const from = { width: result.photo.widthPx, height: result.photo.heightPx };
        const chosen = result.candidates[result.best]!;
        const others = result.candidates.filter((candidate) => candidate !== chosen);
        others.sort((a, b) => b.modelScore - a.modelScore);
        return [chosen, ...others].map(({ box }) => rescaleBox(box, from, photo.size));
      },
      rank: async (photo, boxes, { signal }) => {
        const inModel = await held.of(photo, signal);
        const rects = boxes.map((box) => rectOf(rescaleBox(box, photo.size, sizeOf(inModel)), sizeOf(inModel)));
        return inModel.rank(rects, { ...stages, ...defined({ signal }) });
      },
      analyse: async (photo, { signal }) => {
        const inModel = await held.of(photo, signal);
        const elements = await inModel.analyse(signal ? { signal } : {});
        return elements.map((element) => rescaleElement(element, sizeOf(inModel), photo.size));
      },
      photoDone: (photo) => held.release(photo),
      ...(ownsCropper ? { close: () => cropper.dispose() } : {}),
    };
  });
}

/** The model used in one way. */
export async function vlmMethod(
  cropper: MeasuredCropper,
  options: VlmVariant & VlmMethodsOptions = {},
): Promise<Method> {
  const [method] = await vlmMethods(cropper, [options], options);
  return method!;
}

async function modelKey(cropper: MeasuredCropper): Promise<object> {
  if (!cropper.model) throw new FramewrightError('USAGE', `the engine ${cropper.engine} has no model to evaluate`);
  const { sha256, mmprojSha256, promptVersion, loras, use, kvType, flashAttention } = cropper.model;
  const adapters = await Promise.all(loras.map(async ({ path, scale }) => ({ sha256: await fileSha256(path), scale })));
  const { backend } = cropper.runtimeInfo!;
  const attention = flashAttention === 'auto' ? `auto on ${backend}` : flashAttention;
  return {
    version: KEY_VERSION,
    sha256,
    mmprojSha256,
    promptVersion,
    adapters,
    use,
    kvType,
    flashAttention: attention,
  };
}

/** The photos of a run that are in the model. */
class HeldPhotos {
  readonly #cropper: MeasuredCropper;
  readonly #held = new Map<string, Promise<MeasuredPhoto>>();

  constructor(cropper: MeasuredCropper) {
    this.#cropper = cropper;
  }

  async of({ id, path }: PresentPhoto, signal: AbortSignal | undefined): Promise<MeasuredPhoto> {
    if (path === undefined) throw new FramewrightError('INPUT_NOT_FOUND', `${id} is not in the data set's folder`);
    const held = this.#held.get(path) ?? this.#cropper.hold(path, signal ? { signal } : {});
    this.#held.set(path, held);
    try {
      return await held;
    } catch (error) {
      this.#held.delete(path);
      throw error;
    }
  }

  async release({ path }: PresentPhoto): Promise<void> {
    if (path === undefined) return;
    const held = this.#held.get(path);
    this.#held.delete(path);
    await (await held)?.[Symbol.asyncDispose]();
  }
}

function sizeOf({ widthPx, heightPx }: Pick<HeldPhoto, 'widthPx' | 'heightPx'>): Size {
  return { width: widthPx, height: heightPx };
}

/** Whole pixels inside the photo, at least one each way. */
function rectOf([x1, y1, x2, y2]: Box, { width, height }: Size): CropRect {
  const x = Math.max(0, Math.min(width - 1, Math.round(x1)));
  const y = Math.max(0, Math.min(height - 1, Math.round(y1)));
  const right = Math.max(x + 1, Math.min(width, Math.round(x2)));
  const bottom = Math.max(y + 1, Math.min(height, Math.round(y2)));
  return { x, y, width: right - x, height: bottom - y };
}
