import { setTimeout as sleep } from 'node:timers/promises';
import { checkOptions, checkWhole } from '../../base/options-check.js';
import { readWishes } from '../../batch/plan/wishes.js';
import { BucketNotes } from '../bucket/bucket-notes.js';
import { isBucketUrl } from '../bucket/bucket-url.js';
import { connect } from '../connect.js';
import { addMergeJob } from '../merge-job.js';
import { openQueue, PRIORITIES } from '../queue.js';
import { RunNotes } from '../run/run-notes.js';
import type { RunSpec } from '../run/run-spec.js';
import { RunStore } from '../run/run-store.js';
import { submitterBeat } from '../run/submitter-beat.js';
import { SUBMIT_OPTIONS, type SubmitListener, type SubmitOptions, type SubmittedRun } from './options.js';
import { planJobs, type JobPlan, type PlannedJob } from './plan-jobs.js';
import { prepareRun, type PreparedRun } from './prepare-run.js';
import { seenPhotos, SeenPhotos } from './seen-photos.js';
import { Submission } from './submission.js';

export const SUBMIT_DEFAULTS = { jobSize: 16, mostWaiting: 5000 } as const;

/** By when a server that writes to its disk once a second has written what it was told: a power cut takes it back no more. */
const WRITTEN_AFTER_MS = 2000;

/**
 * Puts photos into a queue as the jobs of a run, for workers to crop. Resolves when all of them are in, which is when
 * workers have made room for the last: `mostWaiting` jobs are in it at most. What earlier runs have done is left out; the
 * same call again goes on where one ended, and puts in what has failed since.
 *
 * @throws FramewrightError USAGE for options that do not go together, an address that is none, a run of that name with other
 *   options, or files that would have one name; as runBatch for inputs, hints and output; PACKAGE_NOT_FOUND where the packages of the queue are
 *   missing; the reason of `signal` when aborted.
 */
export async function submitRun(options: SubmitOptions, listener: SubmitListener = {}): Promise<SubmittedRun> {
  checkOptions('submitRun', options, SUBMIT_OPTIONS);
  const { jobSize = SUBMIT_DEFAULTS.jobSize, mostWaiting = SUBMIT_DEFAULTS.mostWaiting } = options;
  checkWhole('jobSize', jobSize, 1, 1000);
  checkWhole('mostWaiting', mostWaiting, 1, 1_000_000);
  const priority = options.priority ?? PRIORITIES.default;
  checkWhole('priority', priority, PRIORITIES.first, PRIORITIES.last);
  const prepared = await prepareRun(options);
  const { spec } = prepared;
  let nLosses = 0;
  await using connection = await connect(options.queue, (why) => {
    nLosses++;
    listener.onLost?.(why);
  });
  const store = new RunStore(connection.redis);
  await store.register(spec);
  using _beat = submitterBeat(store, spec.run);
  await noteWorkers(store, spec, listener);
  const queue = openQueue(connection, spec.madeFor);
  for (;;) {
    const nBefore = nLosses;
    const { signal } = prepared.settings;
    const tell = (isWaiting: boolean): void =>
      listener.onProgress?.({ ...submission.counts, nJobs: submission.nJobs, isWaiting });
    const submission: Submission = new Submission({
      ...{ store, queue, spec, priority, mostWaiting, signal },
      onFull: () => tell(true),
    });
    const counts = await submission.putIn(
      await jobsOf(prepared, jobSize, store, listener, (found) => {
        submission.counts = found;
        tell(false);
      }),
    );
    if (!(await submission.mayLack(nLosses > nBefore))) {
      if (await store.endSubmission(spec.run)) await addMergeJob(queue, spec.run);
      if (await isKept(store, spec.run, signal)) {
        return { run: spec.run, ...counts, isCancelled: submission.isCancelled };
      }
    }
    // What is there by now is not put in twice.
    await store.register(spec);
  }
}

/** Whether the server will know that all photos are in whatever becomes of it, as far as it keeps anything. */
async function isKept(store: RunStore, run: string, signal: AbortSignal): Promise<boolean> {
  if (!(await store.writesLate())) return true;
  await sleep(WRITTEN_AFTER_MS, undefined, { signal });
  return await store.isAllIn(run);
}

async function jobsOf(
  { spec, settings, source }: PreparedRun,
  jobSize: number,
  store: RunStore,
  { onNote }: SubmitListener,
  onCount: JobPlan['onCount'],
): Promise<AsyncGenerator<PlannedJob, void, undefined>> {
  const wishes = await readWishes(settings);
  const { key } = await store.record(spec.run);
  return planJobs({
    ...{ source, settings, wishes, jobSize },
    home: spec.home,
    seen: key === undefined ? new SeenPhotos() : await seenOf(spec),
    key,
    onNote: (text) => onNote?.(text),
    onCount,
  });
}

async function seenOf({ home, run }: RunSpec): Promise<SeenPhotos> {
  if (!isBucketUrl(home)) return seenPhotos(new RunNotes(home, run));
  await using noted = await BucketNotes.fetch(home, run);
  // To ask for each object would cost as much as to write it.
  return await seenPhotos(noted.notes, () => true);
}

async function noteWorkers(
  store: RunStore,
  { madeFor: kind, run }: RunSpec,
  { onNote, onRun }: SubmitListener,
): Promise<void> {
  onRun?.(run);
  const workers = await store.workers();
  if (workers.some((worker) => worker.madeFor === kind.key)) return;
  const others = workers.length > 0 ? `; the ${workers.length} there are take other runs (${workers[0]!.words})` : '';
  onNote?.(`no worker takes this run yet, which is for ${kind.words}: framewright fleet work${others}`);
}
