import type { Box } from '../../base/geometry.js';
import type { Ratio } from '../ratio-window.js';
import type { LabelledElement, LabelledPhoto } from '../datasets/types.js';

/** A labelled photo that is there; `size` is its label space. */
export type PresentPhoto = LabelledPhoto & { readonly size: NonNullable<LabelledPhoto['size']> };

export interface PredictOptions {
  readonly signal?: AbortSignal;
}

export interface CropOptions extends PredictOptions {
  /** Of the crop; any without. */
  readonly aspect?: Ratio;
}

/** Marks a method as one point of a sweep, so a report can draw the figure against the setting. */
export interface SweepPoint {
  /** What is varied, e.g. `candidates`. */
  readonly parameter: string;
  readonly value: number;
  /** What the setting is called where that is not its value, e.g. a model's file. */
  readonly label?: string;
  /** Tells several lines of one sweep apart, e.g. the adapter. */
  readonly series: string;
}

/** Marks a method as another one with something taken away. */
export interface Ablation {
  /** Name of the method that has everything. */
  readonly of: string;
  /** What is different, e.g. `no analysis`. */
  readonly change: string;
}

/**
 * Anything that is measured. It has the functions of the tasks it can do; a data set of crops needs `crop`, one of
 * ratings or pairs `rank`, one of elements `analyse`. All coordinates given and taken are in the photo's label space.
 *
 * Photos are evaluated one method after the other, in the order of the list, so methods that are variants of one model
 * may keep what they share of a photo (its KV cache) until `photoDone`.
 */
export interface Method {
  /** Unique among the methods of a run, for people. */
  readonly name: string;
  /** Everything that decides the answer apart from the photo: model SHA-256, prompt version, options. */
  readonly key: string;
  /** Without, a method is evaluated on labels alone where no method of the run reads pixels. */
  readonly needsPixels: boolean;
  /** The sweeps it is a point of. */
  readonly sweeps?: readonly SweepPoint[];
  readonly ablation?: Ablation;
  /** Crops, best first; none is an unusable answer. */
  readonly crop?: (photo: PresentPhoto, options: CropOptions) => Promise<readonly Box[]>;
  /** One finite number a box, higher is better. */
  readonly rank?: (photo: PresentPhoto, boxes: readonly Box[], options: PredictOptions) => Promise<readonly number[]>;
  readonly analyse?: (photo: PresentPhoto, options: PredictOptions) => Promise<readonly LabelledElement[]>;
  /**
   * After the last method of the run has seen the photo, in all the ways it is asked for where several in a row are one file;
   * also where one of them failed.
   */
  readonly photoDone?: (photo: PresentPhoto) => Promise<void>;
  /** After the run. */
  readonly close?: () => Promise<void>;
}
