import path from 'node:path';
import { CropJournal } from '../../batch/journal/crop-journal.js';
import { hasOneOf } from '../../batch/journal/content-hash.js';
import { readEarlierRuns, type EarlierRuns, type JournalPlace } from '../../batch/journal/journal-file.js';
import { openCropper, type Cropper, type PhotoWishes } from '../../cropper/cropper.js';
import { FramewrightError } from '../../base/errors.js';
import { readHints, type PhotoHint } from '../../batch/hints.js';
import { FALLBACKS } from '../../base/schema.js';
import { parseTargets, type Target } from '../../crop/target.js';
import type { CropRun } from '../../batch/run/batch-run.js';
import { cropRun, planOptions, type CropFlags } from './crop-flags.js';
import { withoutEarlierCrops } from '../../batch/plan/earlier-crops.js';
import { expandInputs, STDIN } from '../../batch/inputs.js';
import type { BatchInterrupt } from '../terminal/interrupt.js';
import { cropperOptionsOf } from '../options.js';
import { planOutputs, refuseExisting, REMEDY } from '../../batch/plan/plan-outputs.js';
import { filesOf, STDOUT, type PlannedPhoto } from '../../batch/plan/planned-photo.js';
import { journalPlace, outputFolder, refuseForeign, rememberedRun } from '../../batch/journal/run-memory.js';
import { ReviewList } from '../../batch/summaries/review-list.js';
import { cropAndTell, GO_ON, type RunOutcome } from '../terminal/run-end.js';
import { namedFiles, refuseSharedNames } from '../../batch/plan/shared-names.js';
import { readStdin } from '../terminal/stdin.js';
import { warnFallbacks, warnGivenUp, warnUntrained } from '../terminal/warnings.js';

/** Crops as the engine asked for decides. */
export async function cropByEngine(
  photos: readonly string[],
  flags: CropFlags,
  interrupt: BatchInterrupt,
): Promise<RunOutcome> {
  const { signal } = interrupt;
  const { run, place, earlier } = await prepare(photos, flags, signal);
  await using journal = place && (await CropJournal.open(place, earlier));
  if (!flags.dryRun && !flags.force && !flags.resume) {
    await refuseExisting(run.plan, journal?.isEmpty === false ? `${REMEDY}, --resume goes on` : REMEDY);
  }
  await using cropper = await open(flags, run.plan, signal);
  const memory = journal && (await rememberedRun(journal, run, cropper));
  if (memory && flags.resume) {
    process.stderr.write(`framewright: ${memory.finished.size} of ${run.plan.length} photos were done earlier\n`);
  }
  if (memory && flags.resume && !flags.force) await refuseForeign(run, memory);
  try {
    return await cropAndTell(cropper, run, interrupt, memory);
  } catch (error) {
    if (journal) process.stderr.write(GO_ON);
    throw error;
  }
}

/** Everything that can be refused without looking for earlier runs is refused here, before the model is loaded. */
async function prepare(
  photos: readonly string[],
  flags: CropFlags,
  signal: AbortSignal,
): Promise<{ run: CropRun; place?: JournalPlace; earlier?: EarlierRuns }> {
  const shared: readonly Target[] = parseTargets(flags.aspect, flags.size);
  const hints = flags.hints === undefined ? undefined : await readHints(flags.hints);
  if (photos.length === 0 && !hints) {
    throw new FramewrightError('USAGE', "missing required argument 'photos': name image files, or folders of them");
  }
  const named = photos.length > 0 ? photos : [...hints!.values()].map((hint) => hint.path);
  const found = await expandInputs(named, flags.recursive);
  for (const note of found.notes) process.stderr.write(`framewright: ${note}\n`);
  const stdin = found.photos.includes(STDIN) ? await readStdin(signal) : undefined;
  const place = flags.journal === false ? undefined : await journalPlace(found.photos, flags);
  const earlier = place && (await readEarlierRuns(place));
  const taken = await withoutEarlierCrops(found, place && earlier && { place, earlier });
  if (hints) tellUnused(hints, taken);
  const wishesOf = (photo: string): PhotoWishes => hints?.get(path.resolve(photo))?.wishes ?? {};
  const targetsOf = (photo: string): readonly Target[] => {
    const { aspects, sizes } = wishesOf(photo);
    return (aspects ?? sizes) ? parseTargets(aspects ?? [], sizes ?? []) : shared;
  };
  const options = { ...planOptions(flags), ...(stdin ? { stdinName: stdin.name } : {}) };
  const plan = await planOutputs(taken, targetsOf, options);
  if (!flags.dryRun) refuseStdout(plan, flags);
  const isNoted = !flags.dryRun && (plan.length > 1 || flags.resume || typeof flags.journal === 'string');
  const list = await reviewListPath(found.photos, flags);
  const written = namedFiles([
    ['--journal', isNoted ? place?.file : undefined],
    ['--report', flags.report],
    ['--contact-sheet', flags.contactSheet],
    ['--review-list', list],
  ]);
  await refuseSharedNames(written, plan, namedFiles([['--hints', flags.hints]]));
  // A run that goes on replaces what its first part has written about itself.
  const isOurs = async (file: string): Promise<boolean> =>
    isNoted && flags.resume && hasOneOf(earlier?.summaries.get(path.resolve(file)), file);
  const run: CropRun = {
    ...(await cropRun(plan, flags, signal, isOurs)),
    wishesOf: ({ input }) => wishesOf(input),
    ...(list === undefined ? {} : { review: await ReviewList.open(list, flags.force || (await isOurs(list))) }),
    ...(stdin ? { stdin } : {}),
  };
  return { run, ...(place && earlier && isNoted ? { place, earlier } : {}) };
}

/** A hint whose path is mistyped would be missed by nobody. */
function tellUnused(hints: ReadonlyMap<string, PhotoHint>, photos: readonly string[]): void {
  const taken = new Set(photos.map((photo) => path.resolve(photo)));
  const unused = [...hints].filter(([photo]) => !taken.has(photo)).map(([, hint]) => hint);
  if (unused.length === 0) return;
  const [{ from, path: first }] = unused as [PhotoHint];
  process.stderr.write(
    `framewright: ${unused.length} hints are for photos that are not among those given (${from}: ${first})\n`,
  );
}

/** Only where a crop may be left for review. */
async function reviewListPath(photos: readonly string[], flags: CropFlags): Promise<string | undefined> {
  const { minConfidence, fallback = 'review', dryRun } = flags;
  if (minConfidence === undefined || fallback !== 'review') return undefined;
  if (dryRun && flags.reviewList === undefined) return undefined;
  return flags.reviewList ?? path.join(await outputFolder(photos, flags.output), 'review.jsonl');
}

/** The bytes of a crop are for a program to read: nothing may be mixed into them, and there is to be a crop. */
function refuseStdout(
  plan: readonly PlannedPhoto[],
  { json, minConfidence, fallback = 'review' }: Pick<CropFlags, 'json' | 'minConfidence' | 'fallback'>,
): void {
  if (!plan.some((photo) => filesOf(photo).includes(STDOUT))) return;
  if (minConfidence !== undefined && fallback === 'review') {
    const others = FALLBACKS.filter((name) => name !== 'review').join(', ');
    throw new FramewrightError(
      'USAGE',
      `a crop left for review would leave stdout empty; choose another --fallback (${others}), or name a file with --output`,
    );
  }
  if (json) {
    throw new FramewrightError(
      'USAGE',
      'stdout cannot take both the crop and JSON; name a file with --output, or write none with --dry-run',
    );
  }
  if (process.stdout.isTTY) {
    throw new FramewrightError('USAGE', 'stdout is a terminal; name a file with --output, or redirect it');
  }
}

async function open(flags: CropFlags, plan: readonly PlannedPhoto[], signal: AbortSignal): Promise<Cropper> {
  const cropper = await openCropper({
    ...cropperOptionsOf(flags),
    engine: flags.engine,
    parallel: Math.max(1, Math.min(flags.jobs, plan.length)),
    faces: flags.faces,
    ...(flags.maxPixels === undefined ? {} : { maxPixels: flags.maxPixels }),
    signal,
  });
  warnUntrained(cropper);
  warnFallbacks(cropper, flags.gpu);
  warnGivenUp(cropper);
  return cropper;
}
