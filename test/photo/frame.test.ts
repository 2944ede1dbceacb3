import { describe, expect, test } from 'vitest';
import { chooseFrame, frameMap } from '../../src/photo/frame.js';
import type { Box, Size } from '../../src/base/geometry.js';
import { randomInts } from './random.js';

/** Of a Qwen2.5-VL. */
const CELL_PX = 28;
const BUDGET = { minPixels: 4 * 784, maxPixels: 1280 * 784, cellPx: CELL_PX };

/** `smart_resize` as published with Qwen2.5-VL (qwen_vl_utils/vision_process.py). */
function smartResize({ width, height }: Size, { minPixels, maxPixels }: typeof BUDGET): Size {
  let h = Math.max(CELL_PX, Math.round(height / CELL_PX) * CELL_PX);
  let w = Math.max(CELL_PX, Math.round(width / CELL_PX) * CELL_PX);
  if (h * w > maxPixels) {
    const beta = Math.sqrt((height * width) / maxPixels);
    h = Math.max(CELL_PX, Math.floor(height / beta / CELL_PX) * CELL_PX);
    w = Math.max(CELL_PX, Math.floor(width / beta / CELL_PX) * CELL_PX);
  } else if (h * w < minPixels) {
    const beta = Math.sqrt(minPixels / (height * width));
    h = Math.ceil((height * beta) / CELL_PX) * CELL_PX;
    w = Math.ceil((width * beta) / CELL_PX) * CELL_PX;
  }
  return { width: w, height: h };
}

const distortion = (photo: Size, frame: Size): number =>
  Math.abs(Math.log(frame.width / frame.height / (photo.width / photo.height)));

describe('chooseFrame', () => {
  test('gives multiples of 28 within the budget for 2,000 odd sizes and five budgets', () => {
    const next = randomInts(1);
    for (const [minCells, maxCells] of [
      [4, 1280],
      [64, 64],
      [16, 48],
      [256, 1280],
      [1, 7],
    ] as const) {
      for (let i = 0; i < 400; i++) {
        const photo = { width: 1 + next(6000), height: 1 + next(6000) };
        const frame = chooseFrame(photo, { minPixels: minCells * 784, maxPixels: maxCells * 784, cellPx: CELL_PX });
        expect([frame.width % CELL_PX, frame.height % CELL_PX]).toEqual([0, 0]);
        const cells = (frame.width * frame.height) / 784;
        expect(cells).toBeGreaterThanOrEqual(minCells);
        expect(cells).toBeLessThanOrEqual(maxCells);
      }
    }
  });

  test('distorts photos half as much as smart_resize does, on average and at worst', () => {
    const next = randomInts(2);
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let i = 0; i < 1000; i++) {
      const long = 800 + next(5000);
      const photo = { width: long, height: Math.round(long / (1 + next(1000) / 1000)) };
      ours.push(distortion(photo, chooseFrame(photo, BUDGET)));
      theirs.push(distortion(photo, smartResize(photo, BUDGET)));
    }
    const mean = (values: number[]): number => values.reduce((a, b) => a + b) / values.length;
    expect(mean(ours)).toBeLessThan(mean(theirs) / 2);
    expect(Math.max(...ours)).toBeLessThan(Math.max(...theirs) / 2);
  });

  test('keeps the aspect of common cameras exactly', () => {
    expect(chooseFrame({ width: 4000, height: 3000 }, BUDGET)).toEqual({ width: 1120, height: 840 });
    expect(chooseFrame({ width: 3000, height: 4500 }, BUDGET)).toEqual({ width: 784, height: 1176 });
    expect(
      chooseFrame({ width: 4032, height: 3024 }, { minPixels: 784, maxPixels: 64 * 784, cellPx: CELL_PX }),
    ).toEqual({
      width: 224,
      height: 168,
    });
  });

  test('gives a portrait photo the transposed frame of the landscape one', () => {
    const next = randomInts(3);
    for (let i = 0; i < 200; i++) {
      const photo = { width: 1 + next(3000), height: 1 + next(3000) };
      const { width, height } = chooseFrame({ width: photo.height, height: photo.width }, BUDGET);
      if (photo.width !== photo.height) expect(chooseFrame(photo, BUDGET)).toEqual({ width: height, height: width });
    }
  });

  test('keeps a photo that fits the budget near its own size', () => {
    expect(chooseFrame({ width: 640, height: 427 }, BUDGET)).toEqual({ width: 672, height: 448 });
    expect(chooseFrame({ width: 280, height: 280 }, BUDGET)).toEqual({ width: 280, height: 280 });
  });

  test('squeezes extreme aspects to 200:1 or to what the budget has room for', () => {
    expect(chooseFrame({ width: 1, height: 5000 }, BUDGET)).toEqual({ width: 28, height: 5600 });
    expect(chooseFrame({ width: 100_000, height: 10 }, BUDGET)).toEqual({ width: 200 * 56, height: 56 });
    expect(chooseFrame({ width: 5000, height: 1 }, { minPixels: 784, maxPixels: 64 * 784, cellPx: CELL_PX })).toEqual({
      width: 64 * 28,
      height: 28,
    });
    expect(chooseFrame({ width: 1, height: 1 }, BUDGET)).toEqual({ width: 56, height: 56 });
  });

  test('refuses a budget that holds no grid', () => {
    expect(() => chooseFrame({ width: 9, height: 9 }, { minPixels: 100, maxPixels: 783, cellPx: CELL_PX })).toThrow(
      /pixel budget/,
    );
    expect(() => chooseFrame({ width: 9, height: 9 }, { minPixels: 2000, maxPixels: 1000, cellPx: CELL_PX })).toThrow(
      /pixel budget/,
    );
  });
});

describe('frameMap', () => {
  const next = randomInts(4);
  const cases = Array.from({ length: 300 }, (_, i) => {
    const photo =
      i % 5 === 0 ? { width: 1 + next(40), height: 1 + next(40) } : { width: 1 + next(5000), height: 1 + next(5000) };
    return frameMap(photo, chooseFrame(photo, BUDGET));
  });
  const boxIn = ({ width, height }: Size): Box => {
    const x1 = next(width);
    const y1 = next(height);
    return [x1, y1, x1 + 1 + next(width - x1), y1 + 1 + next(height - y1)];
  };
  const expectInside = ([x1, y1, x2, y2]: Box, size: Size): void => {
    expect(x1 >= 0 && y1 >= 0 && x1 < x2 && y1 < y2 && x2 <= size.width && y2 <= size.height).toBe(true);
    expect([x1, y1, x2, y2].every(Number.isInteger)).toBe(true);
  };

  test('takes the whole of one space to the whole of the other', () => {
    for (const { photo, frame, toPhoto, toFrame } of cases) {
      expect(toPhoto.box([0, 0, frame.width, frame.height])).toEqual([0, 0, photo.width, photo.height]);
      expect(toFrame.box([0, 0, photo.width, photo.height], 'outward')).toEqual([0, 0, frame.width, frame.height]);
      expect(toPhoto.point([frame.width, frame.height])).toEqual([photo.width, photo.height]);
    }
  });

  test('never gives an empty box or one outside, whichever way it rounds', () => {
    for (const { photo, frame, toPhoto, toFrame } of cases) {
      for (const rounding of ['nearest', 'outward', 'inward'] as const) {
        expectInside(toPhoto.box(boxIn(frame), rounding), photo);
        expectInside(toFrame.box(boxIn(photo), rounding), frame);
      }
    }
  });

  test('a box outside the space it is said in is brought inside', () => {
    const map = frameMap({ width: 1000, height: 500 }, { width: 280, height: 140 });
    expect(map.toPhoto.box([-50, -20, 500, 160])).toEqual([0, 0, 1000, 500]);
    expectInside(map.toPhoto.box([300, 150, 320, 160]), map.photo);
    expectInside(map.toPhoto.box([-30, -20, -10, -10]), map.photo);
  });

  test('frame boxes survive the way to a larger photo and back', () => {
    for (const { photo, frame, toPhoto, toFrame } of cases) {
      if (photo.width < frame.width || photo.height < frame.height) continue;
      const box = boxIn(frame);
      expect(toFrame.box(toPhoto.box(box))).toEqual(box);
    }
  });

  test('outward holds the box and inward is held by it, in exact arithmetic', () => {
    for (const { photo, frame, toFrame } of cases) {
      const box = boxIn(photo);
      const outer = toFrame.box(box, 'outward');
      const inner = toFrame.box(box, 'inward');
      for (const [axis, from, to] of [
        [0, photo.width, frame.width],
        [1, photo.height, frame.height],
      ] as const) {
        expect(outer[axis] * from).toBeLessThanOrEqual(box[axis] * to);
        expect(outer[axis + 2]! * from).toBeGreaterThanOrEqual(box[axis + 2]! * to);
        if (inner[axis + 2]! - inner[axis] > 1) {
          expect(inner[axis] * from).toBeGreaterThanOrEqual(box[axis] * to);
          expect(inner[axis + 2]! * from).toBeLessThanOrEqual(box[axis + 2]! * to);
        }
      }
    }
  });

  test('carries each of the ten elements', () => {
    const { toPhoto } = frameMap({ width: 2000, height: 1500 }, { width: 224, height: 168 });
    expect(toPhoto.element({ type: 'rule_of_thirds', box: [28, 28, 112, 140] })).toEqual({
      type: 'rule_of_thirds',
      box: [250, 250, 1000, 1250],
    });
    expect(toPhoto.element({ type: 'horizontal', line: [0, 56, 224, 84] })).toEqual({
      type: 'horizontal',
      line: [0, 500, 2000, 750],
    });
    expect(
      toPhoto.element({
        type: 'curved',
        points: [
          [0, 0],
          [112, 84],
          [224, 168],
        ],
      }),
    ).toEqual({
      type: 'curved',
      points: [
        [0, 0],
        [1000, 750],
        [2000, 1500],
      ],
    });
    expect(
      toPhoto.element({
        type: 'triangle',
        points: [
          [0, 168],
          [112, 0],
          [224, 168],
        ],
      }),
    ).toEqual({
      type: 'triangle',
      points: [
        [0, 1500],
        [1000, 0],
        [2000, 1500],
      ],
    });
    expect(
      toPhoto.element({
        type: 'vanishing_point',
        lines: [
          [0, 168, 112, 84],
          [224, 168, 112, 84],
        ],
      }),
    ).toEqual({
      type: 'vanishing_point',
      lines: [
        [0, 1500, 1000, 750],
        [2000, 1500, 1000, 750],
      ],
    });
  });
});
