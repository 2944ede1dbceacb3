import { describe, expect, test } from 'vitest';
import {
  aspectOf,
  grown,
  largest,
  moved,
  resized,
  thirdsOf,
  type Box,
  type Handle,
  type Limits,
} from '../../report/crop-box.js';
import { seededRandom } from '../../src/base/random.js';

const photo = { width: 400, height: 300 };
const HANDLES: readonly Handle[] = ['n', 'e', 's', 'w', 'ne', 'se', 'sw', 'nw'];

test('the ratio of a target is that of its size or aspect, in least terms', () => {
  expect(aspectOf({ aspect: '4:5' })).toEqual({ width: 4, height: 5 });
  expect(aspectOf({ size: '1080x1350' })).toEqual({ width: 4, height: 5 });
  expect(aspectOf({})).toBeUndefined();
});

test('a crop moves to the pixel, and no farther than the photo', () => {
  const box: Box = [10, 20, 110, 120];
  expect(moved(box, 1, 0, { photo })).toEqual([11, 20, 111, 120]);
  expect(moved(box, -10.4, 0.6, { photo })).toEqual([0, 21, 100, 121]);
  expect(moved(box, 1000, -1000, { photo })).toEqual([300, 0, 400, 100]);
});

describe('without a ratio', () => {
  test.each<[Handle, Box]>([
    ['e', [100, 100, 227, 200]],
    ['w', [127, 100, 200, 200]],
    ['s', [100, 100, 200, 213]],
    ['n', [100, 113, 200, 200]],
    ['se', [100, 100, 227, 213]],
    ['nw', [127, 113, 200, 200]],
  ])('the %s handle moves its own edges', (handle, expected) => {
    expect(resized([100, 100, 200, 200], handle, 27, 13, { photo })).toEqual(expected);
  });

  test('an edge stops at the photo, and before the opposite edge', () => {
    expect(resized([100, 100, 200, 200], 'e', 9999, 0, { photo })).toEqual([100, 100, 400, 200]);
    expect(resized([100, 100, 200, 200], 'nw', 9999, 9999, { photo })).toEqual([184, 184, 200, 200]);
  });
});

describe('of a fixed ratio', () => {
  const square: Limits = { photo, aspect: { width: 1, height: 1 } };
  const wide: Limits = { photo, aspect: { width: 16, height: 9 } };

  test('a corner keeps the opposite one', () => {
    expect(resized([100, 100, 200, 200], 'se', 40, 40, square)).toEqual([100, 100, 240, 240]);
    expect(resized([100, 100, 200, 200], 'nw', -40, -40, square)).toEqual([60, 60, 200, 200]);
    // The nearest point of the diagonal.
    expect(resized([100, 100, 200, 200], 'se', 40, 0, square)).toEqual([100, 100, 220, 220]);
  });

  test('an edge keeps the opposite one and the middle, or slides along where the photo ends', () => {
    expect(resized([100, 100, 200, 200], 'e', 40, 0, square)).toEqual([100, 80, 240, 220]);
    expect(resized([100, 0, 200, 100], 'e', 40, 0, square)).toEqual([100, 0, 240, 140]);
    expect(resized([100, 100, 200, 200], 'n', 0, -50, square)).toEqual([75, 50, 225, 200]);
  });

  test('sizes are exact multiples of a plain ratio', () => {
    expect(resized([0, 0, 160, 90], 'e', 7, 0, wide)).toEqual([0, 0, 160, 90]);
    expect(resized([0, 0, 160, 90], 'se', 9, 5, wide)).toEqual([0, 0, 176, 99]);
  });

  test('a ratio without exact sizes is met to half a pixel', () => {
    const box = resized([0, 0, 191, 100], 'e', 13, 0, { photo, aspect: { width: 191, height: 100 } });
    expect([box[2] - box[0], box[3] - box[1]]).toEqual([204, Math.round((204 * 100) / 191)]);
  });

  test('the keys make the next size, and slide at the border', () => {
    expect(grown([0, 0, 160, 90], 1, 0, wide)).toEqual([0, 0, 176, 99]);
    expect(grown([0, 0, 160, 90], 0, -1, wide)).toEqual([0, 0, 144, 81]);
    expect(grown([300, 200, 400, 300], 10, 0, square)).toEqual([290, 190, 400, 300]);
    expect(grown([300, 200, 400, 300], 10, 0, { photo })).toEqual([290, 200, 400, 300]);
  });
});

test('whatever is pulled where, the crop stays whole, inside, no smaller than allowed and of its ratio', () => {
  const lots = seededRandom(11);
  const whole = (least: number, most: number): number => least + Math.floor(lots() * (most - least + 1));
  for (let i = 0; i < 20_000; i++) {
    const size = { width: whole(1, 500), height: whole(1, 500) };
    const aspect = lots() < 0.3 ? undefined : aspectOf({ aspect: `${whole(1, 20)}:${whole(1, 20)}` })!;
    const limits: Limits = { photo: size, ...(aspect && { aspect }) };
    const start = grown([0, 0, 1, 1], whole(0, 400), whole(0, 400), limits);
    const handle = HANDLES[whole(0, 7)]!;
    const [dx, dy] = [whole(-600, 600) / 2, whole(-600, 600) / 2];
    for (const box of [start, moved(start, dx, dy, limits), resized(start, handle, dx, dy, limits)]) {
      const [x1, y1, x2, y2] = box;
      const seen = JSON.stringify({ size, aspect, start, handle, dx, dy, box });
      expect(box.every(Number.isInteger), seen).toBe(true);
      expect(x1 >= 0 && y1 >= 0 && x2 <= size.width && y2 <= size.height && x1 < x2 && y1 < y2, seen).toBe(true);
      if (!aspect)
        expect(Math.min(x2 - x1, y2 - y1), seen).toBeGreaterThanOrEqual(Math.min(16, size.width, size.height));
      else if (aspect.width <= size.width && aspect.height <= size.height) {
        expect((x2 - x1) * aspect.height, seen).toBe((y2 - y1) * aspect.width);
      }
    }
  }
});

test('the largest crop is in the middle, and exact where its ratio is plain', () => {
  expect(largest({ photo })).toEqual([0, 0, 400, 300]);
  expect(largest({ photo, aspect: { width: 4, height: 5 } })).toEqual([80, 0, 320, 300]);
  expect(largest({ photo: { width: 401, height: 301 }, aspect: { width: 16, height: 9 } })).toEqual([1, 38, 401, 263]);
  const [x1, y1, x2, y2] = largest({ photo, aspect: { width: 191, height: 100 } });
  expect([x1, x2]).toEqual([0, 400]);
  expect(y2 - y1).toBe(209);
});

test('the guides are at the thirds', () => {
  expect(thirdsOf([10, 20, 40, 80])).toEqual([
    [20, 20, 20, 80],
    [10, 40, 40, 40],
    [30, 20, 30, 80],
    [10, 60, 40, 60],
  ]);
});
