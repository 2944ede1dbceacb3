import { defined } from '../../base/defined.js';
import { rectOfBox, type Box } from '../../base/geometry.js';
import type { CropResult } from '../../base/schema.js';
import type { LinePlace } from '../../files/checked-log.js';
import type { CropSummary, PhotoState, PhotoTurn, TargetKey } from '../api.js';
import type { OwnCrop } from './records.js';

/** What the engine said, short; all of it is in the log. */
export interface EngineCrop {
  readonly box: Box;
  readonly photo: CropResult['photo'];
  readonly turn?: PhotoTurn;
  readonly verdict: CropResult['verdict'];
  readonly confidence?: number;
  /** Where the whole result stands in the log. */
  readonly at: LinePlace;
}

export interface SavedCrop {
  readonly box: Box;
  /** Degrees clockwise; 0: not straightened. */
  readonly angleDeg: number;
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
}

/** What there is of one photo for one target. */
export interface TargetCrops {
  readonly engine?: EngineCrop;
  /** Goes before the engine's. */
  readonly own?: OwnCrop;
  readonly saved?: SavedCrop;
}

/** All crops of one photo. */
export type PhotoCrops = ReadonlyMap<TargetKey, TargetCrops>;

export function engineCropOf(result: CropResult, at: LinePlace): EngineCrop {
  const { x, y, width, height } = result.crop;
  return {
    box: [x, y, x + width, y + height],
    photo: { widthPx: result.photo.widthPx, heightPx: result.photo.heightPx },
    verdict: result.verdict,
    ...defined({ turn: turnOfResult(result), confidence: result.confidence }),
    at,
  };
}

/** How the photo was straightened for a result; undefined where it was not. */
export function turnOfResult({ straighten }: CropResult): PhotoTurn | undefined {
  if (!straighten?.applied || !straighten.photo) return undefined;
  return { angleDeg: straighten.angleDeg, upright: straighten.photo };
}

/** The crop that stands; undefined where there is none but files of an earlier one. */
export function standingCrop({ engine, own, saved }: TargetCrops): CropSummary | undefined {
  const crop = own ?? engine;
  if (!crop) return undefined;
  const [x1, y1, x2, y2] = crop.box;
  return {
    box: [x1, y1, x2, y2],
    by: own?.by ?? 'model',
    photo: { widthPx: crop.photo.widthPx, heightPx: crop.photo.heightPx },
    ...defined({ turn: crop.turn, confidence: engine?.confidence, verdict: engine?.verdict }),
    isSaved: saved !== undefined && isSame(saved, crop),
  };
}

function isSame(
  { box, angleDeg }: SavedCrop,
  crop: { readonly box: Box; readonly turn?: PhotoTurn | undefined },
): boolean {
  return angleDeg === (crop.turn?.angleDeg ?? 0) && box.every((edge, i) => edge === crop.box[i]);
}

/** Of the crops that stand. */
export function stateOf(crops: readonly CropSummary[]): PhotoState {
  if (crops.length === 0) return 'new';
  if (crops.some(({ by, verdict }) => by === 'model' && verdict === 'review')) return 'review';
  if (crops.some(({ by }) => by !== 'model')) return 'hand';
  return crops.every(isWhole) ? 'kept' : 'cropped';
}

/** A straightened photo is not as it was, even all of it. */
function isWhole({ box, photo, turn }: CropSummary): boolean {
  const { width, height } = rectOfBox(box);
  return !turn && width === photo.widthPx && height === photo.heightPx;
}
