import type { Box, Size } from '../../base/geometry.js';
import type { Element } from '../../base/schema.js';
import type { Target } from '../../crop/target.js';

/** A crop with what people thought of it. */
export interface RatedBox {
  readonly box: Box;
  /** The higher the better, comparable within one source: a mean opinion score, or the mean IoU with people's crops. */
  readonly rating: number;
  /** Nobody made this crop: it may lose against others, and is taught to no one. */
  readonly isDrawn?: boolean;
}

/** Of two crops, the one that people preferred. */
export interface PreferredPair {
  readonly chosen: Box;
  readonly rejected: Box;
}

/** What a model says of the photo by itself: what is to be improved on. */
export interface OwnAnswer {
  readonly elements: readonly Element[];
  /** In the order proposed. */
  readonly candidates: readonly Box[];
  /** Index of its choice. */
  readonly best: number;
}

/** What people said of one photo. All boxes and elements are pixels of `space`. */
export interface TastePhoto {
  readonly id: string;
  readonly path: string;
  /** Only this much of the upright photo is seen: labels are pixels of it. Default: all. */
  readonly part?: Box;
  /** The size its labels were made in; default: that of the upright photo. */
  readonly space?: Size;
  /** Where the source divides itself. */
  readonly split?: Split;
  /** Its composition, where it was labelled. */
  readonly elements?: readonly Element[];
  /** Its subject, where a mask shows it: takes the place of the one the analysis names. */
  readonly subject?: Box;
  readonly crops: readonly RatedBox[];
  readonly pairs: readonly PreferredPair[];
  /** Its crop counts against what the model makes of the photo by itself, beside the pairs. */
  readonly isPreferredToOwn?: boolean;
  /** The shape that was asked for. Default: any. */
  readonly target?: Target;
  /** Known already; otherwise the analysis is made when it is needed. */
  readonly own?: OwnAnswer;
}

/** What is trained on, and what is kept to measure with. */
export const SPLITS = ['train', 'heldout'] as const;
export type Split = (typeof SPLITS)[number];

export interface TasteSource {
  /** For people, e.g. `GAICD`. */
  readonly name: string;
  readonly photos: readonly TastePhoto[];
  /** A difference of ratings that is beyond doubt, where nothing else is asked for. */
  readonly ratingGap: number;
  readonly missing: readonly Problem[];
  /** Labels that were changed or left out, a line each. */
  readonly repairs: readonly string[];
}

/** A photo, or part of it, that could not be used. */
export interface Problem {
  readonly id: string;
  readonly reason: string;
}
