import type { Box, Size } from '../../src/base/geometry.js';
import { toPixels } from '../../src/engines/rules/scoring/aspect-grid.js';
import type { UnitBox } from '../../src/engines/rules/scoring/grid.js';
import type { RankedBox } from '../../src/engines/rules/scoring/select.js';
import type { Dice } from '../scenes/dice.js';
import type { RatioPlaces } from './places.js';
import { costToSubject, type HeldSubject } from './subject-mask.js';

/** Worths of places as far apart as this are an e-fold of preference; the tower is taught with the same (place_labels.py). */
const PLACE_TEMPERATURE = 0.15;
/** Smaller crops are offered beside the largest, at what they lose by being so. */
const SCALES: readonly (readonly [scale: number, loss: number])[] = [
  [1, 0],
  [0.84, 0.25],
  [0.68, 0.5],
];
/** What cutting the subject costs a crop smaller than those that were judged, beside expected IoU. */
const COST_PER_IOU = 4;

/** Crops of one ratio over places and sizes, in a frame. Worths are such that `temperature` apart is an e-fold. */
export function ratioBoxes(
  frame: Size,
  places: RatioPlaces,
  held: HeldSubject | undefined,
  temperature: number,
): RankedBox[] {
  return SCALES.flatMap(([scale, loss]) =>
    places.worth.flatMap((_, i) => {
      const place = i / (places.worth.length - 1);
      const across = scale === 1 ? [0] : [0, 0.5, 1];
      return across.map((other) => ranked(frame, places, held, { scale, loss, place, other }, temperature));
    }),
  );
}

/** As many drawn by lot, in no order: what a model may be asked to judge. */
export function anyRatioBoxes(
  roll: Dice,
  frame: Size,
  places: RatioPlaces,
  held: HeldSubject | undefined,
  temperature: number,
  count: number,
): RankedBox[] {
  return Array.from({ length: count }, () => {
    const [scale, loss] = roll.chance(0.8) ? SCALES[0]! : roll.pick(SCALES);
    const place = roll.unit();
    return ranked(frame, places, held, { scale, loss, place, other: roll.unit() }, temperature);
  });
}

interface Spot {
  readonly scale: number;
  readonly loss: number;
  /** 0..1 of the way it can move along the axis of the largest crop, and across it. */
  readonly place: number;
  readonly other: number;
}

function ranked(
  frame: Size,
  { axis, length, worth }: RatioPlaces,
  held: HeldSubject | undefined,
  { scale, loss, place, other }: Spot,
  temperature: number,
): RankedBox {
  const along = span(length * scale, place);
  const across = span(scale, other);
  const unit: UnitBox =
    axis === 0 ? [along[0], across[0], along[1], across[1]] : [across[0], along[0], across[1], along[1]];
  // A smaller crop is worth what the largest around the same middle is, less what it loses.
  const middle = (along[0] + along[1]) / 2;
  const nearest = Math.min(1, Math.max(0, (middle - length / 2) / (1 - length)));
  const cut = scale === 1 ? 0 : COST_PER_IOU * costToSubject(held, unit);
  const value = at(worth, nearest) - loss - cut;
  return { box: toPixels(unit, frame) satisfies Box, worth: (value / PLACE_TEMPERATURE) * temperature };
}

function span(length: number, place: number): [number, number] {
  const from = (1 - length) * place;
  return [from, from + length];
}

/** Between the evenly spaced values of 0 to 1. */
function at(values: readonly number[], x: number): number {
  const scaled = x * (values.length - 1);
  const i = Math.min(values.length - 2, Math.floor(scaled));
  return values[i]! + (values[i + 1]! - values[i]!) * (scaled - i);
}
