import { unionOf, type Box } from '../../base/geometry.js';
import type { Plane } from '../rules/maps/plane.js';
import type { Chain } from './chains.js';
import type { Component } from './components.js';

/** How far from the end of a line, in heights of it, ink still is a part of it: a space between words, and some. */
const REACH = 0.9;
/** Heights of what is a part of a line: from a dot to two letters that touch across lines. */
const LEAST_HEIGHT = 0.12;
const MOST_HEIGHT = 1.7;
const MOST_WIDTH = 8;
/** Where its middle lies, in heights above the baseline. */
const MIDDLE = { low: -0.35, high: 1.25 } as const;
/** Of its ink's luminance from the line's, and of what is around it from the line's paper, as shares of the contrast. */
const MOST_INK_DIFFERENCE = 0.3;
const MOST_PAPER_DIFFERENCE = 0.45;

/**
 * The box around a line with what was no glyph by itself: merged and broken letters, dots, accents, letters at the photo's
 * edge. Pixels of the plane.
 */
export function grownBox({ glyphs, baseline }: Chain, components: readonly Component[], grey: Plane): Box {
  const { slope, start, heightPx } = baseline;
  const ink = glyphs.reduce((sum, glyph) => sum + glyph.ink, 0) / glyphs.length;
  const paper = glyphs.reduce((sum, glyph) => sum + glyph.paper, 0) / glyphs.length;
  const contrast = Math.abs(ink - paper);
  const alike = components.filter((component) => {
    const [x1, y1, x2, y2] = component.box;
    const [width, height] = [x2 - x1, y2 - y1];
    if (height > MOST_HEIGHT * heightPx || width > MOST_WIDTH * heightPx) return false;
    if (Math.max(width, height) < LEAST_HEIGHT * heightPx) return false;
    const above = (start + (slope * (x1 + x2)) / 2 - (y1 + y2) / 2) / heightPx;
    if (above < MIDDLE.low || above > MIDDLE.high) return false;
    return (
      Math.abs(inkOf(component, grey) - ink) <= MOST_INK_DIFFERENCE * contrast &&
      Math.abs(luminanceAround(component, grey) - paper) <= MOST_PAPER_DIFFERENCE * contrast
    );
  });
  let box = unionOf(glyphs.map((glyph) => glyph.box))!;
  for (;;) {
    const reach = REACH * heightPx;
    const beside = alike.filter((each) => each.box[0] <= box[2] + reach && each.box[2] >= box[0] - reach);
    const grown = unionOf([box, ...beside.map((each) => each.box)])!;
    if (grown[0] === box[0] && grown[2] === box[2]) return grown;
    box = grown;
  }
}

function inkOf({ pixels }: Component, grey: Plane): number {
  let sum = 0;
  for (const index of pixels) sum += grey.data[index]!;
  return sum / pixels.length;
}

/** Mean along a frame two pixels outside its box. */
function luminanceAround({ box: [x1, y1, x2, y2] }: Component, { width, height, data }: Plane): number {
  const [left, right] = [Math.max(0, x1 - 2), Math.min(width - 1, x2 + 1)];
  const [top, bottom] = [Math.max(0, y1 - 2), Math.min(height - 1, y2 + 1)];
  let [sum, n] = [0, 0];
  for (let x = left; x <= right; x++, n += 2) sum += data[top * width + x]! + data[bottom * width + x]!;
  for (let y = top; y <= bottom; y++, n += 2) sum += data[y * width + left]! + data[y * width + right]!;
  return sum / n;
}
