import { defined } from '../../base/defined.js';
import {
  boxArea,
  boxOfSize,
  intersectionOverUnion,
  unionOf,
  type Box,
  type Rect,
  type Size,
} from '../../base/geometry.js';
import { measurePhoto } from '../../engines/rules/maps/photo-maps.js';
import { workingSize } from '../../engines/rules/maps/plane.js';
import { findSubject } from '../../engines/rules/subject/subject.js';
import type { Raster } from '../../engines/types.js';
import type { Photo } from '../../photo/decode.js';
import { renderFrame } from '../../photo/render.js';

/** What a photo is of, as two photos can be compared by. */
export interface PhotoSubject {
  /** In pixels of the photo. */
  readonly box: Box;
  /** The box is the subject's, as far as can be told. */
  readonly isFound: boolean;
  /** Where heads were looked for and found: how many, and the box around them all. */
  readonly heads?: { readonly count: number; readonly box: Box };
}

/**
 * How much the boxes found in the photo cut in several ways agree with their median, as mean IoU, for it to be the subject; and
 * how much of the photo it may cover, or it is a scene. Of 110 photos with one subject of up to half of the photo (the corpus
 * of the bundled model, masks by IS-Net) 32 pass, with a mean IoU of .65 with the box around the mask, three quarters of them
 * with .5 and more; of 90 of them, whether they pass or not, it is .49 (2026-12-01).
 */
const LEAST_AGREEMENT = 0.8;
const MOST_OF_PHOTO = 1 / 2;
/** Of a photo that was cropped to it; of the mountains among the examples, a scene, the finder's box is two thirds and more. */
const MOST_OF_CROP = 0.65;

/** Longer side of the picture it is looked for in: it is scaled down further there. */
const LONG_SIDE_PX = 256;
const LEAST_SIDE_PX = 28;
/** Of each side, what is left of the photo where it is cut at two of them. */
const CUT_SHARE = 0.9;

/**
 * The subject by the rules' finder, whatever engine crops: looked for in the whole photo and in the photo cut at two sides in
 * four ways, the median of each edge. What is a subject for its place in the frame alone moves with the cuts, and the boxes
 * do not agree.
 *
 * @param options `isCropped`: the photo is what somebody has cropped to its subject
 * @throws FramewrightError INPUT_CORRUPT
 */
export async function photoSubject(
  photo: Photo,
  heads: readonly Box[] | undefined,
  { isCropped = false, signal }: { readonly isCropped?: boolean; readonly signal?: AbortSignal | undefined } = {},
): Promise<PhotoSubject> {
  const size = workingSize(photo, LONG_SIDE_PX, LEAST_SIDE_PX);
  const raster = { data: await renderFrame(photo, size, defined({ signal })), size };
  const boxes = cutsOf(size).map((cut) => subjectIn(raster, cut, photo));
  const edges = [0, 1, 2, 3].map((edge) => boxes.map((box) => box[edge]!).sort((a, b) => a - b)[boxes.length >> 1]!);
  const box = edges as [number, number, number, number];
  const agreement = boxes.reduce((sum, each) => sum + intersectionOverUnion(each, box), 0) / boxes.length;
  const around = unionOf(heads ?? []);
  const most = (isCropped ? MOST_OF_CROP : MOST_OF_PHOTO) * boxArea(boxOfSize(photo));
  const isFound = agreement >= LEAST_AGREEMENT && boxArea(box) <= most;
  return { box, isFound, ...defined({ heads: around && { count: heads!.length, box: around } }) };
}

/**
 * The boxes two photos are compared by: those around their heads where both have as many, else those of their subjects;
 * undefined where these are not found in both.
 */
export function comparedBy(one: PhotoSubject, other: PhotoSubject): readonly [Box, Box] | undefined {
  if (one.heads && one.heads.count === other.heads?.count) return [one.heads.box, other.heads.box];
  return one.isFound && other.isFound ? [one.box, other.box] : undefined;
}

/** The whole, and all but two sides' rims. */
function cutsOf({ width, height }: Size): Rect[] {
  const cut = { width: Math.round(CUT_SHARE * width), height: Math.round(CUT_SHARE * height) };
  const [right, bottom] = [width - cut.width, height - cut.height];
  return [
    { x: 0, y: 0, width, height },
    { x: 0, y: 0, ...cut },
    { x: right, y: 0, ...cut },
    { x: 0, y: bottom, ...cut },
    { x: right, y: bottom, ...cut },
  ];
}

/** In pixels of the photo. */
function subjectIn(raster: Raster, cut: Rect, photo: Size): Box {
  const { width, height } = cut;
  const [x1, y1, x2, y2] = findSubject(measurePhoto({ data: rowsOf(raster, cut), size: { width, height } })).box;
  const [scaleX, scaleY] = [photo.width / raster.size.width, photo.height / raster.size.height];
  return [
    Math.max(0, Math.floor((cut.x + x1 * width) * scaleX)),
    Math.max(0, Math.floor((cut.y + y1 * height) * scaleY)),
    Math.min(photo.width, Math.ceil((cut.x + x2 * width) * scaleX)),
    Math.min(photo.height, Math.ceil((cut.y + y2 * height) * scaleY)),
  ];
}

function rowsOf({ data, size }: Raster, { x, y, width, height }: Rect): Uint8Array {
  const rows = new Uint8Array(3 * width * height);
  for (let row = 0; row < height; row++) {
    const at = 3 * ((y + row) * size.width + x);
    rows.set(data.subarray(at, at + 3 * width), 3 * row * width);
  }
  return rows;
}
