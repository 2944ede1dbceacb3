import { boxCentre, type Box, type Point, type Size } from '../base/geometry.js';
import type { Element } from '../base/schema.js';
import { subjectBox } from './subject.js';

/**
 * Where to look, as shares of width and height: what the user has said to look at, the middle of the subject if the
 * analysis names one inside the crop, else the middle of the crop.
 */
export function focalPoint(
  photo: Size,
  analysis: readonly Element[],
  crop: Box,
  focus?: Point,
): { x: number; y: number } {
  if (focus) return { x: round4((focus[0] + 0.5) / photo.width), y: round4((focus[1] + 0.5) / photo.height) };
  const subject = subjectBox(analysis);
  const inside = subject && boxCentre(subject);
  const [x, y] =
    inside && inside[0] >= crop[0] && inside[0] < crop[2] && inside[1] >= crop[1] && inside[1] < crop[3]
      ? inside
      : boxCentre(crop);
  return { x: round4(x / photo.width), y: round4(y / photo.height) };
}

function round4(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
