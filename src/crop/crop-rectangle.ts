import { FramewrightError } from '../base/errors.js';
import {
  boundaryDisplacementError,
  boxArea,
  boxOfSize,
  clamp,
  clipped,
  intersectionOverUnion,
  rectOfBox,
  unionOf,
  type Aspect,
  type Box,
  type Size,
} from '../base/geometry.js';
import type { CropRect } from '../base/schema.js';
import { reducedAspect } from './aspect.js';

/** Ratios in terms this small (16:9, 21:9, 64:27) are met exactly at any price; a step of theirs is a small one. */
const PLAIN_TERM = 64;

/**
 * A ratio like 1.778:1 (889:500) has few exact sizes. Where the best of them overlaps the model's choice less than
 * this share of what the nearest whole-pixel size does, the latter is taken: it is wrong by less than half a pixel.
 */
const AWKWARD_RATIO_LOSS = 0.9;

/** What a crop is held to. */
export interface CropLimits {
  /** Oriented photo pixels. */
  readonly photo: Size;
  /** Free-form without. */
  readonly aspect?: Aspect;
  /** Must lie inside the crop; in oriented photo pixels. Parts outside the photo are ignored. */
  readonly keep?: readonly Box[];
  /** Least area of the crop as a share of the photo's, 0..1. Default 0. */
  readonly minSize?: number;
  /** Named in errors, e.g. the photo's path. */
  readonly name?: string;
}

export interface CropRequest extends CropLimits {
  /** What the model chose, in oriented photo pixels. */
  readonly box: Box;
}

/** Area of the largest crop of a ratio, as a share of the photo's; of a plain ratio the largest that is exact, if any is. */
export function largestShare(asked: Aspect, photo: Size): number {
  const { width, height } = largestSizeOf(asked, photo);
  return (width * height) / (photo.width * photo.height);
}

/** Of the largest crop of a ratio, as above. */
export function largestSizeOf(asked: Aspect, photo: Size): Size {
  const aspect = reducedAspect(asked.width, asked.height);
  const [exact] = isPlain(aspect) ? exactSizes(aspect, photo) : [];
  return exact ?? largestSize(aspect, photo);
}

/** @throws FramewrightError as `cropRectangle`, whatever box is chosen */
export function requireRoom(limits: CropLimits): void {
  const keep = keepUnion(limits);
  const { aspect: asked, photo } = limits;
  const aspect = asked && reducedAspect(asked.width, asked.height);
  if (!aspect) return;
  const sizes = [...exactSizes(aspect, photo), ...nearestSizes(aspect, photo)];
  if (!sizes.some((size) => fits(size, limits, keep))) throw impossible(limits, aspect, keep);
}

/**
 * The crop in whole pixels of the oriented photo: inside it, holding every keep box, of at least the least area, and
 * as near (by IoU) to the model's box as that allows.
 *
 * With an aspect, `width * aspect.height === height * aspect.width` wherever the photo has room for an integer
 * multiple of the ratio; else, and where the exact sizes of an awkward ratio are far between (see above), the longer
 * term's side is whole and the other one its nearest whole number.
 *
 * @throws FramewrightError ASPECT_IMPOSSIBLE if no crop holds; the message says which of the wishes collide.
 * @throws FramewrightError USAGE if a keep box lies outside the photo.
 */
export function cropRectangle(request: CropRequest): CropRect {
  const { photo, box, minSize = 0 } = request;
  const keep = keepUnion(request);
  const aspect = request.aspect && reducedAspect(request.aspect.width, request.aspect.height);
  return rectOfBox(
    aspect
      ? ratioBox(request, aspect, keep)
      : freeBox(photo, keep ? unionOf([box, keep])! : box, minSize * photo.width * photo.height),
  );
}

/**
 * Whether a crop of this size has a ratio as nearly as crops have it: exactly, or to half a pixel where exact sizes are far
 * between or there are none.
 */
export function isOfAspect({ width, height }: Size, asked: Aspect, photo: Size): boolean {
  const aspect = reducedAspect(asked.width, asked.height);
  if (width * aspect.height === height * aspect.width) return true;
  if (isPlain(aspect) && exactSizes(aspect, photo).length > 0) return false;
  return aspect.width >= aspect.height ? height === shorterSide(width, aspect) : width === shorterSide(height, aspect);
}

function fits({ width, height }: Size, { photo, minSize = 0 }: CropLimits, keep: Box | undefined): boolean {
  return (
    width <= photo.width &&
    height <= photo.height &&
    width * height >= minSize * photo.width * photo.height &&
    (!keep || (width >= keep[2] - keep[0] && height >= keep[3] - keep[1]))
  );
}

function ratioBox(request: CropRequest, aspect: Aspect, keep: Box | undefined): Box {
  const { photo, box } = request;
  const nearestTo = (sizes: readonly Size[]): Box | undefined =>
    best(
      sizes.filter((size) => fits(size, request, keep)).map((size) => place(size, box, keep, photo)),
      (placed) => nearness(placed, box, photo),
    );

  const exact = nearestTo(exactSizes(aspect, photo));
  if (exact && isPlain(aspect)) return exact;
  const nearest = nearestTo(nearestSizes(aspect, photo));
  const chosen =
    exact && nearest
      ? intersectionOverUnion(exact, box) >= AWKWARD_RATIO_LOSS * intersectionOverUnion(nearest, box)
        ? exact
        : nearest
      : (exact ?? nearest);
  if (!chosen) throw impossible(request, aspect, keep);
  return chosen;
}

/** IoU; where nothing overlaps, because keep boxes pull the crop away, the distance still tells sizes apart. */
function nearness(placed: Box, box: Box, photo: Size): number {
  const overlap = intersectionOverUnion(placed, box);
  return overlap > 0 ? overlap : -boundaryDisplacementError(placed, box, photo);
}

/** The whole-pixel sizes that crops of a ratio have, largest first: the exact ones of a plain ratio, if there are any. */
export function sizesOfAspect(asked: Aspect, photo: Size): Size[] {
  const aspect = reducedAspect(asked.width, asked.height);
  const exact = exactSizes(aspect, photo);
  if (isPlain(aspect) && exact.length > 0) return exact;
  return [...exact, ...nearestSizes(aspect, photo)];
}

function exactSizes(aspect: Aspect, photo: Size): Size[] {
  const count = Math.floor(Math.min(photo.width / aspect.width, photo.height / aspect.height));
  return Array.from({ length: count }, (_, index) => ({
    width: (count - index) * aspect.width,
    height: (count - index) * aspect.height,
  }));
}

function nearestSizes(aspect: Aspect, photo: Size): Size[] {
  const wide = aspect.width >= aspect.height;
  return Array.from({ length: wide ? photo.width : photo.height }, (_, index) => {
    const long = (wide ? photo.width : photo.height) - index;
    return wide
      ? { width: long, height: shorterSide(long, aspect) }
      : { width: shorterSide(long, aspect), height: long };
  });
}

/** The whole pixels of a ratio's shorter side that are nearest for this longer one. */
function shorterSide(long: number, { width, height }: Aspect): number {
  return Math.max(1, Math.round((long * Math.min(width, height)) / Math.max(width, height)));
}

function isPlain({ width, height }: Aspect): boolean {
  return Math.max(width, height) <= PLAIN_TERM;
}

/** Where the photo has no room for any size of the ratio, one pixel. */
function largestSize(aspect: Aspect, photo: Size): Size {
  const largest = nearestSizes(aspect, photo).find((size) => size.height <= photo.height && size.width <= photo.width);
  return largest ?? { width: 1, height: 1 };
}

/** Per axis, overlap with the box falls off on both sides of the centred position: the nearest allowed one is best. */
function place(size: Size, box: Box, keep: Box | undefined, photo: Size): Box {
  const x = placeSpan(size.width, (box[0] + box[2]) / 2, keep?.[0], keep?.[2], photo.width);
  const y = placeSpan(size.height, (box[1] + box[3]) / 2, keep?.[1], keep?.[3], photo.height);
  return [x, y, x + size.width, y + size.height];
}

function placeSpan(
  length: number,
  centre: number,
  keepStart: number | undefined,
  keepEnd: number | undefined,
  limit: number,
): number {
  const first = Math.max(0, keepEnd === undefined ? 0 : keepEnd - length);
  const last = Math.min(limit - length, keepStart ?? limit);
  return clamp(Math.round(centre - length / 2), first, last);
}

/** Grows the box about its centre, keeping its shape while the photo has room, until it has the least area. */
function freeBox(photo: Size, box: Box, minArea: number): Box {
  const inside = clipped(box, photo);
  if (!inside) return freeBox(photo, boxOfSize(photo), minArea);
  if (boxArea(inside) >= minArea) return inside;
  const scale = Math.sqrt(minArea / boxArea(inside));
  let width = Math.min(photo.width, Math.ceil((inside[2] - inside[0]) * scale));
  const height = Math.min(photo.height, Math.ceil(Math.max((inside[3] - inside[1]) * scale, minArea / width)));
  width = Math.min(photo.width, Math.max(width, Math.ceil(minArea / height)));
  return place({ width, height }, inside, inside, photo);
}

function keepUnion(request: CropLimits): Box | undefined {
  const boxes = (request.keep ?? []).map((keep) => {
    const inside = clipped(keep, request.photo);
    if (!inside) {
      throw new FramewrightError(
        'USAGE',
        `keep box [${keep.join(', ')}] lies outside ${described(request)}; give it in pixels of the upright photo`,
      );
    }
    return inside;
  });
  return unionOf(boxes);
}

function impossible(request: CropLimits, aspect: Aspect, keep: Box | undefined): FramewrightError {
  const { photo, minSize = 0 } = request;
  const { width, height } = largestSize(aspect, photo);
  const ratio = `${aspect.width}:${aspect.height}`;
  const largestText = `the largest ${ratio} crop of ${described(request)} is ${width}x${height} px`;
  if (keep && (keep[2] - keep[0] > width || keep[3] - keep[1] > height)) {
    const span = `${keep[2] - keep[0]}x${keep[3] - keep[1]} px`;
    return new FramewrightError(
      'ASPECT_IMPOSSIBLE',
      `${largestText}, but the keep boxes span ${span}; keep less or choose another ratio`,
    );
  }
  const share = (width * height) / (photo.width * photo.height);
  const [shareText, minText] = percentTexts(share, minSize);
  return new FramewrightError(
    'ASPECT_IMPOSSIBLE',
    `${largestText}, ${shareText} of its area, but at least ${minText} is asked for; lower the minimum size (--min-size, minSize in code) or choose another ratio`,
  );
}

/** Of two different shares, with the digits that tell them apart. */
function percentTexts(a: number, b: number): [string, string] {
  const texts = (nDigits: number): [string, string] => [
    `${(100 * a).toFixed(nDigits)} %`,
    `${(100 * b).toFixed(nDigits)} %`,
  ];
  const [first, second] = texts(0);
  return first === second ? texts(3) : [first, second];
}

function described(request: CropLimits): string {
  const size = `${request.photo.width}x${request.photo.height} px`;
  return request.name === undefined ? `the ${size} photo` : `${request.name} (${size})`;
}

function best<T>(items: readonly T[], value: (item: T) => number): T | undefined {
  let chosen: T | undefined;
  let chosenValue = -Infinity;
  for (const item of items) {
    const itemValue = value(item);
    if (itemValue > chosenValue) {
      chosen = item;
      chosenValue = itemValue;
    }
  }
  return chosen;
}

/**
 * A rectangle that a person chose, for a ratio: as it is where it has the ratio, as near as whole pixels allow; otherwise
 * the nearest that has it.
 *
 * @throws FramewrightError ASPECT_IMPOSSIBLE
 */
export function chosenRectangle(request: CropRequest & { readonly aspect: Aspect }): CropRect {
  const chosen = rectOfBox(request.box);
  return isOfAspect(chosen, request.aspect, request.photo) ? chosen : cropRectangle(request);
}
