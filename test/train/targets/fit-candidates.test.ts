import { expect, test } from 'vitest';
import type { Box } from '../../../src/base/geometry.js';
import { fitCandidate } from '../../../src/train/targets/fit-candidates.js';

const frame = { width: 280, height: 196 };
const limits = { frame, minSize: 0.25 };

test.each([
  ['stays where it can be said', [20, 30, 200, 180], [20, 30, 200, 180]],
  ['a sliver of less than half of what is trimmed is not trimmed', [2, 1, 279, 195], [0, 0, 280, 196]],
  ['a larger one is trimmed by the least there is', [4, 3, 276, 193], [6, 4, 274, 192]],
] as const)('a crop %s', (_, box: Box, fitted) => {
  expect(fitCandidate(box, limits)).toEqual(fitted);
});

test('a crop that is too small, or outside, is none', () => {
  expect(fitCandidate([10, 10, 110, 110], limits)).toBeUndefined();
  expect(fitCandidate([10, 10, 300, 150], limits)).toBeUndefined();
});

test('a crop of a fixed ratio has exactly the height the answer form asks for', () => {
  const square = { ...limits, aspect: { width: 1, height: 1.02 } };
  const [x1, y1, x2, y2] = fitCandidate([30, 20, 191, 180], square)!;
  expect(y2 - y1).toBe(Math.round((x2 - x1) * 1.02));
});
