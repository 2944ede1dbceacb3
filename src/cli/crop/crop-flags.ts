import { defined } from '../../base/defined.js';
import type { CropRect, EngineName, Fallback, Fit } from '../../base/schema.js';
import type { BatchOptions, XmpWay } from '../../batch/options.js';
import type { WatchOptions } from '../../batch/watch/watch-batch.js';
import type { Focus } from '../../crop/focus.js';
import type { Place } from '../../crop/place.js';
import type { Straighten } from '../../crop/straighten-wish.js';
import type { SidecarName } from '../../photo/metadata/sidecar-path.js';
import type { SeriesWish } from '../../cropper/series/series-wish.js';
import type { OutputFormat } from '../../photo/output-format.js';
import { cropperOptionsOf, type ModelFlags } from '../options.js';
import type { BatchInterrupt } from '../terminal/interrupt.js';
import { readStdin } from '../terminal/stdin.js';
import { writeToStdout } from '../terminal/stdout.js';

/** The options of `framewright crop`, as commander has them. */
export interface CropFlags extends ModelFlags {
  readonly engine: readonly EngineName[];
  readonly index?: string;
  readonly output?: string;
  readonly aspect: readonly string[];
  readonly size: readonly string[];
  /** The sizes they stand for. */
  readonly preset: readonly string[];
  readonly candidates: number;
  readonly top: number;
  readonly votes: number;
  readonly keep: readonly CropRect[];
  readonly focus?: Focus;
  readonly faces: boolean;
  readonly hints?: string;
  readonly minSize?: number;
  readonly fit?: Fit;
  readonly background?: string;
  readonly enlarge: boolean;
  readonly cameraFocus: boolean;
  readonly place?: Place;
  readonly margin?: string;
  readonly minConfidence?: number;
  readonly fallback?: Fallback;
  readonly reviewList?: string;
  readonly instruct?: string;
  readonly straighten?: Straighten;
  readonly series?: SeriesWish;
  readonly like?: string;
  readonly wholeText: boolean;
  readonly format?: OutputFormat;
  readonly quality?: number;
  readonly strip: boolean;
  readonly firstFrame: boolean;
  readonly name?: string;
  readonly lossless: boolean;
  readonly keepTime: boolean;
  readonly xmp: boolean | XmpWay;
  readonly xmpName?: SidecarName;
  readonly overlay: boolean;
  readonly dryRun: boolean;
  readonly recursive: boolean;
  readonly jobs: number | 'auto';
  readonly watch: boolean;
  readonly resume: boolean;
  readonly journal: string | boolean;
  readonly force: boolean;
  readonly json: boolean;
  readonly seed: number;
  readonly temperature: number;
  readonly maxPixels?: number;
  readonly report?: string;
  readonly contactSheet?: string;
  readonly choices?: string;
}

/** The run the flags ask for. */
export function batchOptionsOf(
  photos: readonly string[],
  flags: CropFlags,
  { signal, noMore }: Pick<BatchInterrupt, 'signal' | 'noMore'>,
): BatchOptions {
  const shared = { ...filesOf(flags), stdin: readStdin, stdout: writeToStdout, signal, noMore };
  return flags.choices === undefined ? { ...shared, ...cropsOf(photos, flags) } : { ...shared, choices: flags.choices };
}

/** The watch the flags ask for. */
export function watchOptionsOf(
  folders: readonly string[],
  flags: CropFlags,
  { signal, noMore }: Pick<BatchInterrupt, 'signal' | 'noMore'>,
): WatchOptions {
  const { report, contactSheet, dryRun, force, ...files } = filesOf(flags);
  const { inputs = [], journal, resume, hints, series, ...crops } = cropsOf(folders, flags);
  const noted = typeof journal === 'string' ? { journal } : {};
  return { ...files, ...crops, ...noted, inputs, signal, noMore };
}

type FileOption =
  | ('overlay' | 'xmp' | 'lossless' | 'keepTime' | 'dryRun' | 'force' | 'strip' | 'firstFrame')
  | ('output' | 'name' | 'xmpName' | 'report' | 'contactSheet' | 'format' | 'quality' | 'maxPixels');

/** How and where crops are written, whoever has decided on them. */
export function filesOf(flags: CropFlags): Pick<BatchOptions, FileOption> {
  const { output, name, overlay, xmp, lossless, keepTime, dryRun, force, report, contactSheet } = flags;
  const { format, quality, strip, firstFrame, maxPixels, xmpName } = flags;
  return {
    ...{ overlay, xmp, lossless, keepTime, dryRun, force, strip, firstFrame },
    ...defined({ output, name, report, contactSheet, format, quality, maxPixels, xmpName }),
  };
}

/** Which crops are found, and how. */
export function cropsOf(photos: readonly string[], flags: CropFlags): BatchOptions {
  const { candidates, top, votes, keep, focus, minSize, seed, temperature, minConfidence, fallback, instruct } = flags;
  const { fit, background, enlarge, place, margin, straighten, series, like } = flags;
  const { recursive, journal, resume, reviewList, hints, engine, faces } = flags;
  return {
    inputs: photos,
    aspects: flags.aspect,
    sizes: [...flags.size, ...flags.preset],
    ...{ candidates, top, votes, keep, seed, temperature, recursive, journal, resume },
    ...(enlarge ? { enlarge } : {}),
    ...(flags.wholeText ? { wholeText: true } : {}),
    ...(flags.cameraFocus ? {} : { cameraFocus: false }),
    ...defined({
      focus,
      minSize,
      fit,
      background,
      place,
      margin,
      minConfidence,
      fallback,
      instruct,
      straighten,
      series,
      like,
      reviewList,
      hints,
    }),
    cropper: { ...cropperOptionsOf(flags), engine, faces, parallel: flags.jobs, ...defined({ index: flags.index }) },
  };
}
