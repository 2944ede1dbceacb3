import type { Size } from '../base/geometry.js';
import { defined } from '../base/defined.js';
import { resizePlane, smooth, workingSize, type Plane } from '../engines/rules/maps/plane.js';
import type { Photo } from '../photo/decode.js';
import { renderFrame } from '../photo/render.js';

/** A photo small and grey, to be laid over another. */
export interface GreyPicture {
  /** Luma, row major, one byte a pixel of `size`. */
  readonly grey: Uint8Array;
  readonly size: Size;
  /** Of the upright photo it is made of. */
  readonly photo: Size;
}

/**
 * Longer side. 70 frames made of 14 photos by shifts of up to 12 % of the sides, scales of 8 %, other brightness, noise and JPEG
 * are laid over the first of each to .06 % of its sides (median; the worst to .15 %), in 50 ms (2026-12-01).
 */
const LONG_SIDE_PX = 192;
/** A picture so narrow has nothing that tells where it is. */
const LEAST_SIDE_PX = 16;

/** @throws FramewrightError INPUT_CORRUPT */
export async function greyPicture(
  photo: Photo,
  { longSidePx = LONG_SIDE_PX, signal }: { readonly longSidePx?: number; readonly signal?: AbortSignal } = {},
): Promise<GreyPicture> {
  const size = workingSize(photo, longSidePx, LEAST_SIDE_PX);
  const rgb = await renderFrame(photo, size, defined({ signal }));
  const grey = new Uint8Array(size.width * size.height);
  for (let i = 0; i < grey.length; i++) {
    // Rec. 601.
    grey[i] = Math.round(0.299 * rgb[3 * i]! + 0.587 * rgb[3 * i + 1]! + 0.114 * rgb[3 * i + 2]!);
  }
  return { grey, size, photo: { width: photo.width, height: photo.height } };
}

/** One size of a picture, with what alignment asks of it. */
export interface Level {
  /** Grey less its surroundings', by how much it varies there: brightness, contrast and haze make no difference. */
  readonly detail: Plane;
  /** Change of it a pixel of the level, to the right and downwards. */
  readonly gradientX: Float32Array;
  readonly gradientY: Float32Array;
  /** Pixels of the photo to one of the level. */
  readonly stepX: number;
  readonly stepY: number;
}

/** A picture at several sizes, the smallest first. */
export interface Pyramid {
  readonly levels: readonly Level[];
  readonly photo: Size;
}

export function planeOf({ grey, size }: GreyPicture): Plane {
  return { ...size, data: Float32Array.from(grey) };
}

/** Longer side of the smallest level. */
const SMALLEST_PX = 48;

export function pyramidOf({ grey, size, photo }: GreyPicture): Pyramid {
  const plane = planeOf({ grey, size, photo });
  const levels: Level[] = [];
  for (let longSide = Math.max(size.width, size.height); ; longSide /= 2) {
    const scaled = levels.length === 0 ? plane : resizePlane(plane, workingSize(size, longSide, LEAST_SIDE_PX / 2));
    levels.unshift(levelOf(scaled, photo));
    if (longSide / 2 < SMALLEST_PX) return { levels, photo };
  }
}

/** Around a pixel, as a share of the longer side, by which its surroundings are told. */
const SURROUNDINGS = 1 / 24;
/** What varies less than this share of the picture's whole contrast is noise: it is not made much of. */
const NOISE_SHARE = 0.3;

/** How far around a pixel its surroundings reach in a picture of this size. */
export function surroundingsPx({ width, height }: Size): number {
  return Math.max(1, Math.round(SURROUNDINGS * Math.max(width, height)));
}

/**
 * @param photo what the plane is a picture of
 * @param radius how far a pixel's surroundings reach, in pixels of the plane
 */
export function levelOf(plane: Plane, photo: Size, radius = surroundingsPx(plane)): Level {
  const { width, height } = plane;
  const around = smooth(plane, radius);
  const detail: Plane = { width, height, data: plane.data.map((value, i) => value - around.data[i]!) };
  const squares = smooth({ width, height, data: detail.data.map((value) => value ** 2) }, radius);
  const mean = squares.data.reduce((sum, value) => sum + value, 0) / squares.data.length;
  const floor = NOISE_SHARE ** 2 * mean + 1;
  for (let i = 0; i < detail.data.length; i++) detail.data[i]! /= Math.sqrt(squares.data[i]! + floor);
  const gradientX = new Float32Array(width * height);
  const gradientY = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [left, right] = [Math.max(0, x - 1), Math.min(width - 1, x + 1)];
      const [up, down] = [Math.max(0, y - 1), Math.min(height - 1, y + 1)];
      const at = y * width + x;
      gradientX[at] = (detail.data[y * width + right]! - detail.data[y * width + left]!) / (right - left);
      gradientY[at] = (detail.data[down * width + x]! - detail.data[up * width + x]!) / (down - up);
    }
  }
  return { detail, gradientX, gradientY, stepX: photo.width / width, stepY: photo.height / height };
}
