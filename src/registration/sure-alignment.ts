import type { Size } from '../base/geometry.js';
import type { Pyramid } from './grey-picture.js';
import type { Alignment } from './refine.js';
import { register } from './register.js';
import { angleDegOf, scaleOf } from './similarity.js';

/**
 * From here on two photos show the same. Of 702 pairs of different photos (FLMS and examples) the most alike has .47, 70
 * photos made of 14 by shifts, scales, brightness, noise and JPEG have .91 and more (2026-12-01).
 */
const SURE_LIKENESS = 0.6;
const NEAR_LIKENESS = 0.5;
/** Less in common, and a crop of the one need not be in the other. */
const LEAST_OVERLAP = 0.5;
const MOST_SCALE = 1.25;
const MOST_TURN_DEG = 5;
/** Photos whose proportions differ by more were not taken as one. */
const SAME_RATIO = 0.02;

/** How one photo lies over another, where that is sure. */
export function sureAlignment(one: Pyramid, other: Pyramid): Alignment | undefined {
  const found = hasSameRatio(one.photo, other.photo) ? register(one, other) : undefined;
  return found && isSure(found, one.photo, other.photo) ? found : undefined;
}

export function isSure({ likeness, overlap, similarity }: Alignment, one: Size, other: Size): boolean {
  const scale = scaleOf(similarity) * (one.width / other.width);
  return (
    likeness >= SURE_LIKENESS &&
    overlap >= LEAST_OVERLAP &&
    Math.max(scale, 1 / scale) <= MOST_SCALE &&
    Math.abs(angleDegOf(similarity)) <= MOST_TURN_DEG
  );
}

export function hasSameRatio(a: Size, b: Size): boolean {
  return Math.abs(Math.log((a.width * b.height) / (a.height * b.width))) <= SAME_RATIO;
}

/** Whether two photos that do not surely show the same look as if they might. */
export function isNear({ likeness, overlap }: Alignment): boolean {
  return likeness >= NEAR_LIKENESS && overlap >= LEAST_OVERLAP;
}
