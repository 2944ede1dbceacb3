// A crop of a photo that may be turned about its middle: what is counted in which pixels, and how one comes to the other.
import { pointBeforeTurn, straightPoint, turnOf } from '../../../../src/photo/turn/turn.js';
import { around, largest, type Box, type Limits, type Size } from '../../../../report/crop-box.js';
import type { CropSummary, PhotoAnswer, PhotoSize } from '../api.js';

export interface Cut {
  /** In pixels of the photo straightened by the angle. */
  readonly box: Box;
  /** Clockwise; 0: as it is. */
  readonly angleDeg: number;
}

export type Point = readonly [x: number, y: number];

export function cutOf({ box, turn }: Pick<CropSummary, 'box' | 'turn'>): Cut {
  return { box, angleDeg: turn?.angleDeg ?? 0 };
}

/** How the engine's result has the photo turned. */
export function angleOf(result: PhotoAnswer['results'][string] | undefined): number {
  return result?.straighten?.applied ? result.straighten.angleDeg : 0;
}

export function isSameCut(a: Cut, b: Cut): boolean {
  return a.angleDeg === b.angleDeg && a.box.every((edge, i) => edge === b.box[i]);
}

export function sizeOf({ widthPx, heightPx }: PhotoSize): Size {
  return { width: widthPx, height: heightPx };
}

/** Of the photo once it is straightened. */
export function straightSize(upright: Size, angleDeg: number): Size {
  return angleDeg === 0 ? upright : turnOf(upright, angleDeg).straight;
}

export function toUpright(point: Point, upright: Size, angleDeg: number): Point {
  return angleDeg === 0 ? point : pointBeforeTurn(point, turnOf(upright, angleDeg));
}

/** How SVG draws in the photo straightened by one angle what is counted in it straightened by another. */
export function drawnFrom(from: number, to: number, upright: Size): string | undefined {
  if (from === to) return undefined;
  const before = straightSize(upright, from);
  const after = straightSize(upright, to);
  const middle = `translate(${after.width / 2} ${after.height / 2})`;
  return `${middle} rotate(${to - from}) translate(${-before.width / 2} ${-before.height / 2})`;
}

/**
 * The crop with the photo turned otherwise: around the same point of it and as large, as far as there is photo then. What
 * was all there was stays that.
 */
export function turned(cut: Cut, angleDeg: number, upright: Size, aspect?: Size): Cut {
  const limits: Limits = { photo: straightSize(upright, angleDeg), ...(aspect && { aspect }) };
  const before = largest({ ...limits, photo: straightSize(upright, cut.angleDeg) });
  if (cut.box.every((edge, i) => edge === before[i])) return { box: largest(limits), angleDeg };
  const [x1, y1, x2, y2] = cut.box;
  const middle = toUpright([(x1 + x2) / 2, (y1 + y2) / 2], upright, cut.angleDeg);
  const at = angleDeg === 0 ? middle : straightPoint(middle, turnOf(upright, angleDeg));
  return { box: around(at, { width: x2 - x1, height: y2 - y1 }, limits), angleDeg };
}
