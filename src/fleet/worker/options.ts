import type { OptionKinds } from '../../base/options-check.js';
import type { WorkerCropper } from './messages.js';

export interface WorkerOptions {
  /** Where the queue is: `redis://[user:password@]host[:port][/database]`, or `rediss://`. */
  readonly queue: string;
  /** How it opens its cropper; it takes the runs that are for such an engine and model. Default: the library's defaults. */
  readonly cropper?: WorkerCropper;
  /** Resident memory of the process that crops above which it is made anew, after the photo in hand. Default: no limit. */
  readonly memoryBytes?: number;
  /**
   * A worker that has not been heard of for so long loses its job to another, in milliseconds. Default 30,000: half of it is
   * a short break of the network, and a job of a worker that died begins again after as long.
   */
  readonly lockMs?: number;
  /** Say on stderr what llama.cpp says. Default false. */
  readonly verbose?: boolean;
}

/** A worker that takes jobs. */
export interface RunningWorker {
  /** Its host, and a word of its own. */
  readonly id: string;
  /** What it runs on, in words. */
  readonly runsOn: string;
  /** The runs it takes, in words. */
  readonly madeFor: string;
  /** Settles when it has ended: rejects where it could not go on. */
  readonly ended: Promise<void>;
  /** Finishes the photo in hand, hands back what is left of its job, and ends. */
  close(): Promise<void>;
}

/** Told of what a worker does. */
export interface WorkerListener {
  readonly onReady?: (worker: { readonly madeFor: string; readonly runsOn: string }) => void;
  /** At the start: a run that is for another kind of worker. */
  readonly onOthersRun?: (run: { readonly run: string; readonly madeFor: string }) => void;
  readonly onJob?: (job: { readonly run: string; readonly nDone: number; readonly nFailed: number }) => void;
  readonly onFailure?: (failure: {
    readonly run: string;
    readonly photo: string;
    readonly code: string;
    readonly message: string;
  }) => void;
  /** Nothing can be done now, and is tried again. */
  readonly onWait?: (wait: { readonly run: string; readonly why: string }) => void;
  /** A run is at its end: what its jobs have noted is one journal. */
  readonly onMerged?: (run: string) => void;
  /** The queue's server has gone away, and is waited for. */
  readonly onLost?: (why: string) => void;
}

export const WORKER_OPTIONS: OptionKinds<WorkerOptions> = {
  queue: 'text',
  cropper: 'object',
  memoryBytes: 'number',
  lockMs: 'number',
  verbose: 'boolean',
};
