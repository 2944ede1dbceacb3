import type { Size } from '../base/geometry.js';
import { resizePlane, workingSize, type Plane } from '../engines/rules/maps/plane.js';
import { levelOf, planeOf, surroundingsPx, type GreyPicture, type Level, type Pyramid } from './grey-picture.js';
import { refine, type Alignment } from './refine.js';
import { aboutPoint, scaleOf, type Similarity } from './similarity.js';

/** Longer side of the original while all scales and places are tried. */
const SEARCH_PX = 96;
/** Crops smaller than this share of the largest crop of their proportions are not found. */
const LEAST_SHARE = 0.2;
/** From one scale tried to the next: half a step off, a crop as wide as the search is off by a pixel at its edges. */
const SCALE_STEP = 0.95;
/** The likeliest of all scales, followed up. */
const N_STARTS = 3;
/** Sides of a picture that still tell where it lies. */
const LEAST_SIDE_PX = 8;

/**
 * Where in the original a crop of it lies, of whatever scale, and however its colours were changed: every scale and place
 * at a coarse size, the likeliest then to a fraction of a pixel. The best there is, however bad.
 *
 * @returns from pixels of the crop to those of the original
 */
export function findCrop(crop: GreyPicture, original: GreyPicture): FoundCrop {
  const cropPlane = planeOf(crop);
  const originalPlane = planeOf(original);
  const coarse = levelOf(resizePlane(originalPlane, workingSize(original.size, SEARCH_PX)), original.photo);
  const places: Place[] = [];
  for (let share = 1; share >= LEAST_SHARE; share *= SCALE_STEP) {
    places.push(...likeliestPlace(cropPlane, crop.photo, coarse, original.photo, share));
  }
  const found = places
    .sort((a, b) => evidence(b) - evidence(a))
    .slice(0, N_STARTS)
    .map(({ similarity, share }): FoundCrop => {
      const photos = { crop: crop.photo, original: original.photo };
      return { ...refineFound(cropPlane, originalPlane, photos, similarity), share };
    });
  return found.reduce((a, b) => (evidence(b) > evidence(a) ? b : a), NOT_FOUND);
}

const NOT_FOUND: FoundCrop = { similarity: aboutPoint([0, 0], [0, 0], 1, 0), likeness: 0, overlap: 0, share: 0 };

interface Place {
  readonly similarity: Similarity;
  readonly likeness: number;
  /** Of the largest size at which the crop lies inside the original. */
  readonly share: number;
}

/** Where it lies, and how large it is there. */
export interface FoundCrop extends Alignment {
  /** Of the largest size at which the crop lies inside the original. */
  readonly share: number;
}

/**
 * Whether a crop is there at all. Of 56 crops, of .25 to .95 of their photos' sides, scaled and recoloured, 55 are found, the worst
 * to 1 % of its sides and the median to .04 %; of 52 looked for in other photos none is (14 photos, 2026-12-01).
 */
export function isFound(found: FoundCrop): boolean {
  return found.likeness >= SURE_LIKENESS && evidence(found) >= SURE_EVIDENCE;
}

const SURE_LIKENESS = 0.75;
const SURE_EVIDENCE = 0.45;

/** A few pixels find their like anywhere: Fisher's z, whose spread goes with the root of their number, the side here. */
function evidence({ likeness, share }: Pick<Place, 'likeness' | 'share'>): number {
  return share * Math.atanh(Math.min(0.999, Math.max(0, likeness)));
}

function likeliestPlace(crop: Plane, cropPhoto: Size, coarse: Level, original: Size, share: number): Place[] {
  const scale = share * Math.min(original.width / cropPhoto.width, original.height / cropPhoto.height);
  const { width, height } = coarse.detail;
  const size = {
    width: Math.min(width, Math.round((scale * cropPhoto.width) / coarse.stepX)),
    height: Math.min(height, Math.round((scale * cropPhoto.height) / coarse.stepY)),
  };
  if (Math.min(size.width, size.height) < LEAST_SIDE_PX) return [];
  const { detail } = levelOf(resizePlane(crop, size), cropPhoto, surroundingsPx(coarse.detail));
  let best = { x: 0, y: 0, likeness: -Infinity };
  for (let y = 0; y <= height - size.height; y++) {
    for (let x = 0; x <= width - size.width; x++) {
      const likeness = likenessAt(detail, coarse.detail, x, y);
      if (likeness > best.likeness) best = { x, y, likeness };
    }
  }
  const corner = [best.x * coarse.stepX, best.y * coarse.stepY] as const;
  return [{ similarity: aboutPoint([0, 0], corner, scale, 0), likeness: best.likeness, share }];
}

function likenessAt(small: Plane, large: Plane, left: number, top: number): number {
  let [sumA, sumB, squaresA, squaresB, products] = [0, 0, 0, 0, 0];
  for (let y = 0; y < small.height; y++) {
    const at = (top + y) * large.width + left;
    for (let x = 0; x < small.width; x++) {
      const a = small.data[y * small.width + x]!;
      const b = large.data[at + x]!;
      sumA += a;
      sumB += b;
      squaresA += a * a;
      squaresB += b * b;
      products += a * b;
    }
  }
  const n = small.data.length;
  const variance = (squaresA - sumA ** 2 / n) * (squaresB - sumB ** 2 / n);
  return (products - (sumA * sumB) / n) / Math.sqrt(variance + 1e-9);
}

/** At finer and finer sizes, the crop always in pixels as large as the original's. */
function refineFound(
  crop: Plane,
  original: Plane,
  photos: { readonly crop: Size; readonly original: Size },
  start: Similarity,
): Alignment {
  let found: Alignment = { similarity: start, likeness: 0, overlap: 0 };
  for (let longSide = SEARCH_PX; longSide <= Math.max(original.width, original.height); longSide *= 2) {
    const level = levelOf(resizePlane(original, workingSize(original, longSide)), photos.original);
    const scale = scaleOf(found.similarity);
    const size = {
      width: Math.max(LEAST_SIDE_PX, Math.round((scale * photos.crop.width) / level.stepX)),
      height: Math.max(LEAST_SIDE_PX, Math.round((scale * photos.crop.height) / level.stepY)),
    };
    const small = levelOf(resizePlane(crop, size), photos.crop, surroundingsPx(level.detail));
    const pyramid = (one: Level, photo: Size): Pyramid => ({ levels: [one], photo });
    found = refine(pyramid(small, photos.crop), pyramid(level, photos.original), found.similarity, { mayTurn: false });
  }
  return found;
}
