export { TEXT_LONG_SIDE_PX } from './planes.js';
import type { Box, Size } from '../../base/geometry.js';
import type { Raster } from '../types.js';
import type { Glyph } from './glyph.js';
import { joined, type Find } from './join.js';
import { luminancePlanes } from './planes.js';
import { rowsIn, type Row } from './rows.js';
import { textConfidence } from './text-confidence.js';

/** A line of printed text. */
export interface TextLine {
  /** Around all its letters, in raster pixels. */
  readonly box: Box;
  /** How the line slopes, degrees; positive: downwards to the right. */
  readonly angleDeg: number;
  /** How sure it is that it is text, 0..1. */
  readonly confidence: number;
}

/**
 * From here on a row is text by itself. In 700 photos that nothing was fitted on 83 lines are found, all of them text by eye
 * (2026-12-01).
 */
export const SURE_OF_TEXT = 0.85;

/** What is less sure is text beside a line that is: the other lines of a sign. */
const SURE_BESIDE_TEXT = 0.5;

/**
 * Lines of printed text in a photo that surely are some, top to bottom: about level, of four letters or more, each 10 to 250
 * pixels high where the photo's long side has 1000. Handwriting, steep and curved lines and much small print are not found.
 */
export function findText(raster: Raster): TextLine[] {
  const rows = luminancePlanes(raster).flatMap((plane) =>
    rowsIn(plane).map((row) => ({ row, confidence: textConfidence(row.chain) })),
  );
  const likely = rows.filter(({ confidence }) => confidence >= SURE_BESIDE_TEXT);
  const sure = likely.filter(({ confidence }) => confidence >= SURE_OF_TEXT);
  const finds = likely.filter((each) => sure.includes(each) || sure.some(({ row }) => areOfOneSign(row, each.row)));
  return joined(finds.map(({ row, confidence }) => findOf(row, confidence, raster.size)))
    .map(({ box, slope, confidence }) => ({
      box,
      angleDeg: Math.round((10 * 180 * Math.atan(slope)) / Math.PI) / 10,
      confidence: Math.round(1000 * confidence) / 1000,
    }))
    .sort((a, b) => a.box[1] - b.box[1] || a.box[0] - b.box[0]);
}

function findOf({ chain, plane, box }: Row, confidence: number, size: Size): Find {
  const [across, down] = [size.width / plane.width, size.height / plane.height];
  const [x1, y1, x2, y2] = box();
  // The outermost pixels of a plane are never ink.
  const start = (edge: number, scale: number): number => (edge <= 1 ? 0 : Math.floor(edge * scale));
  const end = (edge: number, side: 'width' | 'height', scale: number): number =>
    edge >= plane[side] - 1 ? size[side] : Math.min(size[side], Math.ceil(edge * scale));
  return {
    box: [start(x1, across), start(y1, down), end(x2, 'width', across), end(y2, 'height', down)],
    slope: (chain.baseline.slope * down) / across,
    heightPx: chain.baseline.heightPx * down,
    confidence,
  };
}

/** Heights of two lines' letters, and the way between the lines in these heights. */
const SIGN = { heightRatio: 2.5, gap: 2 } as const;
/** Difference of their inks and papers, as a share of the contrast. */
const SAME_LIGHT = 0.3;

function areOfOneSign(sure: Row, other: Row): boolean {
  const scale = sure.plane.width / other.plane.width;
  const [a, b] = [sure.chain.glyphs, other.chain.glyphs];
  const [high, otherHigh] = [sure.chain.baseline.heightPx, other.chain.baseline.heightPx * scale];
  if (Math.max(high, otherHigh) > SIGN.heightRatio * Math.min(high, otherHigh)) return false;
  const reach = SIGN.gap * Math.max(high, otherHigh);
  const [left, top, right, bottom] = extentOf(a, 1);
  const [x1, y1, x2, y2] = extentOf(b, scale);
  if (x1 > right + reach || x2 < left - reach || y1 > bottom + reach || y2 < top - reach) return false;
  const contrast = Math.abs(meanOf(a, 'ink') - meanOf(a, 'paper'));
  return (['ink', 'paper'] as const).every(
    (light) => Math.abs(meanOf(a, light) - meanOf(b, light)) <= SAME_LIGHT * contrast,
  );
}

function extentOf(glyphs: readonly Glyph[], scale: number): readonly [number, number, number, number] {
  const boxes = glyphs.map(({ box }) => box);
  return [
    scale * Math.min(...boxes.map((box) => box[0])),
    scale * Math.min(...boxes.map((box) => box[1])),
    scale * Math.max(...boxes.map((box) => box[2])),
    scale * Math.max(...boxes.map((box) => box[3])),
  ];
}

function meanOf(glyphs: readonly Glyph[], light: 'ink' | 'paper'): number {
  return glyphs.reduce((sum, glyph) => sum + glyph[light], 0) / glyphs.length;
}
