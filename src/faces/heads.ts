import type { Box, Size } from '../base/geometry.js';
import type { Photo } from '../photo/decode.js';
import { chooseFrame, frameMap } from '../photo/frame.js';
import { renderFrame } from '../photo/render.js';
import type { FaceDetector } from './detector.js';

/** Steps of the frame's sides; nothing is divided by it here. */
const STEP_PX = 28;
/** As much as the detector looks at: it scales the longer side to 512 itself. */
const PIXEL_BUDGET = { minPixels: STEP_PX ** 2, maxPixels: 640 * 640, cellPx: STEP_PX };

/**
 * What a head has around its face, as shares of the face's box: a face ends at the brow and the chin, a head has hair or
 * a hat above, ears beside, and wants some air.
 */
const AROUND_FACE = { above: 0.6, beside: 0.35, below: 0.25 };

/**
 * Score from which a face is surely one. In 250 photos of FLMS' dev half, looked at one by one, all 27 finds from here up are
 * people; of the 13 below five show none (a house, rocks, evening skies).
 */
const SURE_SCORE = 0.5;

/** Kept whole where heads are looked for. */
export interface Head {
  readonly box: Box;
  /** So surely one that a crop may be built around it. */
  readonly isSure: boolean;
}

export function boxesOf(heads: readonly Head[]): Box[] {
  return heads.map(({ box }) => box);
}

/** The heads in a photo, in pixels of the upright photo. */
export async function findHeads(photo: Photo, detect: FaceDetector, signal?: AbortSignal): Promise<Head[]> {
  const frame = chooseFrame(photo, PIXEL_BUDGET);
  const rgb = await renderFrame(photo, frame, signal ? { signal } : {});
  const { toPhoto } = frameMap(photo, frame);
  return (await detect(rgb, frame)).map(({ box, faceScore }) => ({
    box: headAround(toPhoto.box(box), photo),
    isSure: faceScore >= SURE_SCORE,
  }));
}

export function headAround([x1, y1, x2, y2]: Box, photo: Size): Box {
  const [width, height] = [x2 - x1, y2 - y1];
  return [
    Math.max(0, Math.floor(x1 - AROUND_FACE.beside * width)),
    Math.max(0, Math.floor(y1 - AROUND_FACE.above * height)),
    Math.min(photo.width, Math.ceil(x2 + AROUND_FACE.beside * width)),
    Math.min(photo.height, Math.ceil(y2 + AROUND_FACE.below * height)),
  ];
}
