import type { Size } from '../../base/geometry.js';

/** Widths and lengths of a drawing in target px, so that it looks alike at every size. */
export interface Pen {
  readonly strokePx: number;
  readonly casingPx: number;
  readonly guidePx: number;
  readonly guideCasingPx: number;
  readonly candidatePx: number;
  readonly bestPx: number;
  /** px per unit of the label font, whose lower-case letters are 6 units high. */
  readonly glyphPx: number;
  readonly dashDot: readonly number[];
  readonly dashes: readonly number[];
  readonly dots: readonly number[];
}

/**
 * Proportional to the picture (the geometric mean of its sides, a long strip counting as one three times as long as
 * high) down to the least at which lines and letters still show in a 224 px frame.
 */
export function penFor({ width, height }: Size): Pen {
  const sidePx = Math.min(Math.sqrt(width * height), 1.75 * Math.min(width, height));
  const strokePx = Math.max(1.6, 0.0048 * sidePx);
  const guidePx = Math.max(0.9, 0.0022 * sidePx);
  return {
    strokePx,
    casingPx: Math.max(0.9, 0.4 * strokePx),
    guidePx,
    guideCasingPx: Math.max(0.5, 0.45 * guidePx),
    candidatePx: Math.max(1.1, 0.003 * sidePx),
    bestPx: Math.max(2.2, 0.007 * sidePx),
    glyphPx: Math.max(0.85, 0.0021 * sidePx),
    dashDot: [4.5 * strokePx, 2.6 * strokePx, 0.01, 2.6 * strokePx],
    dashes: [3.2 * strokePx, 2.2 * strokePx],
    dots: [0.01, 2.6 * guidePx],
  };
}
