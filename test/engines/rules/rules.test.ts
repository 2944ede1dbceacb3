import { describe, expect, test } from 'vitest';
import { boxArea, intersectionOverUnion, type Box, type Size } from '../../../src/base/geometry.js';
import { ELEMENT_KINDS, elementSchema, type Element } from '../../../src/base/schema.js';
import { centre } from '../../../src/engines/centre.js';
import { full } from '../../../src/engines/full.js';
import { analyseRaster, scoringContext } from '../../../src/engines/rules/analysis.js';
import { boxFeatures, FEATURE_NAMES, MIRROR } from '../../../src/engines/rules/scoring/features.js';
import { gridBoxes } from '../../../src/engines/rules/scoring/grid.js';
import { rules, rulesEngine, rulesLabels } from '../../../src/engines/rules/index.js';
import type { Raster } from '../../../src/engines/types.js';
import { backdrop, ellipseScene, mirrored, noise, scene } from './scenes.js';

const SIZE: Size = { width: 300, height: 200 };
const crop = (raster: Raster, options = {}) => rulesEngine(raster.data, raster.size, { count: 5, ...options });
type Kind = Element['type'];
const find = <K extends Kind>(elements: readonly Element[], type: K) =>
  elements.find((element): element is Holding<Element, K> => element.type === type);
/** The member of a union whose `type` may be K. */
type Holding<E extends { type: Kind }, K extends Kind> = E extends unknown ? (K extends E['type'] ? E : never) : never;
const boxesOf = (elements: readonly Element[]): Box[] =>
  elements.flatMap((element) => ('box' in element ? [element.box] : []));
const flip = ([x1, y1, x2, y2]: Box, { width }: Size): Box => [width - x2, y1, width - x1, y2];

function horizonScene(size: Size, horizonY: number): Raster {
  return scene(size, (x, y) => {
    const grain = 8 * noise(x, y);
    return y < horizonY ? [150 + grain, 190 + grain, 230 + grain] : [60 + grain, 90 + 2 * grain, 50 + grain];
  });
}

/** Dark rails on a light ground that meet at (px, py). */
function railsScene(size: Size, px: number, py: number): Raster {
  const feet = [-0.25, 0.2, 0.75, 1.2].map((t) => t * size.width);
  return scene(size, (x, y) => {
    const depth = (y - py) / (size.height - py);
    const onRail = depth > 0.03 && feet.some((foot) => Math.abs(x - (px + (foot - px) * depth)) < 1 + 5 * depth);
    const light = (onRail ? 40 : 190) + 4 * noise(x, y);
    return [light, light, light];
  });
}

describe('composition', () => {
  test('a bright ellipse is boxed as the subject', () => {
    const box: Box = [60, 50, 140, 150];
    const boxes = boxesOf(crop(ellipseScene(SIZE, box)).elements);
    expect(Math.max(...boxes.map((found) => intersectionOverUnion(found, box)))).toBeGreaterThan(0.7);
  });

  test.each([
    ['center', 150],
    ['golden_ratio', 115],
    ['rule_of_thirds', 95],
  ] as const)('a subject is named %s for where it stands', (type, x) => {
    expect(find(crop(ellipseScene(SIZE, [x - 30, 65, x + 30, 135])).elements, type)).toBeDefined();
  });

  test('sky over land gives one level line at the right height', () => {
    const line = find(crop(horizonScene(SIZE, 70)).elements, 'horizontal')?.line;
    expect(line).toBeDefined();
    expect(Math.abs(line![1] - 70)).toBeLessThan(4);
    expect(Math.abs(line![3] - 70)).toBeLessThan(4);
    expect(Math.abs(line![2] - line![0])).toBeGreaterThan(250);
  });

  test('a dark pole gives a vertical line where it stands', () => {
    const pole = scene(SIZE, (x, y) => (Math.abs(x - 210) < 5 ? [30, 25, 20] : backdrop(x, y, SIZE.height)));
    const line = find(crop(pole).elements, 'vertical')?.line;
    expect(line).toBeDefined();
    expect(Math.abs(line![0] - 210)).toBeLessThan(8);
    expect(Math.abs(line![2] - 210)).toBeLessThan(8);
  });

  test('an edge across the photo gives a diagonal with its ends on it', () => {
    const slope = scene(SIZE, (x, y) => (y > 30 + 0.5 * x ? [70, 110, 60] : [200, 210, 220]));
    const line = find(crop(slope).elements, 'diagonal')?.line;
    expect(line).toBeDefined();
    expect(Math.abs(line![1] - (30 + 0.5 * line![0]))).toBeLessThan(6);
    expect(Math.abs(line![3] - (30 + 0.5 * line![2]))).toBeLessThan(6);
  });

  test('mirrored halves give a symmetric axis between them, and unlike halves none', () => {
    const blot = (x: number, y: number): [number, number, number] => {
      const value = 40 + 180 * noise(x / 12, y / 12);
      return [value, 255 - value, 120];
    };
    const halves = scene(SIZE, (x, y) => blot(x < 150 ? x : 300 - x, y));
    const line = find(crop(halves).elements, 'symmetric')?.line;
    expect(line).toBeDefined();
    expect(Math.abs(line![0] - 150)).toBeLessThan(5);
    expect(line![2]).toBe(line![0]);
    expect(find(crop(scene(SIZE, blot)).elements, 'symmetric')).toBeUndefined();
  });

  test('converging rails give a vanishing point where they meet', () => {
    const lines = find(crop(railsScene(SIZE, 170, 60)).elements, 'vanishing_point')?.lines;
    expect(lines).toBeDefined();
    for (const line of lines!) expect(Math.hypot(line[2] - 170, line[3] - 60)).toBeLessThan(15);
  });

  test('an arc gives a curve that stays on it', () => {
    const arc = scene(SIZE, (x, y) => (Math.hypot(x - 150, y - 220) < 150 ? [60, 100, 50] : [210, 220, 230]));
    const points = find(crop(arc).elements, 'curved')?.points;
    expect(points).toBeDefined();
    for (const [x, y] of points!) expect(Math.abs(Math.hypot(x - 150, y - 220) - 150)).toBeLessThan(8);
  });

  test('a gable gives a triangle with its corners', () => {
    const corners = [
      [150, 40],
      [250, 170],
      [50, 170],
    ] as const;
    const gable = scene(SIZE, (x, y) =>
      y < 170 && Math.abs(x - 150) < ((y - 40) * 100) / 130 ? [180, 60, 50] : [220, 225, 230],
    );
    const points = find(crop(gable).elements, 'triangle')?.points;
    expect(points).toBeDefined();
    for (const [x, y] of corners) {
      expect(Math.min(...points!.map((point) => Math.hypot(point[0] - x, point[1] - y)))).toBeLessThan(15);
    }
  });
});

describe('any raster', () => {
  const odd: [string, Raster][] = [
    ['one pixel', scene({ width: 1, height: 1 }, () => [9, 9, 9])],
    ['one row', scene({ width: 200, height: 1 }, (x) => [x, x, 0])],
    ['a tall strip', scene({ width: 7, height: 900 }, (x, y) => [x * 30, y / 4, 128])],
    ['one colour', scene(SIZE, () => [200, 30, 30])],
    ['black', scene(SIZE, () => [0, 0, 0])],
    ['noise', scene(SIZE, (x, y) => [255 * noise(x, y), 255 * noise(x, y, 1), 255 * noise(x, y, 2)])],
    [
      'a checkerboard',
      scene(SIZE, (x, y) => ((Math.floor(x / 10) + Math.floor(y / 10)) % 2 ? [0, 0, 0] : [255, 255, 255])),
    ],
  ];
  test.each(odd)('%s gives valid elements in canonical order and boxes inside the frame', (_, raster) => {
    const { elements, candidates, best } = crop(raster);
    expect(elements.length).toBeGreaterThanOrEqual(1);
    expect(elements.length).toBeLessThanOrEqual(8);
    for (const element of elements) expect(elementSchema.safeParse(element).success).toBe(true);
    const order = elements.map(({ type }) => ELEMENT_KINDS.indexOf(type));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(candidates[best]).toBeDefined();
    for (const { box, why } of candidates) {
      expect(box[0] >= 0 && box[1] >= 0 && box[2] <= raster.size.width && box[3] <= raster.size.height).toBe(true);
      expect(boxArea(box)).toBeGreaterThan(0);
      expect(why.length).toBeGreaterThan(0);
    }
    expect(candidates.reduce((sum, { rulesScore }) => sum + rulesScore, 0)).toBeCloseTo(1);
  });
});

describe('crops', () => {
  const photo = ellipseScene(SIZE, [190, 60, 270, 150]);

  test('the same raster gives the same proposal', () => {
    expect(crop(photo)).toEqual(crop({ ...photo, data: photo.data.slice() }));
  });

  test('five candidates come back, best first and distinct', () => {
    const { candidates, best } = crop(photo);
    expect(candidates).toHaveLength(5);
    expect(best).toBe(0);
    const scores = candidates.map(({ rulesScore }) => rulesScore);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(new Set(candidates.map(({ box }) => box.join())).size).toBe(5);
  });

  test('the crop keeps the subject and follows it from side to side', () => {
    const rightBox = crop(photo).candidates[0]!.box;
    const left = ellipseScene(SIZE, [30, 60, 110, 150]);
    const leftBox = crop(left).candidates[0]!.box;
    expect(rightBox[2]).toBeGreaterThanOrEqual(270);
    expect(leftBox[0]).toBeLessThanOrEqual(30);
    expect(rightBox[0] + rightBox[2]).toBeGreaterThan(leftBox[0] + leftBox[2]);
  });

  test('mirroring the photo mirrors the crop', () => {
    for (const raster of [photo, horizonScene(SIZE, 130), railsScene(SIZE, 90, 50)]) {
      const plain = crop(raster).candidates[0]!.box;
      const other = crop(mirrored(raster)).candidates[0]!.box;
      expect(intersectionOverUnion(flip(other, SIZE), plain)).toBeGreaterThan(0.9);
    }
  });

  test.each([1, 4 / 5, 16 / 9, 9 / 16, 3])('every candidate has the aspect %f to the pixel', (aspect) => {
    for (const { box } of crop(photo, { aspect: { width: aspect, height: 1 } }).candidates) {
      const [width, height] = [box[2] - box[0], box[3] - box[1]];
      expect(
        Math.min(Math.abs(width - aspect * height), aspect * Math.abs(height - width / aspect)),
      ).toBeLessThanOrEqual(0.5 * Math.max(1, aspect));
    }
  });

  test('keep boxes are never cut, with and without an aspect', () => {
    const keep: Box[] = [
      [3, 5, 40, 60],
      [20, 20, 90, 199],
    ];
    for (const options of [{}, { aspect: { width: 1, height: 1 } }]) {
      const { candidates } = crop(photo, { keep, ...options });
      expect(candidates.length).toBeGreaterThan(0);
      for (const { box } of candidates) {
        for (const [x1, y1, x2, y2] of keep) {
          expect(box[0] <= x1 && box[1] <= y1 && box[2] >= x2 && box[3] >= y2).toBe(true);
        }
      }
    }
  });

  test('no candidate is smaller than the least area', () => {
    for (const { box } of crop(photo, { minSize: 0.7 }).candidates) expect(boxArea(box)).toBeGreaterThanOrEqual(42_000);
  });

  test('rules that exclude each other end in ASPECT_IMPOSSIBLE', () => {
    const keep: Box[] = [[0, 0, 300, 20]];
    for (const engine of [rules, full, centre]) {
      expect(() => engine(photo, { count: 3, aspect: { width: 1, height: 2 }, keep })).toThrow(
        expect.objectContaining({ code: 'ASPECT_IMPOSSIBLE' }),
      );
    }
  });

  test('labels hold a probability for every grid box and they sum to 1', () => {
    const { distribution } = rulesLabels(photo);
    expect(distribution.boxes).toEqual(gridBoxes());
    expect(distribution.probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 6);
  });
});

test('features of a mirrored photo are the mirrored features', () => {
  const raster = ellipseScene(SIZE, [190, 60, 270, 150]);
  const plain = new Float32Array(FEATURE_NAMES.length);
  const other = new Float32Array(FEATURE_NAMES.length);
  boxFeatures(scoringContext(analyseRaster(raster)), [1 / 12, 2 / 12, 10 / 12, 1], plain, 0);
  boxFeatures(scoringContext(analyseRaster(mirrored(raster))), [2 / 12, 2 / 12, 11 / 12, 1], other, 0);
  const differing = FEATURE_NAMES.filter((_, i) => {
    const value = plain[MIRROR.index[i]!]!;
    return Math.abs((MIRROR.complement[i] ? 1 - value : value) - other[i]!) > 0.02 * Math.max(1, Math.abs(other[i]!));
  });
  expect(differing).toEqual([]);
});

describe('full and centre', () => {
  const blank = scene(SIZE, () => [0, 0, 0]);

  test('full keeps the whole photo, or as much of it as the aspect leaves', () => {
    expect(full(blank, { count: 5 }).candidates.map(({ box }) => box)).toEqual([[0, 0, 300, 200]]);
    expect(full(blank, { count: 5, aspect: { width: 1, height: 1 } }).candidates[0]!.box).toEqual([50, 0, 250, 200]);
  });

  test('centre keeps 0.90 of each side', () => {
    expect(centre(blank, { count: 5 }).candidates[0]!.box).toEqual([15, 10, 285, 190]);
    expect(centre(blank, { count: 5, aspect: { width: 1, height: 1 } }).candidates[0]!.box).toEqual([60, 10, 240, 190]);
  });

  test('both move and centre grows for a keep box', () => {
    expect(full(blank, { count: 1, aspect: { width: 1, height: 1 }, keep: [[0, 0, 10, 10]] }).candidates[0]!.box).toEqual([0, 0, 200, 200]);
    expect(centre(blank, { count: 1, keep: [[0, 0, 290, 200]] }).candidates[0]!.box[0]).toBe(0);
  });
});
