import type { Box } from '../base/geometry.js';
import { workingSize } from '../engines/rules/maps/plane.js';
import { findText, TEXT_LONG_SIDE_PX } from '../engines/text/text.js';
import type { Photo } from '../photo/decode.js';
import { frameMap } from '../photo/frame.js';
import { renderFrame } from '../photo/render.js';

/** A line of text in a photo. */
export interface TextInPhoto {
  /** Around all its letters, in oriented photo pixels. */
  readonly box: Box;
  /** How the line slopes, degrees; positive: downwards to the right. */
  readonly angleDeg: number;
  /** How sure it is that it is text, 0..1. */
  readonly confidence: number;
}

/** Around the lines that were looked for and found. */
export function textOf({ text = [] }: { readonly text?: readonly TextInPhoto[] }): Box[] {
  return text.map(({ box }) => box);
}

/** A photo this small has no letters that tell. */
const LEAST_SIDE_PX = 48;

/** The lines of printed text that surely are some. */
export async function findTextLines(
  photo: Photo,
  options: { readonly signal?: AbortSignal } = {},
): Promise<TextInPhoto[]> {
  if (Math.min(photo.width, photo.height) < LEAST_SIDE_PX) return [];
  const size = workingSize(photo, Math.min(TEXT_LONG_SIDE_PX, Math.max(photo.width, photo.height)), LEAST_SIDE_PX / 2);
  const lines = findText({ data: await renderFrame(photo, size, options), size });
  const { toPhoto } = frameMap(photo, size);
  return lines.map(({ box, ...line }) => ({ ...line, box: toPhoto.box(box, 'outward') }));
}
