import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { defined } from '../../base/defined.js';
import { checkOptions, checkWhole } from '../../base/options-check.js';
import { FramewrightError } from '../../base/errors.js';
import { keyOfSettings } from '../../batch/journal/settings-key.js';
import { parseName } from '../../batch/plan/name-template.js';
import { readWishes } from '../../batch/plan/wishes.js';
import { settingsOf, type BatchSettings } from '../../batch/settings.js';
import { checkOutputFolder } from '../../files/write.js';
import { makeFolder } from '../../files/make-folder.js';
import { commonFolder } from '../../batch/plan/folders.js';
import { BucketNotes } from '../bucket/bucket-notes.js';
import { isBucketUrl, parseBucketUrl } from '../bucket/bucket-url.js';
import { pathOfPlace } from '../bucket/places.js';
import { connect } from '../connect.js';
import { madeFor } from '../made-for.js';
import { addMergeJob } from '../merge-job.js';
import { jobId, jobOptions, openQueue, PRIORITIES } from '../queue.js';
import { RunNotes } from '../run/run-notes.js';
import type { JobData, RunSpec, RunWishes } from '../run/run-spec.js';
import { RunStore } from '../run/run-store.js';
import { SUBMIT_OPTIONS, type SubmitListener, type SubmitOptions, type SubmittedRun } from './options.js';
import { photoSource } from './photo-groups.js';
import type { PhotoSource } from './photo-source.js';
import { planJobs, type PlannedJob } from './plan-jobs.js';
import { seenPhotos, SeenPhotos } from './seen-photos.js';

export const SUBMIT_DEFAULTS = { jobSize: 16, mostWaiting: 5000 } as const;
/** Jobs that are put into the queue in one message. */
const AT_ONCE = 50;
const FULL_POLL_MS = 250;
const RUN_NAME = /^[\w-][\w.-]{0,63}$/;

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
  const prepared = await prepare(options);
  const { spec } = prepared;
  let nLosses = 0;
  await using connection = await connect(options.queue, (why) => {
    nLosses++;
    listener.onLost?.(why);
  });
  const store = new RunStore(connection.redis);
  await store.register(spec);
  await noteWorkers(store, spec, listener);
  const queue = openQueue(connection, spec.madeFor);
  for (;;) {
    const nBefore = nLosses;
    const submission = new Submission({ store, queue, spec, priority, mostWaiting, signal: prepared.settings.signal });
    const counts = await submission.putIn(await jobsOf(prepared, jobSize, store, listener, submission));
    if (!(await submission.mayLack(nLosses > nBefore))) {
      if (await store.endSubmission(spec.run)) await addMergeJob(queue, spec.run);
      return { run: spec.run, ...counts, isCancelled: submission.isCancelled };
    }
    // What is there by now is not put in twice.
    await store.register(spec);
  }
}

interface Prepared {
  readonly spec: RunSpec;
  readonly settings: BatchSettings;
  readonly source: PhotoSource;
}

/** All that can be refused without the queue. */
async function prepare(options: SubmitOptions): Promise<Prepared> {
  const { queue: _, run, priority: __, jobSize: ___, mostWaiting: ____, cropper = {}, ...rest } = options;
  const { name, inputs, recursive = false } = rest;
  const settings = settingsOf({ ...rest, journal: true, resume: true });
  const output = settings.output === undefined ? undefined : outputPlace(settings.output);
  if (output === undefined && settings.xmp === undefined) {
    throw usage('a fleet writes into a folder that all its workers have: name it with --output');
  }
  if (name !== undefined) {
    parseName(name);
    if (name.includes('{index}')) {
      throw usage('--name with {index} needs all photos counted before the first; use {dir} and {name}');
    }
  }
  const takesRaw = settings.rawPreview;
  const avoided = output === undefined ? undefined : path.resolve(pathOfPlace(output));
  const source = await photoSource(inputs, { recursive, output: avoided, takesRaw });
  if (settings.xmp !== undefined && [output ?? '', ...source.roots].some(isBucketUrl)) {
    throw usage('--xmp writes into or beside the photos, which a bucket has no way to change; leave it out');
  }
  const home = output ?? path.resolve(commonFolder(source.roots));
  const folder = output === undefined || isBucketUrl(output) ? undefined : output;
  if (folder !== undefined) await checkOutputFolder(path.join(folder, 'x'), { isMade: true });
  const kind = await madeFor(cropper);
  const wishes = wishesOf(settings);
  const what = [
    source.roots,
    inputs.map((input) => path.resolve(pathOfPlace(input))),
    name,
    settings.hints,
    output,
    wishes,
    kind,
  ];
  const named =
    run ??
    `${path
      .parse(path.resolve(inputs[0]!))
      .name.replace(/[^\w-]/g, '_')
      .slice(0, 40)}-${keyOfSettings(what).slice(0, 6)}`;
  if (!RUN_NAME.test(named)) throw usage(`a run cannot be called "${named}": letters, digits, - _ and . make its name`);
  if (folder !== undefined) await makeFolder(folder);
  const { maxPixels, firstFrame } = options;
  const spec: RunSpec = {
    run: named,
    madeFor: kind,
    home: isBucketUrl(home) ? home : path.resolve(home),
    roots: source.roots,
    ...defined({ output }),
    wishes,
    opening: { ...defined({ maxPixels, firstFrame }), rawPreview: takesRaw },
  };
  const planned = output === undefined ? {} : { output: pathOfPlace(output) };
  return { spec, settings: { ...settings, ...planned }, source };
}

/** A folder, absolute, or a prefix in a bucket; with the slash at its end that makes it one. */
function outputPlace(output: string): string {
  if (!isBucketUrl(output)) return path.resolve(output) + path.sep;
  parseBucketUrl(output);
  return output.replace(/\/*$/, '/');
}

/** What of the options goes to the workers, which is what JSON can say. */
function wishesOf(settings: BatchSettings): RunWishes {
  const { request, encode, top, overlay, lossless, keepTime, force, xmp, xmpName } = settings;
  const { signal: _, series: __, onProgress, onConversation, onThought, ...wishes } = request;
  const { signal: ___, ...written } = encode;
  const all = { ...wishes, ...written, top, overlay, lossless, keepTime, force, ...defined({ xmp, xmpName }) };
  return JSON.parse(JSON.stringify(all)) as RunWishes;
}

async function jobsOf(
  { spec, settings, source }: Prepared,
  jobSize: number,
  store: RunStore,
  listener: SubmitListener,
  submission: Submission,
): Promise<AsyncGenerator<PlannedJob, void, undefined>> {
  const wishes = await readWishes(settings);
  const { key } = await store.record(spec.run);
  return planJobs({
    ...{ source, settings, wishes, jobSize },
    home: spec.home,
    seen: key === undefined ? new SeenPhotos() : await seenOf(spec),
    key,
    onNote: (text) => listener.onNote?.(text),
    onCount: (counts) => {
      submission.counts = counts;
      listener.onProgress?.({ ...counts, nJobs: submission.nJobs, isWaiting: false });
    },
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

interface SubmissionOptions {
  readonly store: RunStore;
  readonly queue: Queue<JobData>;
  readonly spec: RunSpec;
  readonly priority: number;
  readonly mostWaiting: number;
  readonly signal: AbortSignal;
}

/** Jobs on their way into the queue, as fast as workers take them out of it. */
class Submission {
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
    const { store, queue, spec, mostWaiting, signal } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      this.isCancelled = (await store.stateOf(spec.run)) === 'cancelled';
      if (this.isCancelled) return;
      if ((await queue.getJobCountByTypes('waiting', 'prioritized')) < mostWaiting) return;
      await sleep(FULL_POLL_MS, undefined, { signal });
    }
  }
}

function usage(message: string): FramewrightError {
  return new FramewrightError('USAGE', message);
}
