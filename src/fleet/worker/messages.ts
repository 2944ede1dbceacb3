import type { Answer, Question } from '../ask/question.js';
import type { CropperOptions } from '../../cropper/options.js';
import type { JobPhoto, PhotoFailure, RunSpec } from '../run/run-spec.js';

/** What the process that crops is asked to do, one thing at a time; all of it can be sent. */
export type Task =
  | { readonly do: 'open'; readonly cropper: WorkerCropper; readonly isVerbose: boolean }
  | { readonly do: 'crop'; readonly spec: RunSpec; readonly job: string; readonly photos: readonly JobPhoto[] }
  | { readonly do: 'merge'; readonly spec: RunSpec }
  | { readonly do: 'ask'; readonly question: Question };

/** How it opens its cropper, apart from what a run says. */
export type WorkerCropper = Omit<
  CropperOptions,
  'maxPixels' | 'firstFrame' | 'rawPreview' | 'signal' | 'onLog' | 'onProgress'
>;

export type ToChild = Task | { readonly do: 'no more' };

/** What it says meanwhile, and at the end of each task `done` or `failed`. */
export type FromChild =
  | { readonly say: 'begin'; readonly photo: string }
  | { readonly say: 'passed'; readonly photo: string }
  | { readonly say: 'cropped'; readonly photo: string; readonly residentBytes: number }
  | ({ readonly say: 'not cropped'; readonly photo: string; readonly residentBytes: number } & PhotoFailure)
  | { readonly say: 'key'; readonly key: string }
  | { readonly say: 'done'; readonly answer: TaskAnswer }
  | ({ readonly say: 'failed' } & PhotoFailure);

export interface TaskAnswer {
  /** Of `open`: what it runs on, in words. */
  readonly runsOn?: string;
  /** Of `crop`: it was asked to begin no more photos, and some are left. */
  readonly isStopped?: boolean;
  /** Of `ask`. */
  readonly answer?: Answer;
}
