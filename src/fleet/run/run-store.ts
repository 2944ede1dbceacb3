import type { Redis } from 'ioredis';
import { FramewrightError } from '../../base/errors.js';
import type { FailedPhoto, JobEnd, RunRecord, RunState, WorkerRecord } from './run-record.js';
import type { RunSpec } from './run-spec.js';
import { SCRIPTS } from './scripts.js';

const ROOT = 'framewright:fleet';
/** How often workers, and whoever submits, say that they are there. */
export const BEAT_MS = 5000;
/** Who has said nothing for so long, three times what it takes to speak, is gone. */
export const GONE_S = 16;
/** How long a run that has ended is kept. */
const KEPT_S = 30 * 24 * 3600;

/**
 * What is known of runs and workers beside the queue itself, on the same server: how far a run is, what has failed, which
 * photos were in hand when a worker died. Steps that must not be taken half are scripts. Times are the server's, whatever
 * clocks of workers say.
 */
export class RunStore {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /**
   * Begins a run, or goes on with one of the same name and wishes.
   *
   * @throws FramewrightError USAGE where a run of that name has other wishes
   */
  async register(spec: RunSpec): Promise<void> {
    const { run } = spec;
    const text = JSON.stringify(spec);
    const keys = [keyOf(run), `${ROOT}:runs`, keyOf(run, 'open'), ...lasting(run)];
    const there = await this.#eval(SCRIPTS.register, keys, [run, text]);
    if (there === text) return;
    throw new FramewrightError(
      'USAGE',
      `there is a run ${run} with other options, or for other workers: name this one otherwise with --run`,
    );
  }

  /** Oldest first. */
  async names(): Promise<readonly string[]> {
    const names = await this.#redis.zrange(`${ROOT}:runs`, '0', '-1');
    const areThere = await Promise.all(names.map((run) => this.#redis.exists(keyOf(run))));
    const gone = names.filter((_, i) => areThere[i] === 0);
    if (gone.length > 0) await this.#redis.zrem(`${ROOT}:runs`, ...gone);
    return names.filter((_, i) => areThere[i] !== 0);
  }

  /** @throws FramewrightError USAGE for a run there is none of */
  async spec(run: string): Promise<RunSpec> {
    const text = await this.#redis.hget(keyOf(run), 'spec');
    if (text === null) throw await this.#noSuchRun(run);
    return JSON.parse(text) as RunSpec;
  }

  async stateOf(run: string): Promise<RunState | undefined> {
    return ((await this.#redis.hget(keyOf(run), 'state')) as RunState | null) ?? undefined;
  }

  async record(run: string): Promise<RunRecord> {
    const [hash, nOpen, nFailed, rates, time] = await Promise.all([
      this.#redis.hgetall(keyOf(run)),
      this.#redis.scard(keyOf(run, 'open')),
      this.#redis.hlen(keyOf(run, 'failed')),
      this.#redis.hgetall(keyOf(run, 'rate')),
      this.#redis.time(),
    ]);
    if (hash.spec === undefined) throw await this.#noSuchRun(run);
    const number = (name: string): number => Number(hash[name] ?? 0);
    const codes = Object.entries(hash).filter(([name, n]) => name.startsWith('error:') && Number(n) > 0);
    return {
      spec: JSON.parse(hash.spec) as RunSpec,
      state: hash.state as RunState,
      nPhotos: number('nPhotos'),
      nEarlier: number('nEarlier'),
      nDone: number('nDone'),
      nFailed,
      nOpen,
      failures: Object.fromEntries(codes.map(([name, n]) => [name.slice('error:'.length), Number(n)])),
      startedAt: number('startedAt'),
      submitterAt: number('submitterAt'),
      ...(hash.endedAt === undefined ? {} : { endedAt: Number(hash.endedAt) }),
      ...(hash.key === undefined ? {} : { key: hash.key }),
      now: Number(time[0]),
      perMinute: new Map(Object.entries(rates).map(([minute, n]) => [Number(minute), Number(n)])),
    };
  }

  /** Says which jobs are to be done, before they are in the queue. */
  async openJobs(run: string, ids: readonly string[]): Promise<void> {
    await this.#eval(SCRIPTS.openJobs, [keyOf(run), keyOf(run, 'open')], ids);
  }

  /** The jobs that are not done, with the run's name. */
  async openIds(run: string): Promise<readonly string[]> {
    return this.#redis.smembers(keyOf(run, 'open'));
  }

  /** Those of some jobs that are not done. */
  async stillOpen(run: string, ids: readonly string[]): Promise<readonly string[]> {
    if (ids.length === 0) return [];
    const are = await this.#redis.smismember(keyOf(run, 'open'), ...ids);
    return ids.filter((_, i) => are[i] === 1);
  }

  /** There are no such jobs any more. */
  async closeJobs(run: string, ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#redis.srem(keyOf(run, 'open'), ...ids);
  }

  /** Somebody is at putting photos in. */
  async noteSubmitter(run: string): Promise<void> {
    await this.#eval(SCRIPTS.noteSubmitter, [keyOf(run)], []);
  }

  /** Runs of which all photos are in and no job is open: their journals are to become one. */
  async toMerge(): Promise<readonly string[]> {
    return (await this.#eval(SCRIPTS.toMerge, [`${ROOT}:runs`], [keyOf('')])) as string[];
  }

  async noteSubmitted(run: string, counts: { readonly nPhotos: number; readonly nEarlier: number }): Promise<void> {
    await this.#redis.hset(keyOf(run), counts);
  }

  /** All photos are in the queue. True where none of its jobs is open any more. */
  async endSubmission(run: string): Promise<boolean> {
    return (await this.#eval(SCRIPTS.endSubmission, [keyOf(run), keyOf(run, 'open')], [])) === 1;
  }

  /** Whether it still knows that all photos are in: where it crashes it may have forgotten. */
  async isAllIn(run: string): Promise<boolean> {
    const state = await this.stateOf(run);
    return state !== undefined && state !== 'submitting';
  }

  /** Whether the server keeps what it is told on a disk, and may be a while behind with it. */
  async writesLate(): Promise<boolean> {
    const persistence = await this.#redis.info('persistence').catch(() => '');
    return /^aof_enabled:1/m.test(persistence);
  }

  /** Notes what became of a job, once. True where it was the run's last. */
  async endJob(run: string, id: string, { done, failed }: JobEnd): Promise<boolean> {
    const keys = [keyOf(run), keyOf(run, 'open'), keyOf(run, 'failed'), keyOf(run, 'rate'), keyOf(run, 'hands')];
    const failures = failed.flatMap((each) => [each.photo.planned.input, JSON.stringify(each)]);
    return (await this.#eval(SCRIPTS.endJob, keys, [id, String(done.length), ...done, ...failures])) === 1;
  }

  /**
   * What its jobs noted is one journal: every photo is done or has failed. It is kept for thirty days, in which it can be
   * submitted or retried once more; its files stay.
   */
  async endRun(run: string): Promise<void> {
    await this.#eval(SCRIPTS.endRun, [keyOf(run), keyOf(run, 'open'), ...lasting(run)], [String(KEPT_S)]);
  }

  async cancel(run: string): Promise<void> {
    await this.spec(run);
    await this.#redis.hset(keyOf(run), { state: 'cancelled' });
  }

  /** What everything but the photo comes down to: the first worker says it. */
  async stampKey(run: string, key: string): Promise<void> {
    await this.#redis.hsetnx(keyOf(run), 'key', key);
  }

  /** Which photos of a job are being worked on: known by the next worker where this one dies. */
  async noteHand(run: string, id: string, photos: readonly string[]): Promise<void> {
    await this.#redis.hset(keyOf(run, 'hands'), id, JSON.stringify(photos));
  }

  /** The photos that were in hand when the last worker of a job died; told once. */
  async takeHand(run: string, id: string): Promise<readonly string[]> {
    const text = await this.#eval(SCRIPTS.takeHand, [keyOf(run, 'hands')], [id]);
    return typeof text === 'string' ? (JSON.parse(text) as string[]) : [];
  }

  /**
   * The process that cropped these photos has died: of one alone that counts as a death, of several it is not known which it
   * was, and each is to be tried alone.
   */
  async noteDeaths(run: string, photos: readonly string[]): Promise<void> {
    const key = keyOf(run, 'deaths');
    if (photos.length === 1) await this.#redis.hincrby(key, photos[0]!, 1);
    for (const photo of photos) await this.#redis.hsetnx(key, photo, '0');
  }

  /** Of photos that were in hand when a process died, how often that was while they were alone. */
  async deathsOf(run: string, photos: readonly string[]): Promise<ReadonlyMap<string, number>> {
    if (photos.length === 0) return new Map();
    const counts = await this.#redis.hmget(keyOf(run, 'deaths'), ...photos);
    return new Map(photos.flatMap((photo, i) => (counts[i] == null ? [] : [[photo, Number(counts[i])]])));
  }

  /** The photos that failed, some at a time. */
  async *failures(run: string): AsyncGenerator<readonly FailedPhoto[], void, undefined> {
    const key = keyOf(run, 'failed');
    let cursor = '0';
    do {
      const [next, entries] = await this.#redis.hscan(key, cursor, 'COUNT', 100);
      cursor = next;
      const texts = entries.filter((_, i) => i % 2 === 1);
      if (texts.length > 0) yield texts.map((text) => JSON.parse(text) as FailedPhoto);
    } while (cursor !== '0');
  }

  /**
   * Begins to try failed photos again; which time this is, from 1.
   *
   * @throws FramewrightError USAGE for a run that was cancelled: what it lacks has not failed
   */
  async beginRetry(run: string): Promise<number> {
    const nth = await this.#eval(SCRIPTS.beginRetry, [keyOf(run), ...lasting(run)], []);
    if (nth !== null) return Number(nth);
    throw new FramewrightError('USAGE', `the run ${run} was cancelled: the same fleet submit again goes on with it`);
  }

  /** These are in the queue again: they have not failed, nor killed anyone. */
  async forgetFailures(run: string, photos: readonly FailedPhoto[]): Promise<void> {
    const keys = [keyOf(run), keyOf(run, 'failed'), keyOf(run, 'deaths')];
    const paths = photos.map(({ photo }) => photo.planned.input);
    await this.#eval(SCRIPTS.forgetFailures, keys, paths);
  }

  /** True where all photos of the run are in, and none of its jobs is open any more. */
  async endRetry(run: string, nth: number): Promise<boolean> {
    return (await this.#eval(SCRIPTS.endRetry, [keyOf(run), keyOf(run, 'open')], [String(nth)])) === 1;
  }

  async noteWorker(worker: WorkerRecord): Promise<void> {
    await this.#eval(SCRIPTS.noteWorker, [`${ROOT}:workers`], [worker.id, JSON.stringify(worker)]);
  }

  async forgetWorker(id: string): Promise<void> {
    await this.#redis.hdel(`${ROOT}:workers`, id);
  }

  /** Those that are alive. */
  async workers(): Promise<readonly WorkerRecord[]> {
    const [all, [now]] = await Promise.all([this.#redis.hgetall(`${ROOT}:workers`), this.#redis.time()]);
    const alive: WorkerRecord[] = [];
    for (const [id, text] of Object.entries(all)) {
      const at = text.indexOf(' ');
      if (Number(now) - Number(text.slice(0, at)) <= GONE_S) {
        alive.push(JSON.parse(text.slice(at + 1)) as WorkerRecord);
      } else await this.forgetWorker(id);
    }
    return alive.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async #noSuchRun(run: string): Promise<FramewrightError> {
    const names = await this.names();
    const known = names.length > 0 ? `there are ${names.slice(-10).join(', ')}` : 'there is none at all';
    return new FramewrightError('USAGE', `there is no run ${run} in this queue; ${known}`);
  }

  #eval(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.#redis.eval(script, keys.length, ...keys, ...args);
  }
}

function keyOf(run: string, part?: string): string {
  return part === undefined ? `${ROOT}:run:${run}` : `${ROOT}:run:${run}:${part}`;
}

/** What of a run is kept for a while after its end, beside itself. */
function lasting(run: string): string[] {
  return ['failed', 'rate', 'deaths', 'hands'].map((part) => keyOf(run, part));
}
