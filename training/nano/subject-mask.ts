import type { UnitBox } from '../../src/engines/rules/scoring/grid.js';
import { MASK_SIDE, type PlaceLabels } from './places.js';

/** Expected IoU a free crop loses by leaving the whole subject out, and by cutting it in half. */
const COST_OF_LEAVING_OUT = 0.1;
const COST_OF_CUTTING = 0.2;
/** Masks are soft: a subject held to this share is whole. */
const WHOLE = 0.97;

/** How much of the subject a crop holds, 0..1. Undefined where there is no subject. */
export type HeldSubject = (crop: UnitBox) => number;

export function heldSubject({ mask, subject }: PlaceLabels): HeldSubject | undefined {
  if (!mask || !subject) return undefined;
  const n = MASK_SIDE;
  const sums = new Float64Array((n + 1) * (n + 1));
  for (let y = 0; y < n; y++) {
    for (let x = 0; x < n; x++) {
      sums[(y + 1) * (n + 1) + x + 1] =
        mask[y * n + x]! + sums[y * (n + 1) + x + 1]! + sums[(y + 1) * (n + 1) + x]! - sums[y * (n + 1) + x]!;
    }
  }
  const at = (x: number, y: number): number => sums[Math.round(y * n) * (n + 1) + Math.round(x * n)]!;
  const total = at(1, 1);
  return ([x1, y1, x2, y2]) => (at(x2, y2) - at(x1, y2) - at(x2, y1) + at(x1, y1)) / total;
}

/** What a crop loses, in expected IoU, by what it does to the subject. */
export function costToSubject(held: HeldSubject | undefined, crop: UnitBox): number {
  if (!held) return 0;
  const share = held(crop);
  if (share >= WHOLE) return 0;
  return COST_OF_LEAVING_OUT * (1 - share) + COST_OF_CUTTING * 4 * share * (1 - share);
}
