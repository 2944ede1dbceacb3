// What the studio's server and its page say to each other. Rectangles are in pixels of the upright photo, or of the
// straight one where it was straightened (src/photo/turn/turn.ts).
import { z } from 'zod';
import { boxSchema, cropRectSchema, type CropResult } from '../base/schema.js';
import { MOST_STRAIGHTEN_DEG, type Straighten } from '../crop/straighten-wish.js';

/** How the two call what a crop is for: `free`, a ratio as `4:5`, or a size in pixels as `1080x1350`. */
export const targetKeySchema = z.string().min(1).max(40);
export type TargetKey = string;

/** `model`: the engine's own. `picked`: a person took one that was offered. `hand`: a person drew or moved it. */
export const CROP_MAKERS = ['model', 'picked', 'hand'] as const;
export type CropMaker = (typeof CROP_MAKERS)[number];

/** What has become of a photo, the first that holds: a crop to be looked at, one made by hand, best left whole, cropped. */
export const PHOTO_STATES = ['review', 'hand', 'kept', 'cropped', 'new'] as const;
export type PhotoState = (typeof PHOTO_STATES)[number];

export interface PhotoSize {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** How a photo was straightened. */
export interface PhotoTurn {
  /** Clockwise; -45..45, not 0. */
  readonly angleDeg: number;
  /** The upright photo before. */
  readonly upright: PhotoSize;
}

/** The crop that stands for a photo and target. */
export interface CropSummary {
  readonly box: z.infer<typeof boxSchema>;
  readonly by: CropMaker;
  /** Of the engine's crop for this target, where it has made one. */
  readonly confidence?: number;
  readonly verdict?: CropResult['verdict'];
  /** What the box is counted in: the upright photo, or the straight one. */
  readonly photo: PhotoSize;
  /** Where the photo was straightened for this crop. */
  readonly turn?: PhotoTurn;
  /** Whether files hold this very crop. */
  readonly isSaved: boolean;
}

export interface PhotoSummary {
  /** Opaque; the same as long as the photo has its name. */
  readonly id: string;
  /** Below the folder, with slashes. */
  readonly name: string;
  /** Another once the file is another. */
  readonly version: string;
  readonly nBytes: number;
  readonly modifiedMs: number;
  readonly state: PhotoState;
  readonly crops: Readonly<Record<TargetKey, CropSummary>>;
  /** Why the last attempt gave no crop. */
  readonly failure?: string;
}

/** How far the crops being made are. Photos; `nTotal` 0 where nothing has been asked for yet. */
export interface RunProgress {
  readonly isRunning: boolean;
  readonly nTotal: number;
  readonly nDone: number;
  readonly nFailed: number;
  readonly elapsedMs: number;
  /** What ended the run as a whole, as a full disk. */
  readonly error?: string;
}

/** What can be taken back and done again. */
export interface EditHistory {
  readonly undo?: { readonly photo: string; readonly target: TargetKey };
  readonly redo?: { readonly photo: string; readonly target: TargetKey };
}

/** POST /studio/api/undo and redo: the photo that was changed, as it is now, and what can be undone next. */
export interface StepAnswer {
  readonly photos: readonly PhotoSummary[];
  readonly history: EditHistory;
}

/** All the page needs to begin with. */
export interface LibraryAnswer {
  readonly folder: string;
  readonly output: string;
  readonly engine: string;
  /** Undefined for an engine without a model. */
  readonly model?: string;
  readonly takesInstruction: boolean;
  /** How runs straighten unless told otherwise. */
  readonly straighten: Straighten;
  /** The model is shown pictures with ramps in them (src/photo/ramps.ts). */
  readonly marksPositions: boolean;
  readonly presets: readonly { readonly name: string; readonly size: string }[];
  readonly photos: readonly PhotoSummary[];
  /** What was left out of the folder and why. */
  readonly notes: readonly string[];
  readonly run: RunProgress;
  readonly history: EditHistory;
}

/** A photo with all that its engine said of it. */
export interface PhotoAnswer {
  readonly photo: PhotoSummary;
  /** Upright. */
  readonly size: PhotoSize;
  /** The engine's results by target. */
  readonly results: Readonly<Record<TargetKey, CropResult>>;
  /** SVG of each element for a view box of `drawing`; made of numbers alone. */
  readonly elements: readonly {
    readonly kind: string;
    readonly colour: string;
    readonly guides: string;
    readonly strokes: string;
  }[];
  readonly drawing: { readonly width: number; readonly height: number };
  /** Where the elements were found in the photo straightened so. */
  readonly turn?: PhotoTurn;
}

/** GET /studio/api/photos/:id/tilt: how the photo is to be turned to be straight. Nothing where nothing in it says so. */
export interface TiltAnswer {
  readonly tilt?: {
    /** Clockwise. */
    readonly angleDeg: number;
    /** 0..1 */
    readonly confidence: number;
    readonly from: 'horizon' | 'verticals';
    /** Sure enough for `straighten: auto`. */
    readonly isSure: boolean;
  };
}

/** An event of /studio/api/events, by its name. */
export interface StudioEvents {
  photos: { readonly photos: readonly PhotoSummary[] };
  /** Photos have come or gone; the page asks for all anew. */
  library: Record<string, never>;
  run: RunProgress;
  history: EditHistory;
}

const idSchema = z.string().regex(/^[\da-f]{16}$/);
const degreesSchema = z.number().min(-MOST_STRAIGHTEN_DEG).max(MOST_STRAIGHTEN_DEG);
/** More than a library has that is still looked through by eye. */
const MOST_PHOTOS = 200_000;
const idsSchema = z.array(idSchema).min(1).max(MOST_PHOTOS);

/** POST /studio/api/runs: crops by the engine. */
export const runRequestSchema = z.strictObject({
  photos: idsSchema,
  targets: z.array(targetKeySchema).min(1).max(16),
  /** Also what has a crop for the target. Default false. A crop made by hand stands in any case. */
  again: z.boolean().optional(),
  instruct: z.string().min(1).max(2000).optional(),
  /** Where it is sure (`auto`), or by degrees clockwise. Default: as the studio was started. */
  straighten: z.union([z.enum(['off', 'auto']), degreesSchema]).optional(),
  /** Of one photo: where the crop is to draw the eye, in pixels of the upright photo. */
  focus: z.tuple([z.int(), z.int()]).optional(),
  /** Of one photo: what no crop may cut. */
  keep: z.array(cropRectSchema.strict()).max(64).optional(),
});
export type RunRequest = z.infer<typeof runRequestSchema>;

/** POST /studio/api/photos/:id/crops: a crop by hand, or with `box` null the engine's own again. */
export const editRequestSchema = z.strictObject({
  target: targetKeySchema,
  box: boxSchema.nullable(),
  /** Degrees clockwise: the box is of the photo straightened by them. Default 0. */
  straighten: degreesSchema.optional(),
  by: z.enum(['picked', 'hand']).optional(),
});
export type EditRequest = z.infer<typeof editRequestSchema>;

/** POST /studio/api/save */
export const saveRequestSchema = z.strictObject({
  photos: idsSchema,
  /** Only crops for these. Default: all. */
  targets: z.array(targetKeySchema).max(64).optional(),
  /** Replace files that the studio did not write. Default false: they are named in the answer. */
  replace: z.boolean().optional(),
});
export type SaveRequest = z.infer<typeof saveRequestSchema>;

export interface SaveAnswer {
  /** Written now, absolute. */
  readonly files: readonly string[];
  /** In the way, and not the studio's: nothing was written. */
  readonly existing: readonly string[];
  readonly failures: readonly { readonly photo: string; readonly message: string }[];
}
