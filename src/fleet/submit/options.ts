import type { OptionKinds } from '../../base/options-check.js';
import { BATCH_OPTIONS } from '../../batch/option-kinds.js';
import type { BatchOptions } from '../../batch/options.js';
import type { EngineChoice } from '../made-for.js';

/** What of a batch's options a run of a fleet has no use for: one machine's own, or what looks at all photos at once. */
type Local =
  | ('cropper' | 'filter' | 'dryRun' | 'journal' | 'resume' | 'report' | 'contactSheet' | 'reviewList' | 'choices')
  | ('series' | 'stdin' | 'stdout' | 'noMore' | 'inputs');

/** A run of a fleet: its photos, what is wished of them, and the queue. Paths have to be the same on all its machines. */
export interface SubmitOptions extends Omit<BatchOptions, Local> {
  /** Where the queue is: `redis://[user:password@]host[:port][/database]`, or `rediss://`. */
  readonly queue: string;
  /**
   * Files, folders, patterns, and lists: text files of one path a line, or JSON Lines with a `path` each. Folders are looked
   * through one after the other while their photos are put in.
   */
  readonly inputs: readonly string[];
  /** What it is called: letters, digits, `-`, `_`, `.`. Default: by its first input and its options, the same each time. */
  readonly run?: string;
  /** 1 is done first, 1,000,000 last. Default 100. */
  readonly priority?: number;
  /** Photos a job: a worker takes, and may have to do again, as many. Default 16. */
  readonly jobSize?: number;
  /** Jobs that wait in the queue at most; the rest is put in as workers make room. Default 5000. */
  readonly mostWaiting?: number;
  /** The engine and the model its workers are to have. Default: the library's. */
  readonly cropper?: EngineChoice;
}

/** What has been put into the queue. */
export interface SubmittedRun {
  readonly run: string;
  /** Photos found, those done earlier among them. */
  readonly nPhotos: number;
  readonly nEarlier: number;
  readonly nJobs: number;
  /** It was cancelled before all photos were in. */
  readonly isCancelled: boolean;
}

export interface SubmitProgress extends Pick<SubmittedRun, 'nPhotos' | 'nEarlier' | 'nJobs'> {
  /** The queue is full. */
  readonly isWaiting: boolean;
}

/** Told of what submitRun does. What a listener throws ends it. */
export interface SubmitListener {
  /** The run has its name, and is known to the queue. */
  readonly onRun?: (run: string) => void;
  readonly onNote?: (text: string) => void;
  readonly onProgress?: (progress: SubmitProgress) => void;
  /** The server has gone away, and is waited for. */
  readonly onLost?: (why: string) => void;
}

const LOCAL: Readonly<Record<Exclude<Local, 'inputs'>, true>> = {
  cropper: true,
  filter: true,
  dryRun: true,
  journal: true,
  resume: true,
  report: true,
  contactSheet: true,
  reviewList: true,
  choices: true,
  series: true,
  stdin: true,
  stdout: true,
  noMore: true,
};

/** Those of a batch that are left. */
function shared(): OptionKinds<Omit<BatchOptions, Exclude<Local, 'inputs'>>> {
  const kinds = Object.entries(BATCH_OPTIONS).filter(([name]) => !Object.hasOwn(LOCAL, name));
  return Object.fromEntries(kinds) as OptionKinds<Omit<BatchOptions, Exclude<Local, 'inputs'>>>;
}

export const SUBMIT_OPTIONS: OptionKinds<SubmitOptions> = {
  ...shared(),
  cropper: 'object',
  queue: 'text',
  run: 'text',
  priority: 'number',
  jobSize: 'number',
  mostWaiting: 'number',
};
