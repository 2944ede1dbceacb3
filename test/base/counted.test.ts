import { expect, test } from 'vitest';
import { counted, countedAre } from '../../src/base/counted.js';

test.each([
  [0, '0 photos', '0 photos are'],
  [1, '1 photo', '1 photo is'],
  [2, '2 photos', '2 photos are'],
])('%d of a thing agrees with its words', (n, alone, withVerb) => {
  expect(counted(n, 'photo')).toBe(alone);
  expect(countedAre(n, 'photo')).toBe(withVerb);
});

test('a plural that is not by an s is the one given', () => {
  expect(counted(1, 'keep box', 'keep boxes')).toBe('1 keep box');
  expect(countedAre(2, 'keep box', 'keep boxes')).toBe('2 keep boxes are');
});
