import type { CropResult, RefusedTarget } from '../base/schema.js';
import type { Cropper } from '../cropper/cropper.js';
import type { PlannedPhoto } from './plan/planned-photo.js';

/** Something a user may wonder about. */
export interface BatchNote {
  /**
   * `inputs`: folders that cannot be read, RAW (and HEIC, where nothing reads it) left out; `earlier-crops`: pictures left out as crops made earlier;
   * `hints`: some are for none of the photos; `sidecars`: who reads those asked for.
   */
  readonly about: 'inputs' | 'earlier-crops' | 'hints' | 'sidecars';
  readonly text: string;
}

/** What a run does before its first photo: thousands of photos take seconds to find and to plan. */
export interface BatchPreparation {
  /**
   * Looks through folders; names the files of all photos; looks which of these are there already; with `series`, and after
   * `onBegin`, compares photos with one another.
   */
  readonly step: 'find' | 'name' | 'check' | 'compare';
  /** Found, or compared, by now. */
  readonly nPhotos: number;
}

/** What a run sets out to do. */
export interface BatchBegin {
  /** Photos; with choices, crops. */
  readonly nTotal: number;
  /** Of these, done by an earlier run. */
  readonly nEarlier: number;
  /** What is done is noted: a run that ends early can be gone on from, with `resume`. */
  readonly canResume: boolean;
}

/** A photo that is done. */
export interface BatchPhoto {
  /** As the run calls it: its path, or `-`. */
  readonly input: string;
  /** One for each target that can be met, with the files written; with choices the one chosen. */
  readonly results: readonly CropResult[];
  /** The aspects and sizes that no crop of it meets, each a warning. */
  readonly refused: readonly RefusedTarget[];
  /** An earlier run has done it. */
  readonly isEarlier: boolean;
}

export interface BatchFailure {
  readonly input: string;
  readonly error: unknown;
}

export interface BatchProgress {
  readonly nTotal: number;
  /** Done by an earlier run. */
  readonly nEarlier: number;
  /** Done by now, failed ones and those of earlier runs included. */
  readonly nDone: number;
  readonly nFailed: number;
  /** Since the first photo of this run was begun. */
  readonly elapsedMs: number;
}

/** What became of the photos of a run. */
export interface BatchResult extends BatchBegin {
  /** Cropped in this run or an earlier one. */
  readonly nDone: number;
  /** Photos that gave no crop at all, in order. */
  readonly failures: readonly BatchFailure[];
  /** Aspects and sizes left out of photos that are done, in this run or an earlier one: no crop meets them. */
  readonly nRefused: number;
  /** `noMore` has ended the run before all photos had their turn. */
  readonly isStopped: boolean;
  /** Crops left for a person to decide, and where they are listed; undefined where none may be. */
  readonly review?: { readonly path: string; readonly nCrops: number };
}

export interface BatchEnd extends BatchResult {
  /** What the run rejects with; undefined where it resolves. */
  readonly error?: unknown;
}

/**
 * Told of what a run does, in this order: `onPrepare` and notes, `onPlan`, `onOpen`, `onResume`, `onBegin`, then each photo as it is
 * done or fails, `onEnd`. What a listener throws ends the run, which rejects with it.
 */
export interface BatchListener {
  /** After each folder looked through, and as each other step begins. */
  readonly onPrepare?: (preparation: BatchPreparation) => void;
  readonly onNote?: (note: BatchNote) => void;
  /** All files have their names; no model is loaded, nothing is written. */
  readonly onPlan?: (photos: readonly PlannedPhoto[]) => void;
  /** The cropper is open. Not called with choices. */
  readonly onOpen?: (cropper: Cropper) => void;
  /** With `resume`: it is known what earlier runs have done. */
  readonly onResume?: (begin: BatchBegin) => void;
  /** The first photo is begun. From here on `onEnd` is sure to follow. */
  readonly onBegin?: (begin: BatchBegin) => void;
  /** A photo is done. Photos come in the order planned. */
  readonly onPhoto?: (photo: BatchPhoto) => void;
  /** A photo could not be cropped. The others go on. */
  readonly onFailure?: (failure: BatchFailure) => void;
  /** At the beginning, and after each photo of this run. */
  readonly onProgress?: (progress: BatchProgress) => void;
  /** A report, contact sheet or review list could not be written, after another, whose error the run rejects with. */
  readonly onSummaryError?: (error: unknown) => void;
  readonly onEnd?: (end: BatchEnd) => void;
}
