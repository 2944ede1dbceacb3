import { overlapArea, type Box, type Point, type Size } from '../../base/geometry.js';
import { ASCENT, DESCENT, textSvg, textWidth } from './glyphs.js';
import { CASING, CASING_OPACITY, INK } from './palette.js';
import { px } from './paths.js';
import type { Pen } from './pen.js';
import type { Anchor } from './shapes.js';

export interface Label {
  readonly text: string;
  readonly colour: string;
  readonly anchors: readonly Anchor[];
}

export interface PlacedLabel extends Label {
  readonly box: Box;
}

/** Between a label and the picture's border. */
const MARGIN_PX = 1;

/** Around a label's text, in units of the font. */
const PADDING = { x: 3.8, top: 2.4, bottom: 1.9 } as const;

/** A label too long for the picture is shrunk to it, but never below this share of its size. */
const LEAST_SHRINK = 0.6;

/**
 * Puts each label at the one of its anchors where it lies best: inside the picture, on no other label, on few strokes,
 * early in the list. A label that the picture has no room for is left out.
 * @param traces points on the strokes to stay clear of.
 */
export function placeLabels(labels: readonly Label[], traces: readonly Point[], target: Size, pen: Pen): PlacedLabel[] {
  const placed: PlacedLabel[] = [];
  for (const label of labels) {
    const size = labelSize(label.text, target, pen);
    if (size.width > target.width - 2 * MARGIN_PX || size.height > target.height - 2 * MARGIN_PX) continue;
    let best: { box: Box; cost: number } | undefined;
    for (const [rank, anchor] of label.anchors.entries()) {
      const { box, movedPx } = boxAt(anchor, size, target);
      const covered = placed.reduce((sum, other) => sum + overlapArea(other.box, box), 0) / (size.width * size.height);
      const hidden = traces.filter((point) => contains(box, point)).length;
      const cost = 100 * covered + 0.6 * hidden + (4 * movedPx) / size.height + 0.15 * rank;
      if (!best || cost < best.cost) best = { box, cost };
    }
    if (best) placed.push({ ...label, box: best.box });
  }
  return placed;
}

export function labelSvg({ box, text, colour }: PlacedLabel, target: Size, pen: Pen): string {
  const [x1, y1, x2, y2] = box;
  const unit = unitFor(text, target, pen);
  const plate =
    `<rect x="${px(x1)}" y="${px(y1)}" width="${px(x2 - x1)}" height="${px(y2 - y1)}" rx="${px(3.2 * unit)}" fill="${colour}" ` +
    `stroke="${CASING}" stroke-opacity="${CASING_OPACITY}" stroke-width="${px(unit)}"/>`;
  return plate + textSvg(text, x1 + PADDING.x * unit, y1 + (PADDING.top + ASCENT) * unit, unit, INK);
}

function unitFor(text: string, target: Size, pen: Pen): number {
  const fitting = (target.width * 0.96) / (textWidth(text) + 2 * PADDING.x);
  return Math.max(LEAST_SHRINK * pen.glyphPx, Math.min(pen.glyphPx, fitting));
}

export function labelSize(text: string, target: Size, pen: Pen): Size {
  const unit = unitFor(text, target, pen);
  return {
    width: (textWidth(text) + 2 * PADDING.x) * unit,
    height: (PADDING.top + ASCENT + DESCENT + PADDING.bottom) * unit,
  };
}

/** The label's box at an anchor, pushed inside the picture, and how far it had to be pushed. */
function boxAt({ at, towards }: Anchor, size: Size, target: Size): { box: Box; movedPx: number } {
  const wantedX = at[0] + ((towards[0] - 1) / 2) * size.width;
  const wantedY = at[1] + ((towards[1] - 1) / 2) * size.height;
  const x = Math.max(MARGIN_PX, Math.min(target.width - size.width - MARGIN_PX, wantedX));
  const y = Math.max(MARGIN_PX, Math.min(target.height - size.height - MARGIN_PX, wantedY));
  return { box: [x, y, x + size.width, y + size.height], movedPx: Math.hypot(x - wantedX, y - wantedY) };
}

function contains([x1, y1, x2, y2]: Box, [x, y]: Point): boolean {
  return x >= x1 && x <= x2 && y >= y1 && y <= y2;
}
