import type { BatchOptions } from '../../batch/options.js';
import type { PlannedPhoto } from '../../batch/plan/planned-photo.js';
import type { CropperOptions, PhotoWishes } from '../../cropper/options.js';
import type { Question } from '../ask/question.js';
import type { MadeFor } from '../made-for.js';

/** What is wished of all photos of a run, and how their files are written: what of a batch's options can be sent. */
export type RunWishes = Omit<
  BatchOptions,
  | ('inputs' | 'recursive' | 'filter' | 'cropper' | 'maxPixels' | 'firstFrame' | 'hints' | 'name' | 'output')
  | ('journal' | 'resume' | 'report' | 'contactSheet' | 'reviewList' | 'choices' | 'dryRun' | 'series')
  | ('stdin' | 'stdout' | 'signal' | 'noMore')
>;

/** What workers have to know of a run; kept with the queue. */
export interface RunSpec {
  readonly run: string;
  readonly madeFor: MadeFor;
  /** Folder, absolute, or bucket that its files and its notes go to; where crops go beside their photos, that of its notes. */
  readonly home: string;
  /** What has to be there for its photos to be found: folders, absolute, and URLs of buckets. */
  readonly roots: readonly string[];
  /** As a batch has it. Undefined: crops go beside their photos or into XMP. */
  readonly output?: string;
  readonly wishes: RunWishes;
  /** How a cropper for it is opened. */
  readonly opening: Pick<CropperOptions, 'maxPixels' | 'firstFrame' | 'rawPreview'>;
}

/** A photo of a job, with the names of its files and what is wished of it alone. */
export interface JobPhoto {
  readonly planned: PlannedPhoto;
  readonly wishes?: PhotoWishes;
}

/**
 * What the queue holds of a job: some photos to crop; the end of a run, when what its jobs have noted becomes one journal; a
 * question of somebody who waits for the answer.
 */
export type JobData =
  | { readonly what: 'crop'; readonly run: string; readonly photos: readonly JobPhoto[] }
  | { readonly what: 'merge'; readonly run: string }
  | { readonly what: 'ask'; readonly run: string; readonly question: Question };

/** Why a photo has no crop. */
export interface PhotoFailure {
  readonly code: string;
  readonly message: string;
}
