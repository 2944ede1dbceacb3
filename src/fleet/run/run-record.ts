import type { JobPhoto, PhotoFailure, RunSpec } from './run-spec.js';

/** What becomes of a run: photos are being put in, all are in, what was noted is one journal; or it was called off. */
export type RunState = 'submitting' | 'submitted' | 'merged' | 'cancelled';

/** A photo that failed, with what is needed to try it again. */
export interface FailedPhoto extends PhotoFailure {
  readonly photo: JobPhoto;
}

/** What a worker is at; `waiting` is for what keeps it from its job, `draining` it takes no other. */
export type WorkerState = 'idle' | 'working' | 'waiting' | 'draining';

/** A worker, as it says of itself. */
export interface WorkerRecord {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly madeFor: string;
  readonly words: string;
  readonly runsOn: string;
  readonly state: WorkerState;
  /** The run it works for. */
  readonly run?: string;
  /** Photos of its job done by now. */
  readonly nOfJob: number;
  /** Photos since it was started. */
  readonly nDone: number;
  readonly residentBytes: number;
  /** Why it waits. */
  readonly why?: string;
}

/** A run as the queue's server has it. */
export interface RunRecord {
  readonly spec: RunSpec;
  readonly state: RunState;
  /** Photos found by now, those that were done before among them. */
  readonly nPhotos: number;
  readonly nEarlier: number;
  readonly nDone: number;
  readonly nFailed: number;
  /** Jobs that are not done. */
  readonly nOpen: number;
  readonly failures: Readonly<Record<string, number>>;
  /** Seconds since 1970 by the server's clock. */
  readonly startedAt: number;
  /** When whoever put photos in was last heard of. */
  readonly submitterAt: number;
  readonly endedAt?: number;
  readonly now: number;
  /** Photos done in each of the last minutes, by minute since 1970. */
  readonly perMinute: ReadonlyMap<number, number>;
  /** What everything but the photo that decides its files comes down to, once a worker has said so. */
  readonly key?: string;
}

/** Of a job that is done: what became of its photos. */
export interface JobEnd {
  /** Their paths. */
  readonly done: readonly string[];
  readonly failed: readonly FailedPhoto[];
}
