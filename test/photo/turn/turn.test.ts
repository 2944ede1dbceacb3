import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import type { Point } from '../../../src/base/geometry.js';
import { encodeCrop } from '../../../src/photo/crop-file.js';
import { decodePhoto } from '../../../src/photo/decode.js';
import { renderRegion } from '../../../src/photo/render.js';
import { turnPhoto } from '../../../src/photo/turn/turn-photo.js';
import { boxAroundTurned, pointBeforeTurn, straightPoint, turnOf } from '../../../src/photo/turn/turn.js';
import { imageMagick, testWith } from '../../support/system-tools.js';

const DOTS: readonly Point[] = [
  [130, 110],
  [200, 150],
  [230, 150],
  [170, 170],
];

function drawn(width: number, height: number, background = '#000'): Buffer {
  const dots = DOTS.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="5" fill="#fff"/>`).join('');
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="${background}"/>${dots}</svg>`,
  );
}

const wholeOf = ({ width, height }: { width: number; height: number }): Parameters<typeof renderRegion>[1] => ({
  ...{ x: 0, y: 0, width, height },
});

/** Where the light around a place is, by its weight. */
function lightAround([x, y]: Point, rgb: Uint8Array, width: number): Point {
  let [sum, sumX, sumY] = [0, 0, 0];
  for (let j = Math.floor(y) - 9; j <= y + 9; j++) {
    for (let i = Math.floor(x) - 9; i <= x + 9; i++) {
      const value = rgb[3 * (j * width + i)]!;
      sum += value;
      sumX += value * (i + 0.5);
      sumY += value * (j + 0.5);
    }
  }
  return [sumX / sum, sumY / sum];
}

describe('a turned photo', () => {
  test.each([
    [400, 301],
    [401, 300],
    [400, 300],
    [353, 277],
  ])('of %i x %i has its pixels where the geometry says, to a twentieth of one', async (width, height) => {
    const photo = await decodePhoto(await sharp(drawn(width, height)).png().toBuffer());
    for (const angleDeg of [0.4, 3.7, -7.2, 20]) {
      const turned = await turnPhoto(photo, angleDeg);
      const rgb = await renderRegion(turned, wholeOf(turned));
      for (const dot of DOTS) {
        const expected = straightPoint(dot, turned.turn!);
        const [x, y] = lightAround(expected, rgb, turned.width);
        expect(Math.hypot(x - expected[0], y - expected[1])).toBeLessThan(0.05);
      }
    }
  });

  test('shows nothing but photo, at every angle: of a white photo all is white', async () => {
    const photo = await decodePhoto(
      await sharp({ create: { width: 211, height: 97, channels: 3, background: '#fff' } })
        .png()
        .toBuffer(),
    );
    for (const angleDeg of [-45, -30, -10, -1.3, 0.3, 2, 7.77, 45]) {
      const turned = await turnPhoto(photo, angleDeg);
      const rgb = await renderRegion(turned, wholeOf(turned));
      expect(
        rgb.every((value) => value === 255),
        `${angleDeg} degrees`,
      ).toBe(true);
      expect(turned.width / turned.height).toBeCloseTo(211 / 97, 0);
    }
  });

  test('is the photo itself at 0 degrees', async () => {
    const photo = await decodePhoto(await sharp(drawn(400, 300)).png().toBuffer());
    expect(await turnPhoto(photo, 0)).toBe(photo);
  });

  testWith(['ImageMagick'], 'is what ImageMagick makes of it, turned about the same middle', async () => {
    const png = await sharp(drawn(400, 300, '#456'))
      .blur(2)
      .png()
      .toBuffer();
    // ImageMagick's view begins at whole pixels, so the straight photo must be in the middle of them.
    const angleDeg = [6, 6.3, 6.6, 7, 7.5].find((degrees) => {
      const { straight } = turnOf({ width: 400, height: 300 }, degrees);
      return straight.width % 2 === 0 && straight.height % 2 === 0;
    })!;
    const turned = await turnPhoto(await decodePhoto(png), angleDeg);
    const { width, height } = turned;
    const view = `${width}x${height}+${(400 - width) / 2}+${(300 - height) / 2}`;
    const theirs = imageMagick(
      // prettier-ignore
      ['-', '-define', `distort:viewport=${view}`, '-filter', 'Catrom', '-distort', 'SRT', `200,150 1 ${angleDeg}`, '+repage', '-depth', '8', 'rgb:-'],
      png,
    );
    const ours = await renderRegion(turned, wholeOf(turned));
    const mean = ours.reduce((sum, value, i) => sum + Math.abs(value - theirs[i]!), 0) / ours.length;
    expect(theirs.length).toBe(ours.length);
    expect(mean).toBeLessThan(1);
  });

  test('keeps its depth, its transparency and its profile', async () => {
    const deep = await sharp(drawn(400, 300)).toColourspace('rgb16').withIccProfile('p3').png().toBuffer();
    const photo = await turnPhoto(await decodePhoto(deep), 3);
    const { bytes } = await encodeCrop(photo, { crop: { x: 5, y: 5, width: 100, height: 80 }, format: 'png' });
    const found = await sharp(bytes).metadata();
    expect(found).toMatchObject({ depth: 'ushort', width: 100, height: 80, hasProfile: true });
    const before = await sharp(deep).metadata();
    expect(found.icc!.equals(before.icc!)).toBe(true);

    const clear = await sharp({
      create: { width: 90, height: 60, channels: 4, background: { r: 9, g: 99, b: 9, alpha: 0.5 } },
    })
      .png()
      .toBuffer();
    const thin = await turnPhoto(await decodePhoto(clear), -5);
    const { bytes: cut } = await encodeCrop(thin, { crop: { x: 0, y: 0, width: 20, height: 20 } });
    const pixels = await sharp(cut).raw().toBuffer();
    expect([...pixels.subarray(0, 4)]).toEqual([9, 99, 9, 128]);
  });

  test('of CMYK becomes sRGB, as its crops do', async () => {
    const cmyk = await sharp(drawn(400, 300)).toColourspace('cmyk').jpeg().toBuffer();
    const photo = await turnPhoto(await decodePhoto(cmyk), 2);
    const { bytes } = await encodeCrop(photo, { crop: { x: 0, y: 0, width: 50, height: 50 } });
    expect(await sharp(bytes).metadata()).toMatchObject({ space: 'srgb', format: 'jpeg' });
  });
});

test('positions go there and back, and a box is held by the one around it', () => {
  const turn = turnOf({ width: 500, height: 300 }, -8);
  const [x, y] = pointBeforeTurn(straightPoint([123, 45], turn), turn);
  expect([x, y].map((value) => Math.round(value * 1e6) / 1e6)).toEqual([123, 45]);
  const [x1, y1, x2, y2] = boxAroundTurned([200, 100, 300, 180], turn);
  for (const corner of [
    [200, 100],
    [300, 180],
  ] as const) {
    const [cx, cy] = straightPoint(corner, turn);
    expect(cx >= x1 && cx <= x2 && cy >= y1 && cy <= y2).toBe(true);
  }
});
