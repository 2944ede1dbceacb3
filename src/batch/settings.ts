import { defined } from '../base/defined.js';
import { checkOptions, received } from '../base/options-check.js';
import { CROPPER_OPTIONS } from '../cropper/option-kinds.js';
import { FramewrightError } from '../base/errors.js';
import { CROP_DEFAULTS } from '../crop/defaults.js';
import { refuseBesideLike } from '../crop/carry/reference.js';
import { checkStraighten } from '../crop/straighten-wish.js';
import type { Cropper } from '../cropper/cropper.js';
import type { CropEachOptions, CropperOptions } from '../cropper/options.js';
import { checkSeries } from '../cropper/series/series-wish.js';
import { findJpegtran } from '../photo/lossless/jpegtran.js';
import type { EncodeOptions } from '../photo/encode.js';
import { XMP_WAYS, type BatchOptions, type XmpWay } from './options.js';

type Filled = Required<
  Pick<
    BatchOptions,
    | ('inputs' | 'recursive' | 'aspects' | 'sizes' | 'journal' | 'resume' | 'signal' | 'noMore')
    | ('top' | 'overlay' | 'lossless' | 'keepTime' | 'force' | 'dryRun')
  >
>;

/** The options of a run with their defaults, free of contradictions. */
export type BatchSettings = Omit<BatchOptions, keyof Filled | 'cropper' | 'xmp'> &
  Filled & {
    /** Undefined: nowhere. */
    readonly xmp: XmpWay | undefined;
    /** Raw files are photos too: sidecars are all that is made of them. */
    readonly rawPreview: boolean;
    /** What is wished of all photos. */
    readonly request: CropEachOptions & { readonly signal: AbortSignal };
    readonly encode: EncodeOptions & { readonly signal: AbortSignal };
    /** The one to use, which is not ours to close. */
    readonly openCropper?: Cropper;
    /** How to open one otherwise. */
    readonly cropperOptions: CropperOptions;
  };

/** What choices say themselves, or what means nothing without a cropper. */
const SAID_BY_CHOICES = ['inputs', 'aspects', 'sizes', 'filter'] as const satisfies readonly (keyof BatchOptions)[];
const IDLE_BESIDE_CHOICES = [
  ...(['hints', 'resume', 'reviewList', 'keep', 'focus', 'minSize', 'minConfidence', 'fallback', 'instruct'] as const),
  ...(['fit', 'background', 'enlarge', 'cameraFocus', 'place', 'margin'] as const),
  ...(['straighten', 'wholeText', 'series', 'like'] as const),
  ...(['candidates', 'votes', 'top', 'seed', 'temperature'] as const),
] satisfies readonly (keyof BatchOptions)[];

/** @throws FramewrightError USAGE for options that do not go together. */
export function settingsOf(options: BatchOptions): BatchSettings {
  refuseContradictions(options);
  checkStraighten(options.straighten);
  checkSeries(options.series, options);
  const { cropper, xmp, ...rest } = options;
  const isOpen = cropper !== undefined && 'cropEach' in cropper;
  if (cropper !== undefined && !isOpen) checkOptions('openCropper', cropper, CROPPER_OPTIONS);
  const { inputs = [], aspects = [], sizes = [], output, overlay = false } = options;
  const way = xmpWayOf(xmp);
  // An open cropper has a setting of its own.
  const rawPreview = way !== undefined && output === undefined && !overlay && !isOpen;
  const { signal = new AbortController().signal, noMore = new AbortController().signal } = options;
  return {
    recursive: false,
    journal: true,
    resume: false,
    top: 1,
    overlay: false,
    lossless: false,
    keepTime: false,
    force: false,
    dryRun: false,
    ...defined(rest),
    ...{ inputs, aspects, sizes, signal, noMore },
    xmp: way,
    rawPreview,
    request: requestOf(options, signal),
    encode: { strip: options.strip ?? false, ...defined({ format: options.format, quality: options.quality }), signal },
    ...defined({ openCropper: isOpen ? cropper : undefined }),
    cropperOptions: {
      ...(isOpen ? {} : cropper),
      ...defined({ maxPixels: options.maxPixels, firstFrame: options.firstFrame }),
      rawPreview,
      signal,
    },
  };
}

/** @throws FramewrightError USAGE */
function xmpWayOf(xmp: unknown): XmpWay | undefined {
  if (xmp === undefined || xmp === false) return undefined;
  const way = xmp === true ? 'sidecar' : XMP_WAYS.find((each) => each === xmp);
  if (way) return way;
  throw usage(`Expected xmp to be true, false, ${XMP_WAYS.join(' or ')} but received ${received(xmp)}`);
}

/** In one order and with the defaults said, for a journal to know the same wishes by the same text. */
function requestOf(options: BatchOptions, signal: AbortSignal): BatchSettings['request'] {
  const { aspects = [], sizes = [], keep = [], focus, minConfidence, fallback, instruct } = options;
  const { candidates, votes, seed, temperature } = { ...CROP_DEFAULTS, ...defined(options) };
  const { minSize, fit, background, enlarge, cameraFocus, place, margin, straighten } = options;
  const { wholeText = false, series, like } = options;
  return {
    ...defined({
      aspects,
      sizes,
      candidates,
      votes,
      keep,
      minSize,
      // Left out where it changes nothing, so that journals of before it are still known.
      straighten: straighten === 'off' ? undefined : straighten,
      series: series === 'off' ? undefined : series,
      like,
      wholeText: wholeText || undefined,
      fit,
      background,
      enlarge,
      cameraFocus,
      place,
      margin,
      focus,
      seed,
      temperature,
      minConfidence,
      fallback,
      instruct,
    }),
    signal,
  };
}

function refuseContradictions(options: BatchOptions): void {
  const { top = 1, candidates = CROP_DEFAULTS.candidates } = options;
  if (options.choices !== undefined) refuseBesideChoices(options.choices, options);
  if (top > candidates) throw usage(`--top ${top} is more than the ${candidates} candidates; raise --candidates`);
  if (options.like !== undefined) refuseBesideLike(options);
  if (options.like !== undefined && top > 1) {
    throw usage(`--like asks for one crop a photo, and --top ${top} for more; leave out one`);
  }
  if (options.resume && options.journal === false) {
    throw usage('--resume goes on from the journal, and --no-journal has none; leave out one');
  }
  if (options.lossless === true) refuseBesideLossless(options);
  if (options.fallback !== undefined && options.minConfidence === undefined) {
    throw usage('--fallback is for crops below --min-confidence; say how sure is sure enough');
  }
}

/** What takes pixels of its own. */
function refuseBesideLossless({ sizes = [], format, quality, straighten, fit, enlarge }: BatchOptions): void {
  const isAsked = {
    size: sizes.length > 0,
    format: format !== undefined && format !== 'jpeg',
    quality: quality !== undefined,
    straighten: straighten !== undefined && straighten !== 'off',
    fit: fit === 'pad' || fit === 'blur',
    enlarge: enlarge === true,
  };
  const [other] = Object.entries(isAsked).find(([, isGiven]) => isGiven) ?? [];
  if (other !== undefined) {
    throw usage(`--lossless cuts a JPEG as it is, and --${other} makes other pixels of it; leave out one of them`);
  }
  findJpegtran();
}

function refuseBesideChoices(file: string, options: BatchOptions): void {
  const isGiven = (name: keyof BatchOptions): boolean => {
    const value = options[name];
    return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
  };
  if (SAID_BY_CHOICES.some(isGiven)) {
    throw usage(`--choices ${file} names the photos and their ratios itself; leave these out`);
  }
  const idle = IDLE_BESIDE_CHOICES.find(isGiven);
  if (idle !== undefined) {
    throw usage(`--choices ${file} says itself where to crop, and ${idle} changes nothing about it; leave it out`);
  }
}

function usage(message: string): FramewrightError {
  return new FramewrightError('USAGE', message);
}
