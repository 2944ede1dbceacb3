import { defined } from '../base/defined.js';
import { checkOptions } from '../base/options-check.js';
import { CROPPER_OPTIONS } from '../cropper/option-kinds.js';
import { FramewrightError } from '../base/errors.js';
import { CROP_DEFAULTS } from '../crop/defaults.js';
import { checkStraighten } from '../crop/straighten-wish.js';
import type { Cropper } from '../cropper/cropper.js';
import type { CropEachOptions, CropperOptions } from '../cropper/options.js';
import type { EncodeOptions } from '../photo/encode.js';
import type { BatchOptions } from './options.js';

type Filled = Required<
  Pick<
    BatchOptions,
    | ('inputs' | 'recursive' | 'aspects' | 'sizes' | 'journal' | 'resume' | 'signal' | 'noMore')
    | ('top' | 'overlay' | 'xmp' | 'keepTime' | 'force' | 'dryRun')
  >
>;

/** The options of a run with their defaults, free of contradictions. */
export type BatchSettings = Omit<BatchOptions, keyof Filled | 'cropper'> &
  Filled & {
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
  ...(['fit', 'background', 'enlarge', 'cameraFocus', 'place', 'margin', 'straighten', 'wholeText'] as const),
  ...(['candidates', 'votes', 'top', 'seed', 'temperature'] as const),
] satisfies readonly (keyof BatchOptions)[];

/** @throws FramewrightError USAGE for options that do not go together. */
export function settingsOf(options: BatchOptions): BatchSettings {
  refuseContradictions(options);
  checkStraighten(options.straighten);
  const { cropper, ...rest } = options;
  const isOpen = cropper !== undefined && 'cropEach' in cropper;
  if (cropper !== undefined && !isOpen) checkOptions('openCropper', cropper, CROPPER_OPTIONS);
  const { inputs = [], aspects = [], sizes = [] } = options;
  const { signal = new AbortController().signal, noMore = new AbortController().signal } = options;
  return {
    recursive: false,
    journal: true,
    resume: false,
    top: 1,
    overlay: false,
    xmp: false,
    keepTime: false,
    force: false,
    dryRun: false,
    ...defined(rest),
    ...{ inputs, aspects, sizes, signal, noMore },
    request: requestOf(options, signal),
    encode: { strip: options.strip ?? false, ...defined({ format: options.format, quality: options.quality }), signal },
    ...defined({ openCropper: isOpen ? cropper : undefined }),
    cropperOptions: {
      ...(isOpen ? {} : cropper),
      ...defined({ maxPixels: options.maxPixels, firstFrame: options.firstFrame }),
      signal,
    },
  };
}

/** In one order and with the defaults said, for a journal to know the same wishes by the same text. */
function requestOf(options: BatchOptions, signal: AbortSignal): BatchSettings['request'] {
  const { aspects = [], sizes = [], keep = [], focus, minConfidence, fallback, instruct } = options;
  const { candidates, votes, seed, temperature } = { ...CROP_DEFAULTS, ...defined(options) };
  const { minSize, fit, background, enlarge, cameraFocus, place, margin, straighten, wholeText = false } = options;
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
  if (options.resume && options.journal === false) {
    throw usage('--resume goes on from the journal, and --no-journal has none; leave out one');
  }
  if (options.fallback !== undefined && options.minConfidence === undefined) {
    throw usage('--fallback is for crops below --min-confidence; say how sure is sure enough');
  }
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
