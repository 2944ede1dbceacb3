import type { Point, Rect, Size } from '../../base/geometry.js';
import type { CropRect } from '../../base/schema.js';
import { straightPoint, type Turn } from '../turn/turn.js';

/** How a crop's pixels came out of the stored ones; what every correction of metadata follows from. */
export interface PixelChange {
  /** Size in pixels as stored, before the orientation is applied. */
  readonly stored: Size;
  /** EXIF orientation, 1..8. */
  readonly orientation: number;
  /** How the upright photo was straightened, if it was. */
  readonly turn?: Turn;
  /** In pixels of the upright photo, or of the straight one. */
  readonly crop: CropRect;
  /** Of the file written: the crop's size, or what it was scaled to. */
  readonly output: Size;
  /** Where the crop lies on the file's picture, in its pixels; default: it is all of it. */
  readonly at?: Rect;
  /** Where the file's pixels lie as the photo's are stored: all else here is of the stored picture, at orientation 1. */
  readonly kept?: {
    /** Which the file has as the photo had it, 1..8. */
    readonly orientation: number;
    /** The same change of the upright photo, for what counts in its pixels. */
    readonly upright: PixelChange;
  };
}

/** Where a position in the upright photo is in the file's picture, in its pixels. */
export function outputPoint([x, y]: Point, { crop, output, at = wholeOf(output) }: PixelChange): Point {
  return [at.x + ((x - crop.x) * at.width) / crop.width, at.y + ((y - crop.y) * at.height) / crop.height];
}

/** Pixels of the file's picture to one of the photo's, across and down. */
export function outputScale({ crop, output, at = wholeOf(output) }: PixelChange): Point {
  return [at.width / crop.width, at.height / crop.height];
}

function wholeOf(output: Size): Rect {
  return { ...output, x: 0, y: 0 };
}

/** Whether the orientation swaps width and height. */
export function isTransposed(orientation: number): boolean {
  return orientation >= 5 && orientation <= 8;
}

/** A position, counted from the top left corner, as stored and as seen upright (EXIF 2.32, tag 274). */
export function uprightPoint([x, y]: Point, { width, height }: Size, orientation: number): Point {
  switch (orientation) {
    case 2:
      return [width - x, y];
    case 3:
      return [width - x, height - y];
    case 4:
      return [x, height - y];
    case 5:
      return [y, x];
    case 6:
      return [height - y, x];
    case 7:
      return [height - y, width - x];
    case 8:
      return [y, width - x];
    default:
      return [x, y];
  }
}

/** A stored position in the photo the crop is cut out of: upright, and straightened if it was. */
export function pointInCropped(point: Point, { stored, orientation, turn }: PixelChange): Point {
  const upright = uprightPoint(point, stored, orientation);
  return turn ? straightPoint(upright, turn) : upright;
}

/** The orientation that undoes another one: only the two quarter turns are not their own. */
function inverseOf(orientation: number): number {
  return orientation === 6 ? 8 : orientation === 8 ? 6 : orientation;
}

/** A position in the upright photo as it lies in the stored pixels. */
export function storedPoint(point: Point, upright: Size, orientation: number): Point {
  return uprightPoint(point, upright, inverseOf(orientation));
}

/** Whether the orientation mirrors, so that what turns clockwise upright turns the other way as stored. */
export function isMirrored(orientation: number): boolean {
  return [2, 4, 5, 7].includes(orientation);
}

/** A rectangle of the upright photo as it lies in the stored pixels. */
export function storedRect({ x, y, width, height }: CropRect, upright: Size, orientation: number): CropRect {
  const [ax, ay] = storedPoint([x, y], upright, orientation);
  const [bx, by] = storedPoint([x + width, y + height], upright, orientation);
  return { x: Math.min(ax, bx), y: Math.min(ay, by), width: Math.abs(ax - bx), height: Math.abs(ay - by) };
}

/** The orientation that does what these do one after the other. */
export function composedOrientation(steps: readonly number[]): number {
  const size = { width: 3, height: 2 };
  const turned = (point: Point, orientations: readonly number[]): string => {
    let [at, within] = [point, size];
    for (const orientation of orientations) {
      at = uprightPoint(at, within, orientation);
      if (isTransposed(orientation)) within = { width: within.height, height: within.width };
    }
    return at.join();
  };
  // Two neighbouring corners tell all eight apart.
  const does = (orientation: number): boolean =>
    [[0, 0] as const, [3, 0] as const].every((corner) => turned(corner, [orientation]) === turned(corner, steps));
  return [1, 2, 3, 4, 5, 6, 7, 8].find(does)!;
}
