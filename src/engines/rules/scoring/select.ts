import { intersectionOverUnion, type Box } from '../../../base/geometry.js';
import { unitIou, type UnitBox } from './grid.js';

/** Boxes with the probability that a person would choose each; the probabilities sum to 1. */
export interface BoxDistribution {
  readonly boxes: readonly UnitBox[];
  readonly probabilities: Float64Array;
}

/** Expected IoU of a box with the crop a person would choose. */
export function expectedIou(box: UnitBox, distribution: BoxDistribution): number {
  let sum = 0;
  distribution.boxes.forEach((other, i) => {
    const probability = distribution.probabilities[i]!;
    if (probability > 1e-5) sum += probability * unitIou(box, other);
  });
  return sum;
}

/** Moves one edge at a time, by ever smaller steps, while the expected IoU grows. */
export function refine(box: UnitBox, distribution: BoxDistribution): UnitBox {
  let best = box;
  let bestValue = expectedIou(box, distribution);
  for (const step of [1 / 24, 1 / 48]) {
    for (let moved = true; moved;) {
      moved = false;
      for (let edge = 0; edge < 4; edge++) {
        for (const sign of [-1, 1]) {
          const next = [...best] as [number, number, number, number];
          next[edge] = Math.min(1, Math.max(0, next[edge]! + sign * step));
          if (next[2] - next[0] < 0.2 || next[3] - next[1] < 0.2) continue;
          const value = expectedIou(next, distribution);
          if (value > bestValue + 1e-9) {
            best = next;
            bestValue = value;
            moved = true;
          }
        }
      }
    }
  }
  return best;
}

export interface RankedBox {
  readonly box: Box;
  readonly worth: number;
}

/** Two candidates of one photo overlap by less than this, as long as enough boxes are left. */
const DISTINCT_IOU = 0.85;

/** Up to `count` boxes, most worth first, that differ clearly; where the rules leave too few, ones that differ less. */
export function pickDistinct(ranked: readonly RankedBox[], count: number): RankedBox[] {
  const sorted = [...ranked].sort((a, b) => b.worth - a.worth);
  const picked: RankedBox[] = [];
  for (const limit of [DISTINCT_IOU, 0.93, 0.97, 1]) {
    for (const candidate of sorted) {
      if (picked.length >= count) return picked;
      if (picked.every(({ box }) => intersectionOverUnion(box, candidate.box) < limit)) picked.push(candidate);
    }
  }
  return picked;
}
