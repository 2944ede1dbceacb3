import { expect, test } from 'vitest';
import { positionRamps } from '../../src/photo/ramps.js';

const frame = { width: 56, height: 28 };
const grey = new Uint8Array(3 * frame.width * frame.height).fill(77);
const at = (rgb: Uint8Array, x: number, y: number): number[] => [
  ...rgb.subarray(3 * (y * 56 + x), 3 * (y * 56 + x) + 3),
];

test('column 0 of every patch holds x and column 13 holds y, in all channels and rows', () => {
  const ramped = positionRamps(grey, frame, 14);
  for (let y = 0; y < frame.height; y++) {
    // patch centres are 7, 21, 35, 49 of 56 and 7, 21 of 28
    const valueY = y < 14 ? 64 : 191;
    for (const [patch, valueX] of [32, 96, 159, 223].entries()) {
      expect(at(ramped, 14 * patch, y)).toEqual([valueX, valueX, valueX]);
      expect(at(ramped, 14 * patch + 13, y)).toEqual([valueY, valueY, valueY]);
    }
  }
});

test('all other pixels, and the frame given, stay as they were', () => {
  const ramped = positionRamps(grey, frame, 14);
  for (let y = 0; y < frame.height; y++) {
    for (let x = 0; x < frame.width; x++) {
      if (x % 14 !== 0 && x % 14 !== 13) expect(at(ramped, x, y)).toEqual([77, 77, 77]);
    }
  }
  expect(grey.every((value) => value === 77)).toBe(true);
});

test('a buffer of another size than the frame is refused', () => {
  expect(() => positionRamps(grey.subarray(3), frame, 14)).toThrow(RangeError);
  expect(() => positionRamps(new Uint8Array(30 * 28 * 3), { width: 30, height: 28 }, 14)).toThrow(RangeError);
});
