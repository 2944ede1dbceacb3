import { describe, expect, test } from 'vitest';
import { intersectionOverUnion, type Box, type Size } from '../../../src/base/geometry.js';
import { unitIou, type UnitBox } from '../../../src/engines/rules/scoring/grid.js';
import { measurePhoto } from '../../../src/engines/rules/maps/photo-maps.js';
import { integralOf, newPlane } from '../../../src/engines/rules/maps/plane.js';
import {
  BOX_TERMS,
  PLANE_NAMES,
  PLANE_TERMS,
  findSubject,
  planeTerm,
} from '../../../src/engines/rules/subject/subject.js';
import { SUBJECT_WEIGHTS } from '../../../src/engines/rules/subject/subject-weights.js';
import { ellipseScene, mirrored, scene } from './scenes.js';

const SIZE: Size = { width: 300, height: 200 };
const inPixels = ([x1, y1, x2, y2]: UnitBox): Box => [
  x1 * SIZE.width,
  y1 * SIZE.height,
  x2 * SIZE.width,
  y2 * SIZE.height,
];

describe('the subject of a photo', () => {
  test.each<[string, Box]>([
    ['in the middle', [90, 40, 210, 160]],
    ['on the left', [30, 50, 120, 160]],
    ['at the bottom right', [170, 80, 280, 190]],
  ])('%s is boxed', (_, box) => {
    const found = findSubject(measurePhoto(ellipseScene(SIZE, box)));
    expect(intersectionOverUnion(inPixels(found.box), box)).toBeGreaterThan(0.6);
    expect(found.expectedIou).toBeGreaterThan(0.4);
    expect(found.expectedIou).toBeLessThan(1);
  });

  test('mirrors with the photo', () => {
    const raster = ellipseScene(SIZE, [30, 50, 120, 160]);
    const [x1, y1, x2, y2] = findSubject(measurePhoto(raster)).box;
    const other = findSubject(measurePhoto(mirrored(raster))).box;
    expect(unitIou(other, [1 - x2, y1, 1 - x1, y2])).toBeGreaterThan(0.9);
  });

  test('is a box inside the photo even where there is none', () => {
    for (const size of [SIZE, { width: 1, height: 1 }, { width: 7, height: 900 }]) {
      const { box } = findSubject(measurePhoto(scene(size, () => [90, 90, 90])));
      const [x1, y1, x2, y2] = box;
      expect(0 <= x1 && x1 < x2 && x2 <= 1 && 0 <= y1 && y1 < y2 && y2 <= 1).toBe(true);
    }
  });
});

test('every term has its weights', () => {
  expect(SUBJECT_WEIGHTS.planes.map((weights) => weights.length)).toEqual(PLANE_TERMS.map(() => PLANE_NAMES.length));
  expect(SUBJECT_WEIGHTS.box).toHaveLength(BOX_TERMS.length);
});

/** A plane of 0 with a block of 1 from a quarter to three quarters of both sides. */
function block(): ReturnType<typeof integralOf> {
  const plane = newPlane(48, 48);
  for (let y = 12; y < 36; y++) plane.data.fill(1, y * 48 + 12, y * 48 + 36);
  return integralOf(plane);
}

test.each([
  ['ring', 1],
  ['share', 0.75 * 0.25],
  ['edges', 4],
  ['middle', 0],
] as const)('%s of the box that fits is %f', (term, value) => {
  expect(planeTerm(term, block(), [0.25, 0.25, 0.75, 0.75])).toBeCloseTo(value, 6);
});
