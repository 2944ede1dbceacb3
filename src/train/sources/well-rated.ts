import type { RatedBox } from './types.js';

/** The crops that people made and rated within `gap` of the best of these. */
export function wellRated(crops: readonly RatedBox[], gap: number): RatedBox[] {
  const people = crops.filter(({ isDrawn }) => !isDrawn);
  const least = Math.max(...people.map(({ rating }) => rating)) - gap;
  return people.filter(({ rating }) => rating >= least);
}
