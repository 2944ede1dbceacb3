import { defined } from '../../base/defined.js';
import { boxOfRect, type Point } from '../../base/geometry.js';
import type { CropRect, CropResult, Element } from '../../base/schema.js';
import { Timings } from '../../base/timings.js';
import type { Canvas } from '../../photo/canvas.js';
import { canvasInResult, headsInResult, photoInResult } from '../crop-result.js';
import { focalPoint } from '../focal-point.js';
import type { ReadyPhoto } from '../ready-photo.js';
import { resultNotes } from '../result-notes.js';
import type { SettledTarget } from '../wishes.js';

export interface CarriedCrop {
  readonly ready: ReadyPhoto;
  readonly settled: SettledTarget;
  readonly crop: CropRect;
  readonly canvas: Canvas | undefined;
  /** In pixels of the photo. */
  readonly analysis: Element[];
  /** Where to look, where that is known beside the analysis; a pixel of the photo. */
  readonly focus?: Point;
  readonly notes: readonly (string | undefined)[];
}

/** Of a result, what is this photo's own when its crop comes from another. */
export type OwnPart = Pick<
  CropResult,
  | 'schemaVersion'
  | 'photo'
  | 'frame'
  | 'analysis'
  | 'crop'
  | 'canvas'
  | 'focalPoint'
  | 'heads'
  | 'straighten'
  | 'notes'
  | 'timingsMs'
>;

export function ownPart({ ready, settled, crop, canvas, analysis, focus, notes }: CarriedCrop): OwnPart {
  const { photo, frame, heads, straighten, timings } = ready;
  return {
    schemaVersion: 1,
    photo: photoInResult(photo),
    frame: { widthPx: frame.width, heightPx: frame.height },
    analysis,
    crop,
    ...defined({ canvas: canvas && canvasInResult(canvas) }),
    focalPoint: focalPoint(photo, analysis, boxOfRect(crop), focus),
    ...defined({ heads: heads && headsInResult(heads), straighten }),
    ...resultNotes(photo, crop, { size: settled.target.size, canvas }, [settled.note, ...notes]),
    timingsMs: timings.with(new Timings()),
  };
}
