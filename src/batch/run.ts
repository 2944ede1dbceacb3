import { stat, unlink } from 'node:fs/promises';
import { tokenOf, type CropJournal } from './crop-journal.js';
import { sha256Of } from './file-hash.js';
import type { SourceState } from './journal-record.js';
import type { Cropper } from '../cropper/cropper.js';
import type { CropEachOptions, PhotoOutcome, PhotoTask, PhotoWishes } from '../cropper/options.js';
import { FramewrightError } from '../base/errors.js';
import { decodePhoto, type Photo } from '../photo/decode.js';
import type { EncodeOptions } from '../photo/encode.js';
import { writeSidecar } from '../photo/metadata/sidecar.js';
import type { CropResult } from '../base/schema.js';
import { batchProgress } from '../cli/terminal/batch-progress.js';
import { STDIN } from './inputs.js';
import type { BatchInterrupt } from '../cli/terminal/interrupt.js';
import { encodeFiles, publishFile } from './photo-files.js';
import { filesOf, type PlannedPhoto } from './planned-photo.js';
import { isListOf, type ReviewList } from './review-list.js';
import { Progress } from '../cli/terminal/progress.js';
import type { StdinPhoto } from '../cli/terminal/stdin.js';
import type { Summary } from './summaries.js';
import { mayReplaceSummary, writeSummaries } from './summary-file.js';
import { tell, tellError, tellLeftOut } from '../cli/terminal/tell-crop.js';

/** A run of the crop command, checked and planned. */
export interface CropRun {
  readonly plan: readonly PlannedPhoto[];
  /** Where `-` is one of the photos. */
  readonly stdin?: StdinPhoto;
  readonly request: CropEachOptions & { readonly signal: AbortSignal };
  readonly encode: EncodeOptions;
  readonly force: boolean;
  /** Crops get the modification time of their photo. */
  readonly keepTime: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly resume: boolean;
  readonly summaries: readonly Summary[];
  /** Largest photo taken; default: as the library has it. */
  readonly maxPixels?: number;
  /** What is wished of a photo alone, in place of what the request says of all. */
  readonly wishesOf: (planned: PlannedPhoto) => PhotoWishes;
  /** Where crops left for review are listed. */
  readonly review?: ReviewList;
}

/** Where a run of several photos keeps what it has done. */
export interface RunMemory {
  readonly journal: CropJournal;
  /** Everything that decides a photo's files, in a word. */
  readonly keyOf: (planned: PlannedPhoto) => string;
  /** What earlier runs have done. */
  readonly finished: ReadonlyMap<PlannedPhoto, readonly CropResult[]>;
}

/** What became of the photos of a run. */
export interface RunEnd {
  readonly failures: readonly { readonly input: string; readonly error: unknown }[];
  /** Cropped in this run or an earlier one. */
  readonly nDone: number;
}

/**
 * Crops and writes photo by photo; a photo that fails is told on stderr and the rest go on. After `noMore` the photo in
 * hand is the last.
 *
 * @throws the reason of the request's signal when aborted; the error of a disk that takes no more.
 */
export async function cropFiles(
  cropper: Pick<Cropper, 'cropEach'>,
  run: CropRun,
  { noMore }: Pick<BatchInterrupt, 'noMore'>,
  memory?: RunMemory,
): Promise<RunEnd> {
  const progress = new Progress();
  const failures: { input: string; error: unknown }[] = [];
  const sources = new Map<PlannedPhoto, Omit<SourceState, 'sha256'>>();
  const todo = run.plan.filter((planned) => !memory?.finished.has(planned));
  const nEarlier = run.plan.length - todo.length;
  const outcomes = cropper.cropEach(tasksOf(todo, run, sources), run.request);
  const start = performance.now();
  let nDone = nEarlier;
  const show = (): void => {
    const elapsedMs = performance.now() - start;
    const nFailed = failures.length;
    progress.show(batchProgress({ nTotal: run.plan.length, nEarlier, nDone: nDone + nFailed, nFailed, elapsedMs }));
  };
  show();
  try {
    for (const planned of run.plan) {
      const finished = memory?.finished.get(planned);
      if (finished) {
        await summariseEarlier(planned, finished, run);
        progress.clear();
        for (const [target, result] of finished.entries()) {
          tell(planned, namedNow(result, planned, target), run);
        }
        continue;
      }
      // Photos of earlier runs that come later are still told of, so that no list or page loses them.
      if (noMore.aborted) continue;
      const outcome = (await outcomes.next()).value as PhotoOutcome;
      const error = await settle(outcome, planned, run, progress, memory, sources.get(planned));
      sources.delete(planned);
      if (error === undefined) nDone++;
      else {
        if (run.request.signal.aborted) throw run.request.signal.reason;
        if (isFullDisk(error)) throw error as FramewrightError;
        failures.push({ input: planned.input, error });
        for (const summary of run.summaries) summary.fail(planned.input, error);
        progress.clear();
        tellError(planned, error, run);
      }
      show();
    }
    if (nDone === run.plan.length) await removeStaleList(run, memory?.journal);
  } finally {
    progress.clear();
    await outcomes.return();
    // Also when interrupted: what was done until then is worth a look.
    const summaries = nDone + failures.length > 0 ? run.summaries : [];
    await writeSummaries(run.review ? [run.review, ...summaries] : summaries, run, memory?.journal);
  }
  return { failures, nDone };
}

/** With nothing left for review, a list that still names photos of this run would have them cropped once more. */
async function removeStaleList(run: CropRun, journal?: CropJournal): Promise<void> {
  const { plan, review } = run;
  if (!review || review.size > 0 || !(await mayReplaceSummary(review, run, journal))) return;
  if (await isListOf(review.path, new Set(plan.map(({ input }) => input)))) await unlink(review.path);
}

/** A summary shows the photos of earlier runs too; one that is gone by now is a failure in it, not of this run. */
async function summariseEarlier(
  { input }: PlannedPhoto,
  results: readonly CropResult[],
  { summaries, maxPixels, request: { signal } }: CropRun,
): Promise<void> {
  if (summaries.length === 0) return;
  try {
    const photo = await decodePhoto(input, { signal, ...(maxPixels === undefined ? {} : { maxPixels }) });
    for (const summary of summaries) await summary.add(input, photo, results, signal);
  } catch (error) {
    signal.throwIfAborted();
    for (const summary of summaries) summary.fail(input, error);
  }
}

/** The photos as the cropper takes them; each is looked at when its turn comes, before it is read. */
async function* tasksOf(
  plan: readonly PlannedPhoto[],
  { stdin, wishesOf }: CropRun,
  sources: Map<PlannedPhoto, Omit<SourceState, 'sha256'>>,
): AsyncGenerator<PhotoTask, void, undefined> {
  for (const planned of plan) {
    if (planned.input === STDIN) {
      yield { input: stdin!.bytes, name: 'stdin' };
      continue;
    }
    // A photo that changes while it is read is then known by an older time and looked at again by the next run.
    const seen = await stat(planned.input).catch(() => undefined);
    if (seen?.isFile()) sources.set(planned, { size: seen.size, mtimeMs: seen.mtimeMs });
    yield { input: planned.input, ...wishesOf(planned) };
  }
}

/** Writes what one photo gives; returns the error that prevented it. */
async function settle(
  outcome: PhotoOutcome,
  planned: PlannedPhoto,
  run: CropRun,
  progress: Progress,
  memory: RunMemory | undefined,
  source: Omit<SourceState, 'sha256'> | undefined,
): Promise<unknown> {
  if (!outcome.results) return outcome.error;
  try {
    const perTarget = run.dryRun ? [] : await encodeFiles(outcome.photo, outcome.results, planned, run.encode);
    const cropped = outcome.results.map((result, target) =>
      run.dryRun ? result : { ...result, output: perTarget[target]!.map(({ path }) => path) },
    );
    const files = perTarget.flat();
    const made = memory && files.map(({ path, bytes }) => ({ path, sha256: sha256Of(bytes) }));
    const key = memory?.keyOf(planned) ?? '';
    if (made) await memory.journal.begin(planned.input, key, made);
    for (const [i, file] of files.entries()) {
      const force = run.force || (run.resume && (await memory?.journal.isLeftover(file.path)) === true);
      const token = made && { token: tokenOf(made[i]!) };
      const time = run.keepTime && source && { modifiedMs: source.mtimeMs };
      await publishFile(file, { force, signal: run.request.signal, ...token, ...time });
    }
    const results = run.dryRun ? cropped : await noteInSidecar(outcome.photo, cropped, planned, run);
    if (made && source) {
      await memory.journal.finish(planned.input, key, {
        files: made,
        planned: filesOf(planned),
        source: { ...source, sha256: sha256Of(outcome.photo.bytes) },
        results,
      });
    }
    for (const summary of run.summaries) {
      await summary.add(planned.input, outcome.photo, results, run.request.signal);
    }
    progress.clear();
    for (const file of files) tellLeftOut(file);
    for (const result of results) tell(planned, result, run);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** The results, with what became of the sidecar where one was asked for. */
async function noteInSidecar(
  photo: Photo,
  results: readonly CropResult[],
  { sidecar: path }: PlannedPhoto,
  { force, request: { signal } }: CropRun,
): Promise<readonly CropResult[]> {
  if (path === undefined || results[0]!.verdict === 'review') return results;
  const sidecar = await writeSidecar(photo, results[0]!.crop, { path, force, signal });
  return results.map((result) => ({ ...result, sidecar }));
}

/** A result of an earlier run, which may have been started in another folder: with the paths as they are called now. */
function namedNow(result: CropResult, planned: PlannedPhoto, target: number): CropResult {
  const overlay = planned.overlays[target];
  const names = [
    ...(result.verdict === 'review' ? [] : planned.crops[target]!),
    ...(overlay === undefined ? [] : [overlay]),
  ];
  const { path: _, ...size } = result.photo;
  return {
    ...result,
    photo: { path: planned.input, ...size },
    ...(names.length === result.output?.length ? { output: names } : {}),
  };
}

/** No other photo will fare better. */
function isFullDisk(error: unknown): boolean {
  if (!(error instanceof FramewrightError) || error.code !== 'OUTPUT_WRITE') return false;
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'].includes(cause?.code ?? '');
}
