import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import type { Raster } from '../../../src/engines/types.js';
import { findText } from '../../../src/engines/text/text.js';
import { drawScene, renderScene, UPRIGHT_SCENES, VAGUE_SCENES } from '../../support/drawn-scenes.js';
import { boxOfLine, drawnSign, rasterOf, withLines } from '../../support/drawn-text.js';
import { examplePhoto } from '../../support/photos.js';

const PHOTOS = ['dogs', 'pagoda', 'dandelion', 'mountains', 'dust-bowl-home'] as const;

async function photo(i: number): Promise<Buffer> {
  return sharp(examplePhoto(PHOTOS[i % PHOTOS.length]!))
    .resize(900, 600, { fit: 'cover' })
    .toBuffer();
}

test('of 60 signs drawn on photos at least 55 are found, with boxes that are those of their lines', async () => {
  let nFound = 0;
  for (let seed = 0; seed < 60; seed++) {
    const sign = drawnSign(seed);
    const lines = findText(await rasterOf(await withLines(await photo(seed), [sign])));
    const [x1, y1, x2, y2] = boxOfLine(sign);
    const found = lines.find(({ box }) => box[0] < x2 && box[2] > x1 && box[1] < y2 && box[3] > y1);
    if (!found) continue;
    nFound++;
    expect(Math.abs(found.angleDeg - (sign.turnedDeg ?? 0))).toBeLessThan(2);
  }
  expect(nFound).toBeGreaterThanOrEqual(55);
}, 300_000);

describe('nothing is found', () => {
  test.each(PHOTOS)(
    'in %s, in which nothing is written',
    async (name) => {
      expect(findText(await rasterOf(examplePhoto(name)))).toEqual([]);
    },
    60_000,
  );

  test('in 40 drawn scenes of fences, windows, roofs and leaves', async () => {
    const kinds = [...UPRIGHT_SCENES, ...VAGUE_SCENES];
    for (let i = 0; i < 40; i++) {
      const kind = kinds[i % kinds.length]!;
      expect(findText(await renderScene(drawScene(kind, i), 0, i)), kind).toEqual([]);
    }
  }, 300_000);

  test.each([
    ['a blank', () => 128],
    ['noise', (x: number, y: number) => (x * 7919 + y * 104729 + x * y * 31) % 256],
    ['a fence', (x: number) => (x % 16 < 6 ? 30 : 220)],
    [
      'a row of windows',
      (x: number, y: number) => (y % 60 > 20 && y % 60 < 45 && x % 30 > 8 && x % 30 < 22 ? 40 : 200),
    ],
    ['a chessboard', (x: number, y: number) => (((x >> 4) + (y >> 4)) % 2) * 200],
  ] as const)('in %s', (_, grey) => {
    const size = { width: 320, height: 240 };
    const data = new Uint8Array(3 * size.width * size.height);
    for (let i = 0; i < size.width * size.height; i++) {
      data.fill(grey(i % size.width, Math.floor(i / size.width)), 3 * i, 3 * i + 3);
    }
    expect(findText({ data, size })).toEqual([]);
  });

  test.each([
    [1, 1],
    [3, 500],
    [500, 47],
  ])('in %i x %i pixels, which is no error', (width, height) => {
    const raster: Raster = { data: new Uint8Array(3 * width * height).fill(90), size: { width, height } };
    expect(findText(raster)).toEqual([]);
  });
});
