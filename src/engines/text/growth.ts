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
/** Of its ink's luminance from the line's, as a share of the contrast. */
const MOST_INK_DIFFERENCE = 0.3;

/**
 * The box around a line with what was no glyph by itself: merged and broken letters, dots, accents, letters at the photo's
 * edge. Pixels of the plane.
 */
export function grownBox({ glyphs, baseline }: Chain, components: readonly Component[], grey: Plane): Box {
  const { slope, start, heightPx } = baseline;
  const ink = glyphs.reduce((sum, glyph) => sum + glyph.ink, 0) / glyphs.length;
  const paper = glyphs.reduce((sum, glyph) => sum + glyph.paper, 0) / glyphs.length;
  const alike = components.filter((component) => {
    const [x1, y1, x2, y2] = component.box;
    const [width, height] = [x2 - x1, y2 - y1];
    if (height > MOST_HEIGHT * heightPx || width > MOST_WIDTH * heightPx) return false;
    if (Math.max(width, height) < LEAST_HEIGHT * heightPx) return false;
    const above = (start + (slope * (x1 + x2)) / 2 - (y1 + y2) / 2) / heightPx;
    if (above < MIDDLE.low || above > MIDDLE.high) return false;
    return Math.abs(inkOf(component, grey) - ink) <= MOST_INK_DIFFERENCE * Math.abs(ink - paper);
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
