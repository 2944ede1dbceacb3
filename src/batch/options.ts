import type { Cropper } from '../cropper/cropper.js';
import type { CropEachOptions, CropperOptions } from '../cropper/options.js';
import type { EncodeOptions } from '../photo/encode.js';
import type { SidecarName } from '../photo/metadata/sidecar-path.js';

/** A photo whose bytes come from elsewhere than a file. */
export interface StdinPhoto {
  readonly bytes: Uint8Array;
  /** As a file would be called: its extension says the format, if it has one we know. */
  readonly name: string;
}

/** Where in XMP crops are noted. */
export const XMP_WAYS = ['sidecar', 'embed'] as const;
export type XmpWay = (typeof XMP_WAYS)[number];

/**
 * Where a run's photos come from, what is wished of them, and where what it makes goes. Paths are relative to the current
 * folder. Errors name options as the command does: `--output`.
 */
export interface BatchOptions
  extends
    Omit<CropEachOptions, 'onProgress' | 'onConversation' | 'onThought' | 'signal'>,
    Omit<EncodeOptions, 'signal'> {
  /**
   * Files, folders (the photos in them, sorted by name) and patterns such as `in/*.jpg`; `-` is the photo that `stdin`
   * gives. Crops that earlier runs have put among them are left out. Default: the photos of `hints`.
   */
  readonly inputs?: readonly string[];
  /** Look below folders. Default false. */
  readonly recursive?: boolean;
  /** Of the photos found, only those it is true of, by their paths. Default: all. */
  readonly filter?: (photo: string) => boolean;
  /**
   * A cropper, which stays open, or what to open one with (its `parallel` then is at most the number of photos). Default:
   * opened with the library's defaults. Not looked at beside `choices`.
   */
  readonly cropper?: Cropper | Omit<CropperOptions, 'maxPixels' | 'firstFrame' | 'signal'>;
  /** Largest photo taken, in pixels. Default 268,402,689 (16383 x 16383). An open cropper has a limit of its own. */
  readonly maxPixels?: number;
  /** Of animated GIF, WebP and PNG, crop the first frame alone. Default false. An open cropper has a setting of its own. */
  readonly firstFrame?: boolean;

  /**
   * File, folder (one that is there, a name without an extension, or any name where several files are made), or `-` for
   * `stdout`. Folders are made. Default: beside each photo, and `stdout` for the one from `stdin`.
   */
  readonly output?: string;
  /**
   * Template of the files' names in their folder, of `{name}`, `{dir}` (where the photo lies below the folder it was found
   * in, with `recursive`), `{aspect}`, `{rank}`, `{index}` and `{ext}`. Default `{dir}/{name}-{aspect}{ext}`, the aspect being `4x5`, `1080x1350`, or `crop` for one of any shape.
   */
  readonly name?: string;
  /** Best candidates written, 1..candidates. Default 1. */
  readonly top?: number;
  /** Also write each photo with composition and candidates drawn on it. Default false. */
  readonly overlay?: boolean;
  /**
   * Note the crops in XMP; pictures are then written only where `output` says so. `sidecar`, or true: in a file beside each
   * photo; `embed`: in the photo's own XMP where it is JPEG, TIFF, PNG or HEIC, its pictures untouched, and beside what has
   * no place for it. Default false.
   */
  readonly xmp?: boolean | XmpWay;
  /**
   * What sidecars are called: `x.xmp` as Lightroom and Camera Raw call them, `x.jpg.xmp` as darktable and digiKam do.
   * Default: the second where there is one already, or the first is another file's; else the first.
   */
  readonly xmpName?: SidecarName;
  /**
   * Cut JPEGs without decoding them, by the program jpegtran: two edges of a crop move outwards by up to 15 pixels, as its
   * result says. Photos whose crop would be encoded with loss all the same (HEIC, AVIF, most WebP) fail. Not with sizes,
   * another format, a quality, straightening or a canvas. Default false.
   */
  readonly lossless?: boolean;
  /** Give the crops the modification time of their photo. Default false. */
  readonly keepTime?: boolean;
  /** Replace files that are there. Default false: one that is there, and not known as an earlier run's, is refused. */
  readonly force?: boolean;
  /** Write no crops. Default false. */
  readonly dryRun?: boolean;

  /**
   * The file where a run of several photos notes what is done, for a later one to go on from. `true` (default): in the
   * folder it writes to, or where the photos lie; `false`: nowhere.
   */
  readonly journal?: string | boolean;
  /** Do not do again what an earlier run, under the same options, has done and noted. Default false. */
  readonly resume?: boolean;

  /** HTML page to look through the crops and pick others. Default: none. */
  readonly report?: string;
  /** Picture (its format by its name) of all photos with their crops. Default: none. */
  readonly contactSheet?: string;
  /**
   * JSON Lines of the crops left for a person to decide: those below `minConfidence` where `fallback` is `review`.
   * Default: `review.jsonl` in the output folder; none in a dry run.
   */
  readonly reviewList?: string;
  /** JSON Lines of wishes for single photos, as `readHints` takes them; a review list is such a file. */
  readonly hints?: string;
  /**
   * JSON Lines of crops picked by hand, `{"path", "box", "aspect" or "size"}`: these are made and nothing else, without a
   * cropper. They name the photos, and say where to crop, themselves; options that say so too are refused.
   */
  readonly choices?: string;

  /** The photo called `-`, asked for once it is needed. Default: none. */
  readonly stdin?: (signal: AbortSignal) => Promise<StdinPhoto>;
  /** Takes the bytes of the one crop that goes to `-`. Default: none. */
  readonly stdout?: (bytes: Uint8Array) => Promise<void>;
  /** Stops at once: the run rejects with its reason, and nothing is left half written. */
  readonly signal?: AbortSignal;
  /** Finishes the photo in hand and begins no other: the run resolves, with `isStopped`. */
  readonly noMore?: AbortSignal;
}
