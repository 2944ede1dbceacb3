import { FramewrightError } from '../base/errors.js';
import { clamp, type Box, type Point, type Size } from '../base/geometry.js';
import type { CropRect } from '../base/schema.js';

/** Where a crop is to draw the eye: a pixel of the upright photo, or shares of its width and height as `focalPoint` has. */
export type Focus = Point | { readonly x: number; readonly y: number };

/** Room left around the focus where the photo has it, as a share of its shorter side: at the very edge nothing draws. */
const MARGIN_SHARE = 0.05;

/**
 * The focus as a pixel of the photo.
 * @throws FramewrightError USAGE where it lies outside
 */
export function focusPoint(focus: Focus, photo: Size & { readonly name?: string }): Point {
  const [x, y] = 'x' in focus ? [focus.x * photo.width, focus.y * photo.height] : focus;
  if (x >= 0 && y >= 0 && x <= photo.width && y <= photo.height) {
    return [Math.min(photo.width - 1, Math.floor(x)), Math.min(photo.height - 1, Math.floor(y))];
  }
  throw new FramewrightError(
    'USAGE',
    `the focus ${x},${y} lies outside ${photo.name ?? 'the photo'} (${photo.width}x${photo.height} px)`,
  );
}

/** What must stay in the crop for the focus to be in it with some room around. */
export function focusBox([x, y]: Point, photo: Size): Box {
  const margin = Math.round(MARGIN_SHARE * Math.min(photo.width, photo.height));
  return [
    Math.max(0, x - margin),
    Math.max(0, y - margin),
    Math.min(photo.width, x + margin + 1),
    Math.min(photo.height, y + margin + 1),
  ];
}

/**
 * Slides a crop, its size unchanged, until the focus is in its middle third both ways, or as near to it as the photo's
 * edges and the boxes to keep allow. A crop that has it there stays where its engine put it: on a line of thirds, say.
 */
export function slideToFocus(crop: CropRect, focus: Point, keep: readonly Box[], photo: Size): CropRect {
  const slide = (start: number, length: number, side: 0 | 1, limit: number): number => {
    const at = focus[side] + 0.5;
    const wanted = clamp(start, Math.ceil(at - (2 / 3) * length), Math.floor(at - length / 3));
    const first = Math.max(0, ...keep.map((box) => box[side + 2]! - length));
    const last = Math.min(limit - length, ...keep.map((box) => box[side]));
    return clamp(wanted, first, last);
  };
  return {
    ...crop,
    x: slide(crop.x, crop.width, 0, photo.width),
    y: slide(crop.y, crop.height, 1, photo.height),
  };
}

/** `420,310` in pixels of the upright photo, or `50%,30%` of its width and height; undefined for anything else. */
export function parseFocus(text: string): Focus | undefined {
  const compact = text.replaceAll(' ', '');
  const pixels = /^(\d+),(\d+)$/.exec(compact);
  if (pixels) return [Number(pixels[1]), Number(pixels[2])];
  const percent = /^(\d+(?:\.\d+)?)%,(\d+(?:\.\d+)?)%$/.exec(compact);
  const [x, y] = [Number(percent?.[1]) / 100, Number(percent?.[2]) / 100];
  return percent && x <= 1 && y <= 1 ? { x, y } : undefined;
}
