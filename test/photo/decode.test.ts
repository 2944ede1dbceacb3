import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { FramewrightError } from '../../src/base/errors.js';
import { openCropper } from '../../src/cropper/cropper.js';
import { decodePhoto } from '../../src/photo/decode.js';
import { renderFrame, renderRegion } from '../../src/photo/render.js';
import { displayP3ToSrgb } from './colour-reference.js';
import { fromRaster, plain, positioned, withRectangle } from './fixtures.js';
import { randomInts } from './random.js';
import { rejection } from './thrown.js';

const FORMATS = ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const;
const FRAME = { width: 56, height: 28 };

/** The frame's pixel in the middle, where no edge reaches. */
async function middlePixel(bytes: Uint8Array): Promise<number[]> {
  const rgb = await renderFrame(await decodePhoto(bytes), FRAME);
  expect(rgb.length).toBe(3 * 56 * 28);
  const at = 3 * (14 * 56 + 28);
  return [...rgb.subarray(at, at + 3)];
}

function expectNear(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (const [index, value] of expected.entries()) {
    expect(Math.abs(actual[index]! - value), `${actual.join()} against ${expected.join()}`).toBeLessThanOrEqual(
      tolerance,
    );
  }
}

describe('formats', () => {
  test.each(FORMATS)('%s: format and size from the header, pixels in the frame', async (format) => {
    const file = await fromRaster(plain({ width: 90, height: 41 }, [200, 120, 40]))
      .toFormat(format)
      .toBuffer();
    const photo = await decodePhoto(file);
    expect(photo).toMatchObject({ format, width: 90, height: 41 });
    expectNear(await middlePixel(file), [200, 120, 40], 4);
  });

  test.each(FORMATS)('%s of a single pixel', async (format) => {
    const file = await fromRaster(plain({ width: 1, height: 1 }, [10, 200, 90]))
      .toFormat(format)
      .toBuffer();
    const photo = await decodePhoto(file);
    expect(photo).toMatchObject({ width: 1, height: 1 });
    const rgb = await renderFrame(photo, { width: 28, height: 28 });
    for (let i = 0; i < rgb.length; i += 3) expectNear([...rgb.subarray(i, i + 3)], [10, 200, 90], 6);
    expectNear([...(await renderRegion(photo, { x: 0, y: 0, width: 1, height: 1 }))], [10, 200, 90], 6);
  });

  test.each(['gif', 'webp'] as const)('an animated %s is its first frame', async (format) => {
    const frames = [plain(FRAME, [250, 10, 10]), plain(FRAME, [10, 10, 250])].map(({ rgb }) => rgb);
    const file = await sharp(Buffer.concat(frames), {
      raw: { width: 56, height: 56, channels: 3, pageHeight: 28 },
    })
      .toFormat(format, { delay: [100, 100] })
      .toBuffer();
    const photo = await decodePhoto(file);
    expect(photo).toMatchObject({ width: 56, height: 28, stored: { pages: 2 } });
    expectNear(await middlePixel(file), [250, 10, 10], 6);
  });

  test('a JPEG that is wider than its frame by any factor keeps its colours and its place', async () => {
    for (const width of [400, 403, 1600, 1603]) {
      const raster = withRectangle(plain({ width, height: 200 }, [30, 30, 30]), [0, 0, width / 2, 200], [220, 60, 60]);
      const rgb = await renderFrame(await decodePhoto(await fromRaster(raster).jpeg().toBuffer()), FRAME);
      const row = 3 * 14 * 56;
      expectNear([...rgb.subarray(row + 3 * 26, row + 3 * 27)], [220, 60, 60], 12);
      expectNear([...rgb.subarray(row + 3 * 29, row + 3 * 30)], [30, 30, 30], 12);
    }
  });

  test('a JPEG of odd sides is not moved by decoding it at a fraction of its size', async () => {
    const [width, height, left, right] = [1999, 1001, 1200, 1990];
    const raster = withRectangle(plain({ width, height }, [0, 0, 0]), [left, 0, right, height], [255, 255, 255]);
    const frame = { width: 224, height: 112 };
    const photo = await decodePhoto(await fromRaster(raster).jpeg({ quality: 95 }).toBuffer());
    const rgb = await renderFrame(photo, frame);
    // What a row is bright in all, and where its middle lies, give both edges to a fraction of a pixel.
    const row = Array.from({ length: frame.width }, (_, x) => rgb[3 * (56 * frame.width + x)]! / 255);
    const bright = row.reduce((sum, value) => sum + value, 0);
    const middle = row.reduce((sum, value, x) => sum + value * (x + 0.5), 0) / bright;
    expect(Math.abs(middle - bright / 2 - (left * frame.width) / width)).toBeLessThan(0.05);
    expect(Math.abs(middle + bright / 2 - (right * frame.width) / width)).toBeLessThan(0.05);
  });

  test('a region has the pixels of the photo', async () => {
    const upright = positioned({ width: 61, height: 47 });
    const photo = await decodePhoto(await fromRaster(upright).png().toBuffer());
    const region = await renderRegion(photo, { x: 7, y: 5, width: 1, height: 2 });
    const at = (x: number, y: number): number[] => [...upright.rgb.subarray(3 * (y * 61 + x), 3 * (y * 61 + x) + 3)];
    expect([...region]).toEqual([...at(7, 5), ...at(7, 6)]);
    const outside = await rejection(renderRegion(photo, { x: 7, y: 5, width: 55, height: 2 }));
    expect(outside.code).toBe('USAGE');
  });
});

describe('colours reach the frame as sRGB', () => {
  const shallow = plain(FRAME, [200, 50, 50]);
  const deep = Uint16Array.from(shallow.rgb, (value) => 257 * value);
  const deepRaw = { raw: { width: 56, height: 28, channels: 3 as const } };

  test('Display P3, 8 bits: values equal the conversion by the published primaries', async () => {
    const srgbValues = fromRaster(plain(FRAME, [180, 90, 60]));
    const file = await srgbValues.withIccProfile('p3').png().toBuffer();
    const stored = [...(await sharp(file, { ignoreIcc: true }).raw().toBuffer()).subarray(0, 3)];
    expectNear(displayP3ToSrgb(stored), [180, 90, 60], 2);
    expectNear(await middlePixel(file), displayP3ToSrgb(stored), 2);
  });

  test('Display P3, 16 bits', async () => {
    const file = await sharp(deep, deepRaw).toColourspace('rgb16').withIccProfile('p3').png().toBuffer();
    expect(await sharp(file).metadata()).toMatchObject({ depth: 'ushort', hasProfile: true });
    expectNear(await middlePixel(file), displayP3ToSrgb([200, 50, 50]), 2);
  });

  test('16 bits without a profile', async () => {
    const file = await sharp(deep, deepRaw).toColourspace('rgb16').png().toBuffer();
    expectNear(await middlePixel(file), [200, 50, 50], 0);
  });

  test('CMYK comes back near to what it was made from', async () => {
    const file = await fromRaster(plain(FRAME, [170, 140, 90]))
      .toColourspace('cmyk')
      .jpeg({ quality: 95 })
      .toBuffer();
    expect(await sharp(file).metadata()).toMatchObject({ space: 'cmyk', channels: 4 });
    expectNear(await middlePixel(file), [170, 140, 90], 12);
  });

  test.each([
    ['8-bit JPEG', 'b-w', 'jpeg'],
    ['8-bit PNG', 'b-w', 'png'],
    ['16-bit PNG', 'grey16', 'png'],
  ] as const)('grey, %s: three equal channels', async (_, space, format) => {
    const file = await fromRaster(plain({ width: 57, height: 29 }, [77, 77, 77]))
      .toColourspace(space)
      .toFormat(format)
      .toBuffer();
    expect(await sharp(file).metadata()).toMatchObject({ space, channels: 1 });
    expectNear(await middlePixel(file), [77, 77, 77], 1);
  });

  test('transparent pixels lie on white, half-transparent ones half so', async () => {
    const rgba = (red: number, alpha: number): Promise<Buffer> =>
      sharp({ create: { ...FRAME, channels: 4, background: { r: red, g: 0, b: 0, alpha } } })
        .png()
        .toBuffer();
    expectNear(await middlePixel(await rgba(200, 0)), [255, 255, 255], 0);
    expectNear(await middlePixel(await rgba(200, 0.5)), [228, 127, 127], 1);
    const greyAlpha = await sharp(await rgba(0, 0.5))
      .toColourspace('b-w')
      .png()
      .toBuffer();
    expectNear(await middlePixel(greyAlpha), [127, 127, 127], 1);
  });
});

describe('damage', () => {
  test.each(FORMATS)('%s cut anywhere is refused as corrupt, by the header or by the frame', async (format) => {
    const whole = await fromRaster(positioned({ width: 120, height: 90 }))
      .toFormat(format)
      .toBuffer();
    for (const share of [0.02, 0.1, 0.3, 0.5, 0.7, 0.9]) {
      const cut = whole.subarray(0, Math.max(16, Math.floor(whole.length * share)));
      const thrown = await rejection(decodePhoto(cut, { name: 'half.img' }).then((photo) => renderFrame(photo, FRAME)));
      expect(thrown.code, `${format} at ${share}: ${thrown.message}`).toBe('INPUT_CORRUPT');
      expect(thrown.message).toMatch(/^half\.img is damaged or incomplete \(.+\): copy it again/);
      expect(thrown.message).not.toContain('\n');
    }
  });

  test('flipped bytes give a typed error or a picture, never anything else', async () => {
    const next = randomInts(31);
    for (const format of FORMATS) {
      const whole = await fromRaster(positioned({ width: 64, height: 48 }))
        .toFormat(format)
        .toBuffer();
      for (let i = 0; i < 25; i++) {
        const flipped = Buffer.from(whole);
        for (let n = 0; n < 3; n++) flipped[next(flipped.length)]! ^= 1 << next(8);
        const outcome: unknown = await decodePhoto(flipped)
          .then((photo) => renderFrame(photo, FRAME))
          .catch((thrown: unknown) => thrown);
        const isTyped = outcome instanceof FramewrightError && outcome.code.startsWith('INPUT_');
        expect(isTyped || (outcome instanceof Uint8Array && outcome.length === 3 * 56 * 28), String(outcome)).toBe(
          true,
        );
      }
    }
  });
});

describe('limits', () => {
  /** A PNG that claims a size without having the pixels: what a decompression bomb's first bytes look like. */
  function pngClaiming(width: number, height: number): Buffer {
    const header = Buffer.alloc(17);
    header.write('IHDR', 0, 'latin1');
    header.writeUInt32BE(width, 4);
    header.writeUInt32BE(height, 8);
    header.set([8, 2, 0, 0, 0], 12);
    const chunk = (typed: Buffer): Buffer => {
      const framed = Buffer.alloc(typed.length + 8);
      framed.writeUInt32BE(typed.length - 4, 0);
      typed.copy(framed, 4);
      framed.writeUInt32BE(crc32(typed), typed.length + 4);
      return framed;
    };
    const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
    return Buffer.concat([signature, chunk(header), chunk(Buffer.from('IDAT'))]);
  }

  test('a photo over the pixel limit is refused before any pixel is decoded', async () => {
    const thrown = await rejection(decodePhoto(pngClaiming(30_000, 20_000), { name: 'bomb.png' }));
    expect(thrown.code).toBe('INPUT_TOO_LARGE');
    expect(thrown.message).toBe(
      'bomb.png is 30000x20000 px, 600 megapixels, over the limit of 268 megapixels: raise the limit (--max-pixels, maxPixels in code) if that is right',
    );
    const absurd = await rejection(decodePhoto(pngClaiming(1_000_000, 1_000_000)));
    expect(absurd.code).toBe('INPUT_TOO_LARGE');
  });

  test('the limit can be raised and lowered', async () => {
    const photo = await decodePhoto(pngClaiming(30_000, 20_000), { maxPixels: 600_000_000 });
    expect(photo).toMatchObject({ width: 30_000, height: 20_000 });
    const small = await fromRaster(plain({ width: 11, height: 10 }, [0, 0, 0]))
      .png()
      .toBuffer();
    expect((await rejection(decodePhoto(small, { maxPixels: 109 }))).code).toBe('INPUT_TOO_LARGE');
    expect(await decodePhoto(small, { maxPixels: 110 })).toMatchObject({ width: 11 });
  });
});

describe('limits that are none', () => {
  test.each([NaN, 0, -1, Infinity, 1.5, Number.MAX_VALUE, '9' as unknown as number])('%s', async (limit) => {
    const file = await fromRaster(plain({ width: 2, height: 2 }, [0, 0, 0]))
      .png()
      .toBuffer();
    for (const name of ['maxPixels', 'maxBytes']) {
      const thrown = await rejection(decodePhoto(file, { [name]: limit }));
      expect(thrown.code).toBe('USAGE');
      expect(thrown.message).toBe(`${name} must be a whole number of at least 1, not ${String(limit)}`);
    }
    expect((await rejection(openCropper({ engine: 'centre', maxPixels: limit }))).code).toBe('USAGE');
  });
});

describe('abort', () => {
  test('rejects with the signal’s own reason, before and during the work', async () => {
    const file = await fromRaster(plain({ width: 900, height: 700 }, [1, 2, 3]))
      .jpeg()
      .toBuffer();
    const reason = new Error('user left');
    await expect(decodePhoto(file, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const photo = await decodePhoto(file);
    await expect(renderFrame(photo, FRAME, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const rendering = renderFrame(photo, FRAME, { signal: controller.signal });
    controller.abort(reason);
    await expect(rendering).rejects.toBe(reason);
    expect((await renderFrame(photo, FRAME)).length).toBe(3 * 56 * 28);
  });
});
