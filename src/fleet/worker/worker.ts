import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Job, Worker } from 'bullmq';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, FramewrightError, messageOf } from '../../base/errors.js';
import { checkOptions, checkWhole } from '../../base/options-check.js';
import type { Question } from '../ask/question.js';
import type { Reply } from '../ask/remote-cropper.js';
import { connect, type FleetConnection } from '../connect.js';
import { madeFor, type MadeFor } from '../made-for.js';
import { addMergeJob } from '../merge-job.js';
import { openQueue, queueName, QUEUE_PREFIX } from '../queue.js';
import type { JobData } from '../run/run-spec.js';
import { BEAT_MS, RunStore } from '../run/run-store.js';
import type { WorkerRecord } from '../run/run-record.js';
import { CropProcess, ProcessDied } from './crop-process.js';
import { WORKER_OPTIONS, type RunningWorker, type WorkerListener, type WorkerOptions } from './options.js';
import { workOnJob } from './work-job.js';

/** A job whose lock is not renewed for so long is another worker's to take. */
export const LOCK_MS = 30_000;
/** Between two tries to make one journal of a run's. */
const MERGE_AGAIN_MS = 10_000;
/** How long a worker that is to end waits for a server that is away. */
const MOST_AWAY_MS = 4000;
const AWAY_POLL_MS = 500;
/** A job is handed back as often as it has to be: whose fault it is, is found out otherwise. */
const MOST_STALLS = 1_000_000;
const MOST_BYTES = Number.MAX_SAFE_INTEGER;

/**
 * Starts a worker: it opens its cropper in a process of its own, then takes jobs of the runs that are for its kind, one at
 * a time, until it is closed. This process holds the jobs' locks and is never busy with a photo.
 *
 * @throws FramewrightError as openCropper; USAGE for options and an address that are none, PACKAGE_NOT_FOUND where the packages of the queue are
 *   missing
 */
export async function startWorker(options: WorkerOptions, listener: WorkerListener = {}): Promise<RunningWorker> {
  checkOptions('startWorker', options, WORKER_OPTIONS);
  const { queue: url, cropper = {}, memoryBytes = MOST_BYTES, lockMs = LOCK_MS, verbose = false } = options;
  checkWhole('memoryBytes', memoryBytes, 1, MOST_BYTES);
  checkWhole('lockMs', lockMs, 1000, 3_600_000);
  const kind = await madeFor(cropper);
  const connection = await connect(url, listener.onLost);
  const process = new CropProcess(cropper, { isVerbose: verbose });
  try {
    await process.open();
    const worker = new FleetWorker({ connection, process, kind, memoryBytes, lockMs, listener });
    await worker.start();
    return worker;
  } catch (error) {
    await process[Symbol.asyncDispose]();
    await connection[Symbol.asyncDispose]();
    throw error;
  }
}

interface WorkerParts {
  readonly connection: FleetConnection;
  readonly process: CropProcess;
  readonly kind: MadeFor;
  readonly memoryBytes: number;
  readonly lockMs: number;
  readonly listener: WorkerListener;
}

/** The job that is worked on. */
interface JobInHand {
  readonly run: string;
  /** Another worker has it. */
  readonly lost: AbortController;
  /** Nobody wants it any more. */
  readonly cancelled: AbortController;
  nPhotos: number;
}

class FleetWorker implements RunningWorker {
  readonly id = `${hostname()}-${randomUUID().slice(0, 8)}`;
  readonly #parts: WorkerParts;
  readonly #store: RunStore;
  readonly #queue: ReturnType<typeof openQueue>;
  readonly #draining = new AbortController();
  #worker: Worker<JobData> | undefined;
  #beat: NodeJS.Timeout | undefined;
  #inHand: JobInHand | undefined;
  #nDone = 0;
  #why: string | undefined;
  #closing: Promise<void> | undefined;
  /** It ends without its server. */
  #isGivenUp = false;
  #failure: { readonly error: unknown } | undefined;
  #settle: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined;
  readonly ended = new Promise<void>((resolve, reject) => {
    this.#settle = { resolve, reject };
  });

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#store = new RunStore(parts.connection.redis);
    this.#queue = openQueue(parts.connection, parts.kind);
    // Told to whoever asks.
    this.ended.catch(() => undefined);
  }

  get runsOn(): string {
    return this.#parts.process.runsOn;
  }

  get madeFor(): string {
    return this.#parts.kind.words;
  }

  async start(): Promise<void> {
    const { connection, kind, lockMs, listener } = this.#parts;
    const { bullmq } = connection.modules;
    await this.#noteOthersRuns();
    await this.#say();
    // It blocks its connection while it waits for jobs, and so has one of its own.
    const worker = new bullmq.Worker<JobData>(queueName(kind), (job, token) => this.#work(job, token), {
      connection: connection.redis,
      prefix: QUEUE_PREFIX,
      lockDuration: lockMs,
      stalledInterval: lockMs / 2,
      maxStalledCount: MOST_STALLS,
      autorun: false,
    });
    worker.on('error', () => undefined);
    // Whoever has the job now writes its files.
    worker.on('lockRenewalFailed', () => this.#inHand?.lost.abort());
    this.#worker = worker;
    void worker.run().catch((error: unknown) => this.#fail(error));
    this.#beat = setInterval(() => void this.#say().catch(() => undefined), BEAT_MS);
    listener.onReady?.({ madeFor: kind.words, runsOn: this.runsOn });
  }

  /** Finishes the photo in hand, hands the rest of its job back, and ends. */
  close(): Promise<void> {
    this.#draining.abort();
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const { process, connection } = this.#parts;
    const end = async (): Promise<void> => {
      await this.#say().catch(() => undefined);
      await this.#worker?.close();
    };
    const ending = end().catch((error: unknown) => void (this.#failure ??= { error }));
    const ended = new AbortController();
    await Promise.race([ending, this.#serverStaysAway(ended.signal)]);
    ended.abort();
    if (this.#isGivenUp) {
      connection.giveUp();
      await Promise.race([ending, sleep(MOST_AWAY_MS, undefined, { ref: false })]);
    }
    clearInterval(this.#beat);
    await process[Symbol.asyncDispose]();
    await this.#store.forgetWorker(this.id).catch(() => undefined);
    await this.#queue.close().catch(() => undefined);
    await connection[Symbol.asyncDispose]();
    if (this.#failure) this.#settle!.reject(this.#failure.error);
    else this.#settle!.resolve();
  }

  /** Resolves when there is no server to hand the job back to, and nothing to finish: its lock runs out by itself. */
  async #serverStaysAway(signal: AbortSignal): Promise<void> {
    const { process, connection } = this.#parts;
    for (let awayMs = 0; awayMs < MOST_AWAY_MS;) {
      await sleep(AWAY_POLL_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      awayMs = connection.isAway() && !process.isBusy ? awayMs + AWAY_POLL_MS : 0;
    }
    this.#isGivenUp = true;
  }

  /** Nothing comes of it any more. */
  #fail(error: unknown): void {
    if (!this.#isGivenUp) this.#failure ??= { error };
    void this.close();
  }

  async #work(job: Job<JobData>, token: string | undefined): Promise<Reply | undefined> {
    const { run } = job.data;
    const inHand = { run, lost: new AbortController(), cancelled: new AbortController(), nPhotos: 0 };
    this.#inHand = inHand;
    try {
      if (job.data.what === 'ask') return await this.#answer(job.data.question);
      if (await (job.data.what === 'merge' ? this.#merge(run, inHand) : this.#crop(job, inHand))) return undefined;
    } catch (error) {
      this.#parts.listener.onWait?.({ run, why: messageOf(error) });
      // A worker whose process does not even start would take job after job.
      this.#fail(error);
    } finally {
      this.#inHand = undefined;
      this.#why = undefined;
    }
    return this.#handBack(job, token);
  }

  /** Whoever asked hears of it in any case. */
  async #answer(question: Question): Promise<Reply> {
    try {
      const { answer } = await this.#parts.process.carryOut({ do: 'ask', question });
      return { answer: answer! };
    } catch (error) {
      const code = error instanceof ProcessDied ? 'WORKER_DIED' : codeOf(error);
      return { failure: { code, message: messageOf(error) } };
    }
  }

  /** @returns whether nothing of the job is left to do */
  async #crop(job: Job<JobData>, inHand: JobInHand): Promise<boolean> {
    const { process, memoryBytes, listener } = this.#parts;
    const { run, lost, cancelled } = inHand;
    const { data } = job;
    const id = job.id!;
    if (data.what !== 'crop' || !(await this.#isWanted(run))) return true;
    const spec = await this.#store.spec(run);
    const end = await workOnJob(
      { spec, id, job: id.slice(run.length + 1), photos: data.photos },
      {
        process,
        store: this.#store,
        draining: AbortSignal.any([this.#draining.signal, cancelled.signal]),
        lost: lost.signal,
        isTooLarge: () => process.residentBytes > memoryBytes,
        onPhoto: () => {
          this.#nDone++;
          inHand.nPhotos++;
        },
        onWait: (why) => this.#wait(run, why),
      },
    );
    // Submitted again meanwhile, it wants what is left of the job.
    if (!end) return cancelled.signal.aborted && !(await this.#isWanted(run));
    for (const { photo, code, message } of end.failed) {
      listener.onFailure?.({ run, photo: photo.planned.input, code, message });
    }
    const isLast = await this.#store.endJob(run, id, end);
    listener.onJob?.({ run, nDone: end.done.length, nFailed: end.failed.length });
    if (isLast) await addMergeJob(this.#queue, run);
    return true;
  }

  /** @returns whether it is done */
  async #merge(run: string, { lost }: JobInHand): Promise<boolean> {
    if (!(await this.#isWanted(run))) return true;
    const { process, listener } = this.#parts;
    try {
      await process.carryOut({ do: 'merge', spec: await this.#store.spec(run) });
    } catch (error) {
      if (!(error instanceof FramewrightError) && !(error instanceof ProcessDied)) throw error;
      // Somebody crops into the folder, or the disk is full.
      this.#wait(run, `${messageOf(error)} [${error instanceof ProcessDied ? 'WORKER_DIED' : error.code}]`);
      const signal = AbortSignal.any([this.#draining.signal, lost.signal]);
      await sleep(MERGE_AGAIN_MS, undefined, { signal }).catch(() => undefined);
      return false;
    }
    await this.#store.endRun(run);
    listener.onMerged?.(run);
    return true;
  }

  async #isWanted(run: string): Promise<boolean> {
    const state = await this.#store.stateOf(run);
    return state !== undefined && state !== 'cancelled';
  }

  #wait(run: string, why: string | undefined): void {
    this.#why = why;
    if (why !== undefined) this.#parts.listener.onWait?.({ run, why });
    void this.#say().catch(() => undefined);
  }

  /** Another worker takes it, or this one again. */
  async #handBack(job: Job<JobData>, token: string | undefined): Promise<never> {
    await job.moveToWait(token).catch(() => undefined);
    const { WaitingError } = this.#parts.connection.modules.bullmq;
    throw new WaitingError();
  }

  async #noteOthersRuns(): Promise<void> {
    const { kind, listener } = this.#parts;
    for (const run of await this.#store.names()) {
      const record = await this.#store.record(run).catch(() => undefined);
      const isOpen = record?.state === 'submitting' || record?.state === 'submitted';
      if (!record || !isOpen || record.spec.madeFor.key === kind.key) continue;
      listener.onOthersRun?.({ run, madeFor: record.spec.madeFor.words });
    }
  }

  /** That it is there, and how far it is; and what it has to know. */
  async #say(): Promise<void> {
    const { process, kind } = this.#parts;
    const inHand = this.#inHand;
    const record: WorkerRecord = {
      id: this.id,
      host: hostname(),
      pid: globalThis.process.pid,
      madeFor: kind.key,
      words: kind.words,
      runsOn: process.runsOn,
      state: this.#state(),
      nOfJob: inHand?.nPhotos ?? 0,
      nDone: this.#nDone,
      residentBytes: process.residentBytes,
      ...(inHand ? { run: inHand.run } : {}),
      ...(this.#why === undefined ? {} : { why: this.#why }),
    };
    await this.#store.noteWorker(record);
    if (inHand && (await this.#store.stateOf(inHand.run)) === 'cancelled') inHand.cancelled.abort();
    if (!inHand) await this.#mendRuns();
  }

  #state(): WorkerRecord['state'] {
    if (this.#draining.signal.aborted) return 'draining';
    if (this.#why !== undefined) return 'waiting';
    return this.#inHand ? 'working' : 'idle';
  }

  /** Whoever did a run's last job may have died before it said so. */
  async #mendRuns(): Promise<void> {
    for (const run of await this.#store.toMerge()) {
      const { madeFor } = await this.#store.spec(run);
      if (madeFor.key === this.#parts.kind.key) await addMergeJob(this.#queue, run);
    }
  }
}
