import { expect, test } from 'vitest';
import { normalised } from '../../web/studio/src/targets.js';
import { guidePath } from '../../web/studio/src/photo/guides.js';
import { normalisedKey } from '../../src/studio/state/target-key.js';

test.each(['free', '4:5', '8:10', '1.91:1', '2.35:1', '191:100', '1080x1350'])(
  'page and server call %s the same',
  (text) => {
    expect(normalised(text)).toBe(normalisedKey(text));
  },
);

test.each(['', 'wide', '0:1', '4:', 'x', '4:5:6', '-1:2'])('%j is no target', (text) => {
  expect(normalised(text)).toBeUndefined();
});

test('guides are those of the crop', () => {
  expect(guidePath('thirds', [300, 0, 600, 90])).toMatch(/^M400 0V90M300 30H600M500 0V90M300 60(\.0+1)?H600$/);
  expect(guidePath('golden', [0, 0, 1000, 1000])).toMatch(/^M381\.96\d* 0V1000M0 381\.96\d*H1000M618\.03/);
  expect(guidePath('diagonals', [0, 0, 4, 2])).toBe('M0 0L4 2M4 0L0 2');
  expect(guidePath('none', [0, 0, 4, 2])).toBe('');
});
