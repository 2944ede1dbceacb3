import { setTimeout as sleep } from 'node:timers/promises';
import { FramewrightError, messageOf } from '../../base/errors.js';
import type { RunStore } from '../run/run-store.js';
import type { FailedPhoto, JobEnd } from '../run/run-record.js';
import type { JobPhoto, PhotoFailure, RunSpec } from '../run/run-spec.js';
import { ProcessDied, type CropProcess } from './crop-process.js';
import { isNotedDone } from './noted-done.js';

/** Deaths of the process that crops, with a photo alone in hand, after which it is set aside. */
export const MOST_DEATHS = 3;
/** Deaths in a row with no photo in hand after which the process is not to be had. */
const MOST_EMPTY_DEATHS = 3;
/** Between two tries of what may come right by itself: a full disk, a share that is not mounted. */
const FIRST_WAIT_MS = 2000;
const LONGEST_WAIT_MS = 120_000;

export interface JobInHand {
  readonly spec: RunSpec;
  /** With the run's name, as the queue has it. */
  readonly id: string;
  /** Its own name. */
  readonly job: string;
  readonly photos: readonly JobPhoto[];
}

export interface JobTools {
  readonly process: CropProcess;
  readonly store: RunStore;
  /** Aborted when no more photos are to be begun: the job is handed back. */
  readonly draining: AbortSignal;
  /** Aborted when the job is another worker's. */
  readonly lost: AbortSignal;
  /** The process is to be ended after the photo in hand, and another one made. */
  readonly isTooLarge: () => boolean;
  readonly onPhoto: () => void;
  /** Why nothing can be done now; undefined when something is again. */
  readonly onWait: (why: string | undefined) => void;
}

/**
 * Sees to it that every photo of a job is cropped, has failed, or is set aside: whatever the process that crops does
 * meanwhile. Photos that were in hand when the process ended are tried again one by one, after all others, and one that ends
 * it three times while it is alone is set aside.
 *
 * @returns what became of its photos; undefined where it is to be handed back
 * @throws ProcessDied where the process ends before it has begun a photo; FramewrightError where it cannot be opened
 */
export async function workOnJob(job: JobInHand, tools: JobTools): Promise<JobEnd | undefined> {
  return new JobWork(job, tools).toEnd();
}

class JobWork {
  readonly #job: JobInHand;
  readonly #tools: JobTools;
  /** By path. */
  readonly #left: Map<string, JobPhoto>;
  readonly #done: string[] = [];
  readonly #failed: FailedPhoto[] = [];
  #nEmptyDeaths = 0;
  #waitMs = FIRST_WAIT_MS;

  constructor(job: JobInHand, tools: JobTools) {
    this.#job = job;
    this.#tools = tools;
    this.#left = new Map(job.photos.map((photo) => [photo.planned.input, photo]));
  }

  async toEnd(): Promise<JobEnd | undefined> {
    const { store, draining, lost } = this.#tools;
    const { spec, id } = this.#job;
    // An earlier worker died with these; it cannot say so itself.
    await store.noteDeaths(spec.run, await store.takeHand(spec.run, id));
    while (this.#left.size > 0) {
      if (lost.aborted) return undefined;
      if (draining.aborted) {
        // Nothing of it died.
        await store.takeHand(spec.run, id);
        return undefined;
      }
      const some = await this.#next();
      if (some.length > 0) await this.#crop(some);
    }
    return { done: this.#done, failed: this.#failed };
  }

  /** All that never ended a process; then one by one those that did. */
  async #next(): Promise<readonly JobPhoto[]> {
    const { store } = this.#tools;
    const deaths = await store.deathsOf(this.#job.spec.run, [...this.#left.keys()]);
    const photos = [...this.#left.values()];
    const harmless = photos.filter(({ planned }) => !deaths.has(planned.input));
    if (harmless.length > 0) return harmless;
    const suspect = photos[0]!;
    const nDeaths = deaths.get(suspect.planned.input) ?? 0;
    if (nDeaths < MOST_DEATHS) return [suspect];
    if (await isNotedDone(this.#job.spec, this.#job.job, suspect)) {
      this.#left.delete(suspect.planned.input);
      this.#done.push(suspect.planned.input);
      return [];
    }
    this.#fail(suspect.planned.input, {
      code: 'WORKER_DIED',
      message: `the process that crops it has ended ${nDeaths} times with it alone: it is set aside, and fleet retry tries it again`,
    });
    return [];
  }

  async #crop(photos: readonly JobPhoto[]): Promise<void> {
    const { process, store, draining, lost, isTooLarge, onPhoto } = this.#tools;
    const { spec, id, job } = this.#job;
    const stop = (): void => process.beginNoMore();
    const kill = (): void => process.kill();
    // Both may have been aborted while the server was asked which photos are next.
    if ([draining, lost].some(({ aborted }) => aborted)) return;
    draining.addEventListener('abort', stop);
    lost.addEventListener('abort', kill);
    let nInHand = 0;
    const settled = (): void => {
      onPhoto();
      this.#nEmptyDeaths = 0;
      if (isTooLarge()) stop();
    };
    try {
      await process.carryOut(
        { do: 'crop', spec, job, photos },
        {
          onHand: (hand) => {
            if (hand.length > nInHand) void store.noteHand(spec.run, id, hand).catch(() => undefined);
            nInHand = hand.length;
          },
          onCropped: (photo) => {
            this.#left.delete(photo);
            this.#done.push(photo);
            settled();
          },
          onFailed: (photo, failure) => {
            this.#fail(photo, failure);
            settled();
          },
          onKey: (key) => void store.stampKey(spec.run, key).catch(() => undefined),
        },
      );
      this.#waitMs = FIRST_WAIT_MS;
    } catch (error) {
      if (lost.aborted) return;
      if (error instanceof ProcessDied) await this.#noteDeath(error);
      else await this.#wait(error);
    } finally {
      draining.removeEventListener('abort', stop);
      lost.removeEventListener('abort', kill);
    }
    if (isTooLarge()) await process[Symbol.asyncDispose]();
  }

  async #noteDeath(death: ProcessDied): Promise<void> {
    await this.#tools.store.noteDeaths(this.#job.spec.run, death.photos);
    if (death.photos.length > 0) return;
    if (++this.#nEmptyDeaths === MOST_EMPTY_DEATHS) throw death;
  }

  /** What prevents the whole job is no photo's fault: it is kept, and tried again. */
  async #wait(error: unknown): Promise<void> {
    const { draining, lost, onWait } = this.#tools;
    if (!(error instanceof FramewrightError)) throw error;
    onWait(`${messageOf(error)} [${error.code}]`);
    const signal = AbortSignal.any([draining, lost]);
    await sleep(this.#waitMs, undefined, { signal }).catch(() => undefined);
    this.#waitMs = Math.min(this.#waitMs * 2, LONGEST_WAIT_MS);
    onWait(undefined);
  }

  #fail(photo: string, failure: PhotoFailure): void {
    const planned = this.#left.get(photo);
    if (!planned) return;
    this.#left.delete(photo);
    this.#failed.push({ photo: planned, ...failure });
  }
}
