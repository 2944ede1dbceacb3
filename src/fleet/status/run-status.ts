import { GONE_S } from '../run/run-store.js';
import type { RunRecord, RunState, WorkerRecord, WorkerState } from '../run/run-record.js';

/** How far a run is. */
export interface RunStatus {
  readonly run: string;
  /**
   * `abandoned`: whoever put photos in has ended before all were in, and the same submission again goes on; `waiting`: all
   * are in and no worker takes them; `ending`: what its jobs have noted becomes one journal.
   */
  readonly state: RunState | 'abandoned' | 'running' | 'waiting' | 'ending';
  /** Which workers it is for. */
  readonly madeFor: string;
  readonly output?: string;
  /** Photos found by now; all there are once the state is neither `submitting` nor `abandoned`. */
  readonly nPhotos: number;
  /** Done, by this run or before. */
  readonly nDone: number;
  readonly nFailed: number;
  /** Jobs that are not done. */
  readonly nJobsOpen: number;
  /** Photos that failed, by error code. */
  readonly failures: Readonly<Record<string, number>>;
  /** Photos a second, over the last whole minutes in which any was done. */
  readonly photosPerSecond: number;
  /** At that rate; absent where nothing is done, or not all photos are in. */
  readonly secondsLeft?: number;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly workers: readonly WorkerStatus[];
}

/** A worker that is there. */
export interface WorkerStatus {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly state: WorkerState;
  readonly madeFor: string;
  readonly runsOn: string;
  /** The run it works for. */
  readonly run?: string;
  /** Photos since it was started. */
  readonly nDone: number;
  readonly residentBytes: number;
  /** What it waits for. */
  readonly why?: string;
}

/** All that a queue's server knows of the fleet. */
export interface FleetStatus {
  /** Oldest first. */
  readonly runs: readonly RunStatus[];
  readonly workers: readonly WorkerStatus[];
}

/** Minutes that the rate is taken over. */
const RATE_MINUTES = 5;

export function statusOf(record: RunRecord, workers: readonly WorkerRecord[]): RunStatus {
  const { spec, nPhotos, nEarlier, nFailed, nOpen, failures, startedAt, endedAt } = record;
  const { run, madeFor, output } = spec;
  const own = workers.filter((worker) => worker.madeFor === madeFor.key);
  const inHand = own.reduce((sum, worker) => sum + (worker.run === run ? worker.nOfJob : 0), 0);
  const nDone = Math.min(record.nDone + nEarlier + inHand, Math.max(nPhotos - nFailed, 0));
  const photosPerSecond = rateOf(record);
  const nLeft = nPhotos - nDone - nFailed;
  return {
    run,
    state: stateOf(record, own),
    madeFor: madeFor.words,
    ...(output === undefined ? {} : { output }),
    ...{ nPhotos, nDone, nFailed, nJobsOpen: nOpen, failures, photosPerSecond },
    ...(photosPerSecond > 0 && record.state === 'submitted' ? { secondsLeft: Math.ceil(nLeft / photosPerSecond) } : {}),
    startedAt: new Date(startedAt * 1000).toISOString(),
    ...(endedAt === undefined ? {} : { endedAt: new Date(endedAt * 1000).toISOString() }),
    workers: own.map(workerStatus),
  };
}

export function workerStatus(worker: WorkerRecord): WorkerStatus {
  const { id, host, pid, state, words, runsOn, run, nDone, residentBytes, why } = worker;
  return {
    ...{ id, host, pid, state, madeFor: words, runsOn, nDone, residentBytes },
    ...(run === undefined ? {} : { run }),
    ...(why === undefined ? {} : { why }),
  };
}

function stateOf(record: RunRecord, workers: readonly WorkerRecord[]): RunStatus['state'] {
  const { state, nOpen, now, submitterAt } = record;
  if (state === 'submitting' && now - submitterAt > GONE_S) return 'abandoned';
  if (state !== 'submitted') return state;
  if (nOpen === 0) return 'ending';
  return workers.length > 0 ? 'running' : 'waiting';
}

/** Of whole minutes, and of the one that has begun where there is no other. */
function rateOf({ perMinute, now, startedAt, endedAt }: RunRecord): number {
  const end = endedAt ?? now;
  const minute = Math.floor(end / 60);
  let nPhotos = 0;
  let seconds = 0;
  for (let back = 0; back <= RATE_MINUTES; back++) {
    const from = Math.max((minute - back) * 60, startedAt);
    const to = Math.min((minute - back + 1) * 60, end);
    if (to <= from) continue;
    nPhotos += perMinute.get(minute - back) ?? 0;
    seconds += to - from;
  }
  return seconds > 0 ? Math.round((nPhotos / seconds) * 100) / 100 : 0;
}
