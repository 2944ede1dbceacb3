import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import {
  HANDLES,
  heightOf,
  largest,
  LEAST_SIDE,
  moved,
  resized,
  scaled,
  shaped,
  widthOf,
  type Box,
} from '../../web/studio/src/photo/rect.js';
import { guidePath } from '../../web/studio/src/photo/guides.js';

const PHOTO = { width: 1000, height: 700 };

describe('a crop in the hand', () => {
  test('stays whole and inside its photo however far it is moved', () => {
    const box: Box = [100, 100, 300, 350];
    expect(moved(box, 10, -20, PHOTO)).toEqual([110, 80, 310, 330]);
    expect(moved(box, 5000, 5000, PHOTO)).toEqual([800, 450, 1000, 700]);
    expect(moved(box, -5000, 0.4, PHOTO)).toEqual([0, 100, 200, 350]);
  });

  test('without a ratio each handle moves its own edges', () => {
    const box: Box = [100, 100, 300, 350];
    expect(resized(box, { x: -1, y: -1 }, -10, -20, PHOTO)).toEqual([90, 80, 300, 350]);
    expect(resized(box, { x: 1, y: 0 }, 55, 99, PHOTO)).toEqual([100, 100, 355, 350]);
    expect(resized(box, { x: 0, y: 1 }, 55, -9999, PHOTO)).toEqual([100, 100, 300, 100 + LEAST_SIDE]);
  });

  test('with a ratio the opposite corner stays, or of an edge its middle', () => {
    const box: Box = [100, 100, 300, 350];
    expect(resized(box, { x: 1, y: 1 }, 80, 0, PHOTO, 0.8)).toEqual([100, 100, 380, 450]);
    expect(resized(box, { x: -1, y: -1 }, 40, 0, PHOTO, 0.8)).toEqual([100, 100, 300, 350]);
    expect(resized(box, { x: 1, y: 0 }, 80, 0, PHOTO, 0.8)).toEqual([100, 50, 380, 400]);
    expect(resized(box, { x: 1, y: 1 }, 9999, 9999, PHOTO, 0.8)).toEqual([100, 100, 580, 700]);
  });

  test('keeps to its photo and ratio through any dragging', () => {
    const random = seededRandom(7);
    const between = (least: number, most: number): number => least + random() * (most - least);
    for (let round = 0; round < 500; round++) {
      const photo = { width: Math.round(between(20, 6000)), height: Math.round(between(20, 6000)) };
      const ratio = random() < 0.5 ? undefined : between(0.4, 2.5);
      let box = largest(ratio, photo);
      for (let step = 0; step < 20; step++) {
        const [dx, dy] = [between(-photo.width, photo.width), between(-photo.height, photo.height)];
        const handle = HANDLES[Math.floor(random() * HANDLES.length)]!;
        box = [
          () => moved(box, dx, dy, photo),
          () => resized(box, handle, dx, dy, photo, ratio),
          () => scaled(box, dx, photo, ratio),
          () => shaped(box, ratio, photo),
        ][Math.floor(random() * 4)]!();
        const [x1, y1, x2, y2] = box;
        expect(box.every(Number.isInteger)).toBe(true);
        expect(x1 >= 0 && y1 >= 0 && x2 <= photo.width && y2 <= photo.height && x1 < x2 && y1 < y2).toBe(true);
        // A side is off by half a pixel at most, the other by what that comes to.
        if (ratio !== undefined) {
          expect(Math.abs(widthOf(box) - ratio * heightOf(box))).toBeLessThanOrEqual(Math.max(1, ratio) + 1);
        }
      }
    }
  });

  test('its guides are those of the crop', () => {
    expect(guidePath('thirds', [300, 0, 600, 90])).toMatch(/^M400 0V90M300 30H600M500 0V90M300 60(\.0+1)?H600$/);
    expect(guidePath('golden', [0, 0, 1000, 1000])).toMatch(/^M381\.96\d* 0V1000M0 381\.96\d*H1000M618\.03/);
    expect(guidePath('diagonals', [0, 0, 4, 2])).toBe('M0 0L4 2M4 0L0 2');
    expect(guidePath('none', [0, 0, 4, 2])).toBe('');
  });
});
