import { FramewrightError } from '../base/errors.js';
import { clipped, type Box, type Size } from '../base/geometry.js';

/** Room around a subject that a crop is trimmed to: pixels of the photo, or a share of the subject's longer side. */
export type Margin = { readonly px: number } | { readonly share: number };

/**
 * `10%` of the subject's longer side, or `40px`.
 * @throws FramewrightError USAGE
 */
export function parseMargin(text: string): Margin {
  const [, digits, unit] = /^\s*(\d{1,6}(?:\.\d+)?)\s*(%|px)\s*$/.exec(text) ?? [];
  if (digits === undefined) {
    throw new FramewrightError('USAGE', `"${text}" is no margin; write a share of the subject's size as 10%, or 40px`);
  }
  return unit === '%' ? { share: Number(digits) / 100 } : { px: Number(digits) };
}

/** The subject with that room, as far as the photo reaches. */
export function withMargin([x1, y1, x2, y2]: Box, margin: Margin, photo: Size): Box {
  const room = Math.round('px' in margin ? margin.px : margin.share * Math.max(x2 - x1, y2 - y1));
  return clipped([x1 - room, y1 - room, x2 + room, y2 + room], photo) ?? [x1, y1, x2, y2];
}
