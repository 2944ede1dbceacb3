import type { OutputFormat } from '../../photo/output-format.js';
import type { CropRect, EngineName, Fallback } from '../../base/schema.js';
import type { Focus } from '../../crop/focus.js';
import type { CropRun } from '../../batch/run/batch-run.js';
import type { ModelFlags } from '../options.js';
import type { PlanOptions } from '../../batch/plan/plan-outputs.js';
import type { PlannedPhoto } from '../../batch/plan/planned-photo.js';
import { openSummaries } from '../../batch/summaries/overviews.js';

/** The options of `framewright crop`, as commander has them. */
export interface CropFlags extends ModelFlags {
  readonly engine: EngineName;
  readonly output?: string;
  readonly aspect: readonly string[];
  readonly size: readonly string[];
  readonly candidates: number;
  readonly top: number;
  readonly votes: number;
  readonly keep: readonly CropRect[];
  readonly focus?: Focus;
  readonly faces: boolean;
  readonly hints?: string;
  readonly minSize: number;
  readonly minConfidence?: number;
  readonly fallback?: Fallback;
  readonly reviewList?: string;
  readonly instruct?: string;
  readonly format?: OutputFormat;
  readonly quality?: number;
  readonly strip: boolean;
  readonly name?: string;
  readonly keepTime: boolean;
  readonly xmp: boolean;
  readonly overlay: boolean;
  readonly dryRun: boolean;
  readonly recursive: boolean;
  readonly jobs: number;
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

export function planOptions(flags: CropFlags): PlanOptions {
  return {
    top: flags.top,
    overlay: flags.overlay,
    xmp: flags.xmp,
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.output === undefined ? {} : { output: flags.output }),
    ...(flags.format === undefined ? {} : { extension: flags.format === 'jpeg' ? '.jpg' : `.${flags.format}` }),
  };
}

/**
 * The run the options ask for, of photos whose files are named.
 *
 * @param isOurs which files an earlier part of the run has written about itself
 */
export async function cropRun(
  plan: readonly PlannedPhoto[],
  flags: CropFlags,
  signal: AbortSignal,
  isOurs: (file: string) => Promise<boolean> = () => Promise.resolve(false),
): Promise<CropRun> {
  const nCrops = plan.flatMap(({ crops }) => crops).length;
  return {
    plan,
    wishesOf: () => ({}),
    dryRun: flags.dryRun,
    json: flags.json,
    verbose: flags.verbose,
    resume: flags.resume,
    summaries: await openSummaries(flags, plan.length, nCrops, isOurs),
    request: {
      aspects: flags.aspect,
      sizes: flags.size,
      candidates: flags.candidates,
      votes: flags.votes,
      keep: flags.keep,
      minSize: flags.minSize,
      ...(flags.focus ? { focus: flags.focus } : {}),
      seed: flags.seed,
      temperature: flags.temperature,
      ...(flags.minConfidence === undefined ? {} : { minConfidence: flags.minConfidence }),
      ...(flags.fallback === undefined ? {} : { fallback: flags.fallback }),
      ...(flags.instruct === undefined ? {} : { instruct: flags.instruct }),
      signal,
    },
    ...(flags.maxPixels === undefined ? {} : { maxPixels: flags.maxPixels }),
    force: flags.force,
    keepTime: flags.keepTime,
    encode: {
      strip: flags.strip,
      ...(flags.format === undefined ? {} : { format: flags.format }),
      ...(flags.quality === undefined ? {} : { quality: flags.quality }),
      signal,
    },
  };
}
