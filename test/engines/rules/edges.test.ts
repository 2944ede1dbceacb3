import { expect, test } from 'vitest';
import { asPeopleChoose, Crossings, near, placeEdges } from '../../../src/engines/rules/maps/edges.js';
import { gridBoxes, unitIou, type UnitBox } from '../../../src/engines/rules/scoring/grid.js';
import { detailGradient } from '../../../src/engines/rules/maps/photo-maps.js';
import type { BoxDistribution } from '../../../src/engines/rules/scoring/select.js';
import type { Raster } from '../../../src/engines/types.js';
import { mirrored, scene } from './scenes.js';

const SIZE = { width: 256, height: 192 };
/** A tower under a plain sky, its tip a little above a twelfth of the photo. */
const TIP_Y = 12;
const tower = scene(SIZE, (x, y) => (Math.abs(x - 100) < 4 + y / 8 && y >= TIP_Y ? [90, 60, 40] : [170, 200, 235]));
const BOX: UnitBox = [2 / 12, 1 / 12, 10 / 12, 1];

/** A teacher who likes boxes the better the nearer they are to this one. */
function around(wanted: UnitBox): BoxDistribution {
  const boxes = gridBoxes();
  const weights = boxes.map((box) => Math.exp(12 * unitIou(box, wanted)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return { boxes, probabilities: Float64Array.from(weights, (weight) => weight / total) };
}

const place = (raster: Raster, box: UnitBox): UnitBox =>
  placeEdges(box, new Crossings(detailGradient(raster)), asPeopleChoose(around(box)));

test('an edge across something moves off it, and no farther than it may', () => {
  const [, top] = place(tower, BOX);
  expect(BOX[1] * SIZE.height).toBeGreaterThan(TIP_Y);
  expect(top * SIZE.height).toBeLessThan(TIP_Y);
  expect(BOX[1] - top).toBeLessThanOrEqual(1 / 16 + 1e-9);
});

test('edges on the sides of the photo stay there, and none leaves it', () => {
  const [x1, y1, x2, y2] = place(tower, BOX);
  expect(y2).toBe(1);
  expect(place(tower, [0, 0, 1, 1])).toEqual([0, 0, 1, 1]);
  expect(Math.min(x1, y1, 1 - x2)).toBeGreaterThan(0);
});

test('where nothing is crossed, the teacher alone decides', () => {
  const plain = scene(SIZE, () => [170, 200, 235]);
  const wanted: UnitBox = [0.19, 0.1, 0.83, 0.9];
  const placed = placeEdges(BOX, new Crossings(detailGradient(plain)), asPeopleChoose(around(wanted)));
  expect(unitIou(placed, wanted)).toBeGreaterThanOrEqual(unitIou(BOX, wanted));
});

test('of a box of which nothing else is known, edges move only where that spares something', () => {
  const plain = scene(SIZE, () => [170, 200, 235]);
  expect(placeEdges(BOX, new Crossings(detailGradient(plain)), near(BOX))).toEqual(BOX);
  const [x1, top, x2, y2] = placeEdges(BOX, new Crossings(detailGradient(tower)), near(BOX));
  expect(top * SIZE.height).toBeLessThan(TIP_Y);
  expect([x1, x2, y2]).toEqual([BOX[0], BOX[2], 1]);
});

test('a mirrored photo gives mirrored edges', () => {
  const [x1, y1, x2, y2] = place(tower, BOX);
  const other = place(mirrored(tower), [1 - BOX[2], BOX[1], 1 - BOX[0], BOX[3]]);
  [1 - x2, y1, 1 - x1, y2].forEach((edge, i) => expect(other[i]).toBeCloseTo(edge, 2));
});
