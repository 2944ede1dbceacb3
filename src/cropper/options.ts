import type { FamilyName } from '../../gguf/index.js';
import type { CropResult, EngineName } from '../base/schema.js';
import type { TargetOutcome } from '../crop/pipeline.js';
import type { Like } from '../crop/carry/reference.js';
import type { CropWishes, HeldWishes } from '../crop/wishes.js';
import type { ModelIdentity } from '../engines/engine.js';
import type { ModelUse } from '../model/manifest.js';
import type { Photo } from '../photo/decode.js';
import type { EncodedCrop } from '../photo/crop-file.js';
import type { EncodeOptions } from '../photo/encode.js';
import type { PixelBudget } from '../photo/frame.js';
import type { PhotoInput } from '../photo/input-kinds.js';
import type { CacheSettings, VlmOptions } from '../vlm/open.js';
import type { SeriesWish } from './series/series-wish.js';

export interface CropperOptions extends VlmOptions {
  /**
   * `vlm` (default) is the model; `retrieval` carries over what people did with photos like this one, which the model's vision
   * tower finds; `faces` crops around the heads it finds, with the packages that `faces` needs; the others are plain functions
   * that load none.
   *
   * Several are asked in turn, each for what the ones before have no crop for: `faces` where it finds no face, any where no
   * crop of its own meets the wishes, its confidence is below `minConfidence`, or a model has given no valid answer. `centre`
   * and `full` have a crop for every photo. A model that cannot be opened is an error all the same.
   */
  readonly engine?: EngineName | readonly EngineName[];
  /** For the engine `retrieval`: a file that `framewright index build` made. Default: the one of free photos that comes with the package. */
  readonly index?: string;
  /**
   * Photos that go through the model at once, as parallel sequences: 1 (default) to 128. `auto`: of a batch as many as are
   * found to gain in its first seconds, each by itself, so that all answers are those of 1; of a model that is given
   * more than one thread, or runs on a GPU, that is 1.
   */
  readonly parallel?: number | 'auto';
  /** Largest photo taken, in pixels. Default 268,402,689 (16383 x 16383). */
  readonly maxPixels?: number;
  /**
   * Of an animated GIF, WebP or PNG, crop the first frame alone. Default false: five frames say where to crop, one rectangle
   * serves them all, and a crop as GIF or WebP (of an APNG as PNG too) has every frame with its time.
   */
  readonly firstFrame?: boolean;
  /**
   * Of a camera's raw file, look at the JPEG preview in it: for sidecars, since pictures come out as previews. Default false:
   * it is refused.
   */
  readonly rawPreview?: boolean;
  /**
   * Find the heads of people and keep them whole, with room above and beside and down to the shoulders where there is some;
   * of heads too far apart for a ratio as many as a crop of it takes, and the result's notes say so. Needs the packages @vladmandic/face-api,
   * @tensorflow/tfjs and @tensorflow/tfjs-backend-wasm. Default false.
   */
  readonly faces?: boolean;
  /** Ends the opening, and everything the cropper does later. */
  readonly signal?: AbortSignal;
}

export interface CropOptions extends CropWishes {
  /** `4:5`, `16/9`, `1.91:1`. Default: any shape. */
  readonly aspect?: string;
  /** `1080x1350`: fixes the ratio, and the size of what is written. Not together with `aspect`. */
  readonly size?: string;
  /** As of a batch. */
  readonly like?: Like;
}

/** What may be asked of one crop of a held photo. */
export interface HeldCropOptions extends Pick<
  HeldWishes,
  'candidates' | 'votes' | 'minSize' | 'without' | 'onConversation' | 'onThought' | 'signal'
> {
  /** As of any crop. */
  readonly aspect?: string;
}

export interface CropEachOptions extends CropWishes {
  /** Several crops of each photo from one analysis: one result each, aspects first. */
  readonly aspects?: readonly string[];
  readonly sizes?: readonly string[];
  /**
   * Whose crops are to be one: the first of a series is cropped as ever, and in the others its crop is where the same things
   * are. `auto`: photos taken one soon after the other (EXIF; those that say no time: neighbours in order) that show the same;
   * `folder`: all photos of a folder, those that do not show the same by their subjects' size and place. All photos are
   * looked at before the first is cropped. Not together with `keep` and `focus`; photos with wishes of their own are on their
   * own. Default `off`.
   */
  readonly series?: SeriesWish;
  /**
   * A reference that crops are to be like: the subject as large in them, and where, as in its crop, and of its proportions
   * where no others are asked for. Photos in which no subject is found are cropped as ever, and the notes say so. Not together
   * with `place`, `margin` and `focus`.
   */
  readonly like?: Like;
}

/** One crop of one photo as a picture. */
export interface CropFileOptions extends CropOptions, Omit<EncodeOptions, 'signal'> {}

/** An encoded crop, and where and why it was cut. */
export interface CroppedImage extends EncodedCrop {
  readonly result: CropResult;
}

/** What may be wished of one photo of a batch. */
export type PhotoWishes = Pick<
  CropEachOptions,
  | ('aspects' | 'sizes' | 'keep' | 'focus' | 'cameraFocus' | 'minSize' | 'straighten' | 'instruct')
  | ('place' | 'margin' | 'fit' | 'background' | 'enlarge')
>;

/** A photo of a batch with wishes of its own; each takes the place of the batch's, and `fit` of `background` and `enlarge` too. */
export interface PhotoTask extends PhotoWishes {
  readonly input: PhotoInput;
  /** How errors name a photo that has no path. */
  readonly name?: string;
  /** With `series`: what was made of the photo before. It is not cropped again, and the others of its series follow it. */
  readonly results?: readonly CropResult[];
}

/** The crops of one photo, or why there are none. */
export type PhotoOutcome =
  | {
      readonly input: PhotoInput;
      readonly photo: Photo;
      /** Those made: one for each target that can be met, in order. At least one. */
      readonly results: readonly CropResult[];
      /** What became of each aspect and size, in order. */
      readonly targets: readonly TargetOutcome[];
    }
  | { readonly input: PhotoInput; readonly results?: undefined; readonly error: unknown };

export interface CropAllOptions extends CropEachOptions {
  /**
   * Called for a photo, or an aspect or size of one, that cannot be cropped, which is then left out; without it the first such
   * error ends the run.
   */
  readonly onError?: (error: unknown, input: PhotoInput) => void;
}

/** The weights and prompts at work, and how they are used: with the photo and the options, all that decides a crop. */
export interface ModelAtWork extends ModelIdentity, CacheSettings {
  readonly trained: boolean;
  readonly pixelBudget: PixelBudget;
  readonly family: FamilyName;
  readonly use: ModelUse;
}
