import type { Box, Point, Size } from '../../base/geometry.js';
import type { Ratio } from '../ratio-window.js';

/** What the people who made a data set labelled, which decides what is predicted and how it is measured. */
export type DatasetKind = 'boxes' | 'ranking' | 'pairs' | 'elements' | 'subjects' | 'places';

/**
 * A labelled photo. Every coordinate of its labels and of predictions for it is in label space: `[0, size.width] x
 * [0, size.height]`, the size its annotators saw. The file at `path` may have another size (a scaled copy).
 */
export interface LabelledPhoto {
  readonly id: string;
  /** Absent where the data set's folder has no such photo; the photo is then also in `Dataset.missing`. */
  readonly path: string | undefined;
  /** Label space; absent where only the missing photo could tell. */
  readonly size: Size | undefined;
  /** `train`, `val`, `test`, a class: whatever the data set divides itself into. */
  readonly split: string | undefined;
}

/** Each box is one annotator's best crop. */
export interface BoxesPhoto extends LabelledPhoto {
  readonly boxes: readonly Box[];
}

export interface RatedCrop {
  readonly box: Box;
  /** Mean opinion score of its raters. */
  readonly mos: number;
}

/**
 * Crops in the order of their coordinates, whatever the order of the file: some published files list them by falling
 * MOS, and a stable sort over tied predictions would then read the answer off the order.
 */
export interface RankingPhoto extends LabelledPhoto {
  readonly crops: readonly RatedCrop[];
}

export interface JudgedPair {
  readonly boxes: readonly [Box, Box];
  readonly votes: readonly [number, number];
}

export interface PairsPhoto extends LabelledPhoto {
  readonly pairs: readonly JudgedPair[];
}

type Segment = readonly [x1: number, y1: number, x2: number, y2: number];

/** A composition element as annotators drew it: the shapes of `schema.ts` without its limits on the number of points. */
export type LabelledElement =
  | { readonly type: 'rule_of_thirds' | 'center' | 'golden_ratio'; readonly box: Box }
  | { readonly type: 'horizontal' | 'vertical' | 'diagonal' | 'symmetric'; readonly line: Segment }
  | { readonly type: 'curved' | 'triangle'; readonly points: readonly Point[] }
  | { readonly type: 'vanishing_point'; readonly lines: readonly Segment[] };

export interface ElementsPhoto extends LabelledPhoto {
  readonly elements: readonly LabelledElement[];
  /** Classes of the data set that are none of the ten (`pattern`, `none`, ...). */
  readonly otherClasses: readonly string[];
}

/** Which pixels of the photo, stretched to `size`, show its subject: row major, 1 or 0. */
export interface SubjectMask {
  readonly size: Size;
  readonly isSubject: Uint8Array;
}

/** A photo to be cropped at one ratio without cutting what it is of. */
export interface SubjectPhoto extends LabelledPhoto {
  readonly aspect: Ratio;
  readonly mask: SubjectMask;
}

/** A photo to be cropped at one ratio, of which an editor judged five places of the largest crop; shares of its way. */
export interface PlacesPhoto extends LabelledPhoto {
  readonly aspect: Ratio;
  readonly judgement: {
    readonly best: number;
    readonly second: number;
    /** Undeliverable. */
    readonly bad: readonly number[];
    readonly isSame: boolean;
  };
}

export interface MissingPhoto {
  readonly id: string;
  readonly reason: string;
}

interface DatasetOf<Kind extends DatasetKind, Photo extends LabelledPhoto> {
  readonly kind: Kind;
  /** For people, e.g. `FLMS`. */
  readonly name: string;
  readonly folder: string;
  readonly photos: readonly Photo[];
  /** Labelled photos that cannot be shown to a method, each with the reason. */
  readonly missing: readonly MissingPhoto[];
  /** One line for each label that was changed or left out, naming it. */
  readonly repairs: readonly string[];
}

export type Dataset =
  | DatasetOf<'boxes', BoxesPhoto>
  | DatasetOf<'ranking', RankingPhoto>
  | DatasetOf<'pairs', PairsPhoto>
  | DatasetOf<'elements', ElementsPhoto>
  | DatasetOf<'subjects', SubjectPhoto>
  | DatasetOf<'places', PlacesPhoto>;

export type DatasetOfKind<Kind extends DatasetKind> = Extract<Dataset, { kind: Kind }>;

export interface DatasetOptions {
  /** Where the photos are, if not in the data set's own folder. */
  readonly photos?: string;
  readonly signal?: AbortSignal;
}
