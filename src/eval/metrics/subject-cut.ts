import { RATIOS, windowOf } from '../ratio-window.js';
import type { Box, Size } from '../../base/geometry.js';
import type { SubjectMask } from '../datasets/types.js';

/** A crop that holds less of the subject cuts it. */
const WHOLE_SHARE = 0.95;
/** What the best crop of the ratio must hold for a cut to have been avoidable. */
const AVOIDABLE_SHARE = 0.98;
/** Places of the largest crop of the ratio that are tried, each way. */
const N_PLACES = 41;

export interface SubjectCut {
  /** Undefined where no crop of this ratio holds the subject. */
  readonly isCut: boolean | undefined;
  /** Share of the subject that is not inside though it could be, 0..1. */
  readonly lost: number;
  /** Area against that of the largest crop of the ratio. */
  readonly size: number;
}

/** What a crop of a fixed ratio does to the subject; that ratio is the crop's own. @param photo label space of the crop */
export function subjectCut(mask: SubjectMask, crop: Box, photo: Size): SubjectCut {
  const held = heldBy(mask);
  const [width, height] = [crop[2] - crop[0], crop[3] - crop[1]];
  const window = windowOf(photo, width / height);
  const most = Math.max(
    ...places(1 - window.width).flatMap((x) =>
      places(1 - window.height).map((y) => held([x, y, x + window.width, y + window.height])),
    ),
  );
  const share = held([crop[0] / photo.width, crop[1] / photo.height, crop[2] / photo.width, crop[3] / photo.height]);
  return {
    isCut: most >= AVOIDABLE_SHARE ? share < WHOLE_SHARE : undefined,
    lost: Math.max(0, most - share),
    size: (width * height) / (window.width * photo.width * window.height * photo.height),
  };
}

/** The worst there is: everything lost. */
export function unusableCut(mask: SubjectMask, photo: Size, ratio: keyof typeof RATIOS): SubjectCut {
  const { width, height } = windowOf(photo, RATIOS[ratio]);
  const box: Box = [0, 0, width * photo.width, height * photo.height];
  return { isCut: subjectCut(mask, box, photo).isCut === undefined ? undefined : true, lost: 1, size: 0 };
}

function places(room: number): number[] {
  if (room <= 0) return [0];
  return Array.from({ length: N_PLACES }, (_, i) => (room * i) / (N_PLACES - 1));
}

/** Share of the mask inside a box whose edges are shares of the sides. */
function heldBy({ size: { width, height }, isSubject }: SubjectMask): (box: Box) => number {
  const row = width + 1;
  const sums = new Uint32Array(row * (height + 1));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      sums[(y + 1) * row + x + 1] =
        isSubject[y * width + x]! + sums[y * row + x + 1]! + sums[(y + 1) * row + x]! - sums[y * row + x]!;
    }
  }
  const at = (x: number, y: number): number => sums[halfToEven(y * height) * row + halfToEven(x * width)]!;
  const total = at(1, 1);
  return ([x1, y1, x2, y2]) => (at(x2, y2) - at(x1, y2) - at(x2, y1) + at(x1, y1)) / total;
}

/** As numpy and Python round, with which these figures were first made. */
function halfToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
