import type { CropResult } from '../../base/schema.js';
import { defined } from '../../base/defined.js';
import type { Cropper } from '../../cropper/cropper.js';
import type { PhotoOutcome, PhotoTask } from '../../cropper/options.js';
import { refusedTarget } from '../../crop/refused-target.js';
import { decodePhoto, type Photo } from '../../photo/decode.js';
import { turnPhoto } from '../../photo/turn/turn-photo.js';
import { STDIN } from '../inputs.js';
import type { RefusedOfPlan } from '../journal/journal-record.js';
import { earlierResults, type RunMemory } from '../journal/run-memory.js';
import { seeSource, type SeenSource } from '../journal/source-state.js';
import type { BatchBegin, BatchFailure, BatchListener, BatchPhoto, BatchResult } from '../listener.js';
import type { PlannedPhoto } from '../plan/planned-photo.js';
import type { RunPlan } from '../plan/run-plan.js';
import type { BatchSettings } from '../settings.js';
import { removeStaleList } from '../summaries/review-list.js';
import { writeSummaries, type Replacing } from '../summaries/write-summaries.js';
import { isFullDisk } from './full-disk.js';
import { writePhoto } from './write-photo.js';

/** A run under way: how far it is, what has failed, what is noted. Crops and writes photo by photo. */
export class BatchRun {
  readonly #plan: RunPlan;
  readonly #settings: BatchSettings;
  readonly #listener: BatchListener;
  readonly #memory: RunMemory | undefined;
  readonly #replacing: Replacing;
  readonly #begin: BatchBegin;
  readonly #startedAt = performance.now();
  /** Of the photos the cropper has begun, how they were before. */
  readonly #sources = new Map<PlannedPhoto, SeenSource>();
  readonly #failures: BatchFailure[] = [];
  /** Some photos follow others, which an earlier run may have cropped: the cropper is given all of them. */
  readonly #isSeries: boolean;
  #nDone: number;
  #nRefused = 0;

  constructor(plan: RunPlan, settings: BatchSettings, listener: BatchListener, memory?: RunMemory) {
    this.#plan = plan;
    this.#settings = settings;
    this.#listener = listener;
    this.#memory = memory;
    const { force, resume } = settings;
    const inputs = settings.journal === false ? [] : plan.photos.map(({ input }) => input);
    this.#replacing = { force, resume, inputs, ...defined({ journal: memory?.journal }) };
    this.#begin = beginOf(plan, memory);
    this.#nDone = this.#begin.nEarlier;
    const { series = 'off' } = settings;
    this.#isSeries = series !== 'off' && this.#begin.nEarlier < this.#begin.nTotal;
  }

  /**
   * A photo that fails is told of and the rest go on.
   *
   * @throws the reason of the signal when aborted; the error of a disk that takes no more, or of a summary that cannot be
   *   written; what a listener throws
   */
  async crop(cropper: Pick<Cropper, 'cropEach'>): Promise<BatchResult> {
    this.#listener.onBegin?.(this.#begin);
    try {
      await this.#cropAll(cropper);
    } catch (error) {
      this.#listener.onEnd?.({ ...this.#result(), error });
      throw error;
    }
    const result = this.#result();
    this.#listener.onEnd?.(result);
    return result;
  }

  async #cropAll(cropper: Pick<Cropper, 'cropEach'>): Promise<void> {
    const { photos, review } = this.#plan;
    const { request, noMore } = this.#settings;
    const outcomes = cropper.cropEach(this.#tasks(), request);
    this.#tellProgress();
    try {
      for (const planned of photos) {
        // Photos of earlier runs that come later are still told of, so that no list or page loses them.
        if (this.#memory?.finished.has(planned)) {
          if (this.#isSeries && !noMore.aborted) await outcomes.next();
          await this.#passOn(planned, await earlierResults(this.#memory, planned));
        } else if (!noMore.aborted) await this.#take(planned, (await outcomes.next()).value as PhotoOutcome);
      }
      if (review && this.#nDone === photos.length) {
        await removeStaleList(review, new Set(photos.map(({ input }) => input)), this.#replacing);
      }
    } finally {
      await outcomes.return();
      await this.#writeSummaries();
    }
  }

  /** The photos as the cropper takes them; each is looked at when its turn comes, before it is read. */
  async *#tasks(): AsyncGenerator<PhotoTask, void, undefined> {
    let nCompared = 0;
    for (const planned of this.#plan.photos) {
      const isFinished = this.#memory?.finished.has(planned) === true;
      if (isFinished && !this.#isSeries) continue;
      if (this.#isSeries) this.#listener.onPrepare?.({ step: 'compare', nPhotos: nCompared++ });
      if (isFinished) {
        // What is made of it already is what the others of its series are to be like.
        const { results } = await earlierResults(this.#memory, planned);
        yield { input: planned.input, ...this.#plan.wishesOf(planned), results };
        continue;
      }
      if (planned.input === STDIN) {
        yield { input: this.#plan.stdin!.bytes, name: 'stdin' };
        continue;
      }
      // A photo that changes while it is read is then known by an older time and looked at again by the next run.
      const seen = await seeSource(planned.input);
      if (seen) this.#sources.set(planned, seen);
      yield { input: planned.input, ...this.#plan.wishesOf(planned) };
    }
  }

  async #take(planned: PlannedPhoto, outcome: PhotoOutcome): Promise<void> {
    const refused = refusedOf(outcome);
    let results: readonly CropResult[];
    try {
      results = await this.#settle(planned, outcome, refused);
    } catch (error) {
      this.#fail(planned, error);
      return;
    }
    this.#nDone++;
    this.#tell(planned, { results, refused: refused.map(({ nth: _, ...each }) => each) }, false);
    this.#tellProgress();
  }

  /** @throws what prevents that the photo gives what is planned */
  async #settle(
    planned: PlannedPhoto,
    outcome: PhotoOutcome,
    refused: readonly RefusedOfPlan[],
  ): Promise<readonly CropResult[]> {
    const source = this.#sources.get(planned);
    this.#sources.delete(planned);
    if (!outcome.results) throw outcome.error;
    const context = { settings: this.#settings, refused, ...defined({ memory: this.#memory, source }) };
    const results = this.#settings.dryRun ? outcome.results : await writePhoto(outcome, planned, context);
    for (const overview of this.#plan.overviews) {
      await overview.add(planned.input, outcome.photo, { results, refused }, this.#settings.signal);
    }
    return results;
  }

  #fail({ input }: PlannedPhoto, error: unknown): void {
    this.#settings.signal.throwIfAborted();
    if (isFullDisk(error)) throw error;
    const failure = { input, error };
    this.#failures.push(failure);
    for (const overview of this.#plan.overviews) overview.fail(input, error);
    this.#listener.onFailure?.(failure);
    this.#tellProgress();
  }

  /** Overviews show the photos of earlier runs too; one that is gone by now is a failure in these, not of this run. */
  async #passOn(planned: PlannedPhoto, earlier: Omit<BatchPhoto, 'input' | 'isEarlier'>): Promise<void> {
    const { overviews } = this.#plan;
    const { maxPixels, rawPreview, signal } = this.#settings;
    if (overviews.length > 0) {
      try {
        const decoded = await decodePhoto(planned.input, { signal, rawPreview, ...defined({ maxPixels }) });
        const photo = await straightenedAs(decoded, earlier.results[0], signal);
        for (const overview of overviews) await overview.add(planned.input, photo, earlier, signal);
      } catch (error) {
        signal.throwIfAborted();
        for (const overview of overviews) overview.fail(planned.input, error);
      }
    }
    this.#tell(planned, earlier, true);
  }

  #tell({ input }: PlannedPhoto, photo: Omit<BatchPhoto, 'input' | 'isEarlier'>, isEarlier: boolean): void {
    for (const result of photo.results) this.#plan.review?.add(input, result);
    this.#nRefused += photo.refused.length;
    this.#listener.onPhoto?.({ input, ...photo, isEarlier });
  }

  #tellProgress(): void {
    const { nTotal, nEarlier } = this.#begin;
    const nFailed = this.#failures.length;
    const elapsedMs = performance.now() - this.#startedAt;
    this.#listener.onProgress?.({ nTotal, nEarlier, nDone: this.#nDone + nFailed, nFailed, elapsedMs });
  }

  /** Also when interrupted: what was done until then is worth a look. */
  async #writeSummaries(): Promise<void> {
    const { overviews, review } = this.#plan;
    const shown = this.#nDone + this.#failures.length > 0 ? overviews : [];
    await writeSummaries(review ? [review, ...shown] : shown, this.#replacing, this.#listener.onSummaryError);
  }

  #result(): BatchResult {
    const { review } = this.#plan;
    const nSettled = this.#nDone + this.#failures.length;
    return {
      ...this.#begin,
      nDone: this.#nDone,
      failures: this.#failures,
      nRefused: this.#nRefused,
      isStopped: this.#settings.noMore.aborted && nSettled < this.#begin.nTotal,
      ...defined({ review: review && { path: review.path, nCrops: review.size } }),
    };
  }
}

function refusedOf(outcome: PhotoOutcome): RefusedOfPlan[] {
  if (!outcome.results) return [];
  return outcome.targets.flatMap((each, nth) => (each.error ? [{ ...refusedTarget(each), nth }] : []));
}

/** The photo as an earlier run had it when it made a result. */
function straightenedAs(photo: Photo, result: CropResult | undefined, signal: AbortSignal): Promise<Photo> {
  const { straighten } = result ?? {};
  return turnPhoto(photo, straighten?.applied ? straighten.angleDeg : 0, signal);
}

/** How far a run is before its first photo. */
export function beginOf({ photos }: RunPlan, memory?: RunMemory): BatchBegin {
  return { nTotal: photos.length, nEarlier: memory?.finished.size ?? 0, canResume: memory !== undefined };
}
