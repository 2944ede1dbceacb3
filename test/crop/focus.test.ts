import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import type { Box, Point } from '../../src/base/geometry.js';
import { focusBox, focusPoint, slideToFocus } from '../../src/crop/focus.js';

const PHOTO = { width: 600, height: 400 };

describe('the focus', () => {
  test('is a pixel, given as one or as shares', () => {
    expect(focusPoint([420, 310], PHOTO)).toEqual([420, 310]);
    expect(focusPoint({ x: 0.5, y: 0.25 }, PHOTO)).toEqual([300, 100]);
    expect(focusPoint({ x: 1, y: 1 }, PHOTO)).toEqual([599, 399]);
  });

  test.each([[[601, 0]], [[0, -1]], [{ x: 1.01, y: 0 }]] as const)('%j is outside the photo', (focus) => {
    expect(() => focusPoint(focus, { ...PHOTO, name: 'a.jpg' })).toThrow(/lies outside a\.jpg \(600x400 px\)/);
  });

  test('has some room around it, at the edge less', () => {
    expect(focusBox([300, 100], PHOTO)).toEqual([280, 80, 321, 121]);
    expect(focusBox([0, 399], PHOTO)).toEqual([0, 379, 21, 400]);
  });
});

describe('a crop slid to the focus', () => {
  test('stays where it is if it has the focus in its middle third', () => {
    const crop = { x: 100, y: 100, width: 300, height: 240 };
    for (const focus of [
      [250, 220],
      [200, 180],
      [299, 259],
    ] as const) {
      expect(slideToFocus(crop, focus, [], PHOTO)).toEqual(crop);
    }
  });

  test('moves no further than to have it there', () => {
    const crop = { x: 0, y: 0, width: 300, height: 300 };
    expect(slideToFocus(crop, [350, 50], [], PHOTO)).toEqual({ x: 151, y: 0, width: 300, height: 300 });
  });

  test('in every case keeps its size, the photo, the boxes to keep, and comes as near as they allow', () => {
    const random = seededRandom(7);
    const whole = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1));
    for (let i = 0; i < 2000; i++) {
      const width = whole(1, PHOTO.width);
      const height = whole(1, PHOTO.height);
      const crop = { x: whole(0, PHOTO.width - width), y: whole(0, PHOTO.height - height), width, height };
      const keep: Box = [crop.x + whole(0, width - 1), crop.y + whole(0, height - 1), crop.x + width, crop.y + height];
      const focus: Point = [whole(0, 599), whole(0, 399)];
      const slid = slideToFocus(crop, focus, [keep], PHOTO);
      const [x, y] = [slid.x, slid.y];
      expect([slid.width, slid.height]).toEqual([width, height]);
      expect(x >= 0 && y >= 0 && x + width <= PHOTO.width && y + height <= PHOTO.height).toBe(true);
      expect(x <= keep[0] && y <= keep[1] && x + width >= keep[2] && y + height >= keep[3]).toBe(true);
      /** How far the focus is from the middle third. */
      const off = (start: number, length: number, at: number): number => {
        const shareOfCrop = (at + 0.5 - start) / length;
        return Math.max(0, 1 / 3 - shareOfCrop, shareOfCrop - 2 / 3);
      };
      const tries = (from: number, to: number, length: number, at: number): number =>
        Math.min(...Array.from({ length: to - from + 1 }, (_, k) => off(from + k, length, at)));
      const [firstX, lastX] = [Math.max(0, keep[2] - width), Math.min(PHOTO.width - width, keep[0])];
      const [firstY, lastY] = [Math.max(0, keep[3] - height), Math.min(PHOTO.height - height, keep[1])];
      // Whole pixels: a crop of a few of them may have no middle third to speak of.
      expect(off(x, width, focus[0])).toBeLessThanOrEqual(tries(firstX, lastX, width, focus[0]) + 1 / width);
      expect(off(y, height, focus[1])).toBeLessThanOrEqual(tries(firstY, lastY, height, focus[1]) + 1 / height);
    }
  });
});
