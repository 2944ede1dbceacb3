import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromium, type Browser, type Page } from 'playwright-core';
import { encodeCrop } from '../../src/photo/crop-file.js';
import { decodePhoto } from '../../src/photo/decode.js';
import { withNclx } from '../../src/photo/formats/avif-colour.js';
import type { OutputFormat } from '../../src/photo/output-format.js';
import { renderFrame } from '../../src/photo/render.js';
import { CHROMIUM, describeWith, imageMagick } from '../support/system-tools.js';
import { displayP3ToSrgb } from './colour-reference.js';
import { fromRaster, plain } from './fixtures.js';
import { pngChunk, pngChunksOf, withPngChunks } from './png-parts.js';

const SIZE = { width: 64, height: 32 };
const CROP = { x: 0, y: 0, ...SIZE };
const FORMATS: readonly OutputFormat[] = ['png', 'jpeg', 'webp', 'avif', 'tiff'];

/** A ramp of 16 steps, of colours that every screen has. */
async function ramp(isGrey: boolean): Promise<Buffer> {
  const rgb = new Uint8Array(3 * SIZE.width * SIZE.height);
  for (let i = 0; i < rgb.length; i++) {
    const step = 17 * Math.floor((Math.floor(i / 3) % SIZE.width) / 4);
    rgb[i] = isGrey ? step : 90 + Math.floor((i % 3 === 0 ? step : 255 - step) / 4);
  }
  const image = fromRaster({ ...SIZE, rgb });
  return (isGrey ? image.toColourspace('b-w') : image).png().toBuffer();
}

function uint32s(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i);
  return bytes;
}

const gAMA = (gamma: number): Buffer => pngChunk('gAMA', uint32s(100_000 * gamma));
/** White, red, green, blue of Display P3. */
const cHRM = pngChunk('cHRM', uint32s(31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000));
const cICP = (primaries: number, transfer: number): Buffer =>
  pngChunk('cICP', Uint8Array.of(primaries, transfer, 0, 1));

async function middle(file: Uint8Array): Promise<number[]> {
  const rgb = await renderFrame(await decodePhoto(file), { width: 28, height: 28 });
  return [...rgb.subarray(3 * (14 * 28 + 14), 3 * (14 * 28 + 15))];
}

function expectNear(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  for (const [i, value] of expected.entries()) {
    expect(Math.abs(actual[i]! - value), `${actual.join()} against ${expected.join()}`).toBeLessThanOrEqual(tolerance);
  }
}

describe('what a PNG says of its colours in chunks of its own', () => {
  test('linear light by gAMA reaches the model as sRGB, grey and in colour', async () => {
    // 128 of 255 of the light is 188 by IEC 61966-2-1.
    for (const space of ['srgb', 'b-w'] as const) {
      const png = await fromRaster(plain(SIZE, [128, 128, 128]))
        .toColourspace(space)
        .png()
        .toBuffer();
      expectNear(await middle(withPngChunks(png, [gAMA(1)])), [188, 188, 188], 1);
    }
  });

  test('primaries by cHRM and by cICP are Display P3’s as published', async () => {
    const png = await fromRaster(plain(SIZE, [180, 90, 60]))
      .png()
      .toBuffer();
    for (const chunk of [cHRM, cICP(12, 13)]) {
      expectNear(await middle(withPngChunks(png, [chunk])), displayP3ToSrgb([180, 90, 60]), 2);
    }
  });

  test('chunks that say sRGB change nothing, and sRGB and a profile outrank gAMA', async () => {
    const png = await fromRaster(plain(SIZE, [180, 90, 60]))
      .png()
      .toBuffer();
    const chromaticities = pngChunk('cHRM', uint32s(31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000));
    for (const chunks of [
      [gAMA(0.45455), chromaticities],
      [pngChunk('sRGB', Uint8Array.of(0)), gAMA(1)],
      [cICP(1, 13), gAMA(1)],
    ]) {
      const photo = await decodePhoto(withPngChunks(png, chunks));
      expect(photo.stored.hasProfile).toBe(false);
      expect(await middle(withPngChunks(png, chunks))).toEqual([180, 90, 60]);
    }
    const profiled = await fromRaster(plain(SIZE, [180, 90, 60]))
      .withIccProfile('p3')
      .png()
      .toBuffer();
    expect(await middle(withPngChunks(profiled, [gAMA(1)]))).toEqual(await middle(profiled));
  });

  test('values no screen has are taken for sRGB', async () => {
    const png = await fromRaster(plain(SIZE, [180, 90, 60]))
      .png()
      .toBuffer();
    const odd = [
      gAMA(0),
      gAMA(0.00001),
      gAMA(20_000),
      pngChunk('cHRM', Buffer.alloc(32)),
      pngChunk('cHRM', Buffer.alloc(32, 255)),
      cICP(0, 0),
      cICP(255, 255),
      pngChunk('gAMA', ''),
    ];
    for (const chunk of odd) expect(await middle(withPngChunks(png, [chunk]))).toEqual([180, 90, 60]);
  });

  test('HDR by cICP stays HDR in a PNG, value by value', async () => {
    const file = withPngChunks(await ramp(false), [cICP(9, 16)]);
    const { bytes } = await encodeCrop(await decodePhoto(file), { crop: CROP });
    expect(pngChunksOf(bytes).find(({ type }) => type === 'cICP')?.data).toEqual(Buffer.from([9, 16, 0, 1]));
    const values = (png: Uint8Array): Promise<Buffer> => sharp(png, { ignoreIcc: true }).raw().toBuffer();
    expect((await values(bytes)).equals(await values(file))).toBe(true);
  });
});

describeWith(['ImageMagick'], 'ImageMagick sees the same light', () => {
  test.each([true, false])('in the crop of a PNG of linear light, grey: %s', async (isGrey) => {
    const file = withPngChunks(await ramp(isGrey), [gAMA(1)]);
    for (const format of ['png', 'jpeg', 'tiff'] as const) {
      const { bytes } = await encodeCrop(await decodePhoto(file), { crop: CROP, format, quality: 100 });
      const expected = imageMagick(['png:-', '-colorspace', 'sRGB', '-depth', '8', 'rgb:-'], file);
      // What the profile of the crop says, not its values alone.
      const inSrgb = await sharp(bytes).toColourspace('srgb').removeAlpha().raw().toBuffer();
      for (let x = 2; x < SIZE.width; x += 4) {
        expectNear([...inSrgb.subarray(3 * x, 3 * x + 3)], [...expected.subarray(3 * x, 3 * x + 3)], 3);
      }
    }
  });
});

describeWith(['chromium'], 'in a browser', () => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    page = await browser.newPage();
  });
  afterAll(() => browser.close());

  /** The first row as a canvas shows it. */
  async function shown(bytes: Uint8Array, format: string): Promise<number[]> {
    const url = `data:image/${format};base64,${Buffer.from(bytes).toString('base64')}`;
    return page.evaluate(
      `(async () => {
        const image = new Image();
        image.src = ${JSON.stringify(url)};
        await image.decode();
        const context = new OffscreenCanvas(${SIZE.width}, 1).getContext('2d');
        context.drawImage(image, 0, 0);
        return [...context.getImageData(0, 0, ${SIZE.width}, 1).data].filter((_, i) => i % 16 >= 8 && i % 16 < 11);
      })()`,
    );
  }

  const PNG_CASES: [string, boolean, Buffer[]][] = [
    ['a grey ramp with gAMA 1.0', true, [gAMA(1)]],
    ['a ramp of colours with gAMA 1.0', false, [gAMA(1)]],
    ['gAMA and cHRM', false, [gAMA(0.6), cHRM]],
    ['cICP of Display P3', false, [cICP(12, 13)]],
  ];
  test.each(PNG_CASES)('the crop of a PNG with %s looks the same in every format', async (_, isGrey, chunks) => {
    const file = withPngChunks(await ramp(isGrey), chunks);
    const expected = await shown(file, 'png');
    for (const format of FORMATS.filter((each) => each !== 'tiff')) {
      const { bytes } = await encodeCrop(await decodePhoto(file), { crop: CROP, format, quality: 100 });
      expectNear(await shown(bytes, format), expected, 6);
    }
  });

  test.each([
    [1, 13],
    [12, 13],
    [9, 16],
    [9, 18],
    [9, 14],
    [9, 1],
    [1, 1],
  ])(
    'an AVIF with code points %i/%i and no profile looks the same cropped, and says them',
    async (primaries, transfer) => {
      const plainAvif = await sharp(await ramp(false))
        .avif({ quality: 95, chromaSubsampling: '4:4:4', bitdepth: 10 })
        .toBuffer();
      const file = withNclx(plainAvif, { primaries, transfer })!;
      const photo = await decodePhoto(file);
      const { bytes } = await encodeCrop(photo, { crop: CROP, quality: 95 });
      const crop = await decodePhoto(bytes);
      expect(crop.cicp).toEqual({ primaries, transfer });
      const expected = await shown(file, 'avif');
      expectNear(await shown(bytes, 'avif'), expected, 8);
      if (transfer === 16 || transfer === 18) return;
      for (const format of ['png', 'jpeg', 'webp'] as const) {
        const other = await encodeCrop(photo, { crop: CROP, format, quality: 100 });
        expectNear(await shown(other.bytes, format), expected, 12);
      }
    },
  );

  test('HDR by cICP looks the same in the crop as PNG and as AVIF', async () => {
    const file = withPngChunks(await ramp(false), [cICP(9, 16)]);
    const expected = await shown(file, 'png');
    for (const format of ['png', 'avif'] as const) {
      const { bytes } = await encodeCrop(await decodePhoto(file), { crop: CROP, format, quality: 95 });
      expectNear(await shown(bytes, format), expected, 10);
    }
  });
});
