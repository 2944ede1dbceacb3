import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { jobId, jobOptions } from '../queue.js';
import type { JobData, RunSpec } from '../run/run-spec.js';
import type { RunStore } from '../run/run-store.js';
import type { SubmittedRun } from './options.js';
import type { PlannedJob } from './plan-jobs.js';

/** Jobs that are put into the queue in one message. */
const AT_ONCE = 50;
const FULL_POLL_MS = 250;

export interface SubmissionOptions {
  readonly store: RunStore;
  readonly queue: Queue<JobData>;
  readonly spec: RunSpec;
  readonly priority: number;
  readonly mostWaiting: number;
  readonly signal: AbortSignal;
  /** The queue is full, and what is to be put in waits. */
  readonly onFull: () => void;
}

/** Jobs on their way into the queue, as fast as workers take them out of it. */
export class Submission {
  counts = { nPhotos: 0, nEarlier: 0 };
  nJobs = 0;
  isCancelled = false;
  readonly #options: SubmissionOptions;

  constructor(options: SubmissionOptions) {
    this.#options = options;
  }

  async putIn(jobs: AsyncIterable<PlannedJob>): Promise<Omit<SubmittedRun, 'run' | 'isCancelled'>> {
    const { signal, mostWaiting } = this.#options;
    const atOnce = Math.min(AT_ONCE, mostWaiting);
    let some: PlannedJob[] = [];
    for await (const job of jobs) {
      signal.throwIfAborted();
      some.push(job);
      if (some.length < atOnce) continue;
      await this.#add(some);
      some = [];
      if (this.isCancelled) break;
    }
    await this.#add(some);
    return { ...this.counts, nJobs: this.nJobs };
  }

  /**
   * Whether jobs that were put in are not in the queue, and not done either: a server that crashes may lose its last second,
   * and a worker may have ended a job just when it was put in again.
   */
  async mayLack(hasLost: boolean): Promise<boolean> {
    const { store, queue, spec } = this.#options;
    const { run } = spec;
    const unknown: string[] = [];
    for (const id of await store.openIds(run)) if ((await queue.getJobState(id)) === 'unknown') unknown.push(id);
    // One that a worker has ended meanwhile is not open any more.
    const gone = await store.stillOpen(run, unknown);
    // Of a run that was cancelled none is in the queue.
    this.isCancelled ||= (await store.stateOf(run)) === 'cancelled';
    if (this.isCancelled) return false;
    await store.closeJobs(run, gone);
    return hasLost || gone.length > 0;
  }

  async #add(jobs: readonly PlannedJob[]): Promise<void> {
    const { store, queue, spec, priority } = this.#options;
    const { run } = spec;
    await store.noteSubmitted(run, this.counts);
    if (jobs.length === 0) return;
    await this.#roomInQueue();
    if (this.isCancelled) return;
    const ids = jobs.map(({ id }) => jobId(run, id));
    await store.openJobs(run, ids);
    await queue.addBulk(
      jobs.map(({ photos }, i) => ({
        name: run,
        data: { what: 'crop', run, photos },
        opts: jobOptions(ids[i]!, priority),
      })),
    );
    this.nJobs += jobs.length;
  }

  async #roomInQueue(): Promise<void> {
    const { store, queue, spec, mostWaiting, signal, onFull } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      this.isCancelled = (await store.stateOf(spec.run)) === 'cancelled';
      if (this.isCancelled) return;
      if ((await queue.getJobCountByTypes('waiting', 'prioritized')) < mostWaiting) return;
      onFull();
      await sleep(FULL_POLL_MS, undefined, { signal });
    }
  }
}
