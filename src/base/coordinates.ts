import type { Size } from './geometry.js';

/** What a model's answers count in: whole pixels of the frame it sees, or thousandths of the frame's sides. */
export type Coordinates = 'pixels' | 'thousand';

/** The whole of a side where answers count thousandths. */
const THOUSAND = 1000;

/** How far the numbers of an answer reach, across and down, for a frame of this size. */
export function coordinateSpace(coordinates: Coordinates, frame: Size): Size {
  return coordinates === 'thousand' ? { width: THOUSAND, height: THOUSAND } : frame;
}
