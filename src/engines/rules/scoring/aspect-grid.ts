import { boxArea, unionOf, type Aspect, type Box, type Size } from '../../../base/geometry.js';
import { allows, largestOfAspect } from '../../constraints.js';
import type { EngineOptions } from '../../types.js';
import type { UnitBox } from './grid.js';

/** Sizes tried, as shares of the largest box of the aspect. */
const SCALES = [1, 0.92, 0.84, 0.76, 0.68, 0.6, 0.52];
const STEP = 1 / 14;

/** Boxes of exactly the asked aspect (to the nearest pixel) over sizes and places, inside the rules. Pixels. */
export function aspectBoxes(frame: Size, aspect: Aspect, options: EngineOptions): Box[] {
  const largest = largestOfAspect(aspect, frame);
  const keep = unionOf(options.keep ?? []);
  const boxes: Box[] = [];
  for (const scale of SCALES) {
    const width = Math.max(1, Math.round(largest.width * scale));
    const height = Math.max(1, Math.round(width / (aspect.width / aspect.height)));
    if (height > frame.height) continue;
    for (const x1 of places(frame.width, width, keep?.[0], keep?.[2])) {
      for (const y1 of places(frame.height, height, keep?.[1], keep?.[3])) {
        const box: Box = [x1, y1, x1 + width, y1 + height];
        if (allows(box, frame, options)) boxes.push(box);
      }
    }
  }
  return boxes;
}

/** Evenly spaced starts for a length along one side, so that the keep range stays inside. */
function places(side: number, length: number, keepLow = side, keepHigh = 0): number[] {
  const low = Math.max(0, keepHigh - length);
  const high = Math.min(side - length, keepLow);
  if (high < low) return [];
  const n = Math.max(1, Math.min(high - low, Math.round((high - low) / (STEP * side))));
  return [...new Set(Array.from({ length: n + 1 }, (_, i) => Math.round(low + ((high - low) * i) / n)))];
}

/** Grid boxes in pixels, grown around the keep boxes, inside the rules, without duplicates. */
export function freeBoxes(frame: Size, units: readonly UnitBox[], options: EngineOptions): Box[] {
  const keep = unionOf(options.keep ?? []);
  const seen = new Set<string>();
  const boxes: Box[] = [];
  for (const unit of units) {
    const box = growAround(toPixels(unit, frame), keep);
    const key = box.join();
    if (seen.has(key) || boxArea(box) === 0 || !allows(box, frame, options)) continue;
    seen.add(key);
    boxes.push(box);
  }
  return boxes;
}

export function growAround(box: Box, keep: Box | undefined): Box {
  return keep ? unionOf([box, keep])! : box;
}

export function toPixels(unit: UnitBox, frame: Size): Box {
  const x1 = Math.min(frame.width - 1, Math.round(unit[0] * frame.width));
  const y1 = Math.min(frame.height - 1, Math.round(unit[1] * frame.height));
  return [
    x1,
    y1,
    Math.max(x1 + 1, Math.round(unit[2] * frame.width)),
    Math.max(y1 + 1, Math.round(unit[3] * frame.height)),
  ];
}

export function toUnit(box: Box, frame: Size): UnitBox {
  return [box[0] / frame.width, box[1] / frame.height, box[2] / frame.width, box[3] / frame.height];
}
