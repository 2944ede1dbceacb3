import { expect, test } from 'vitest';
import { thrownBy } from '../photo/thrown.js';
import { parseAspect } from '../../src/crop/aspect.js';

test('reads ratios, pixel sizes and decimals, without their common factor', () => {
  const read: [string, number, number][] = [
    ['4:5', 4, 5],
    ['32/18', 16, 9],
    ['1080x1350', 4, 5],
    [' 3 : 2 ', 3, 2],
    ['1.91:1', 191, 100],
    ['1.5', 3, 2],
    ['1', 1, 1],
    ['2.39:1.1', 239, 110],
  ];
  for (const [text, width, height] of read) expect(parseAspect(text)).toEqual({ width, height });
});

test('refuses what is no ratio', () => {
  for (const text of ['', '0:1', '1:0', '4:', ':5', '4:5:6', '-4:5', 'wide', '1e3:1', 'NaN']) {
    expect(thrownBy(() => parseAspect(text)).code, text).toBe('USAGE');
  }
});
