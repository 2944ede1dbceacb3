import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodePhoto } from '../../src/photo/decode.js';
import { OUTPUT_FORMATS, outputFormatOf } from '../../src/photo/output-format.js';
import { encodeCrop, type EncodeCropOptions } from '../../src/photo/crop-file.js';
import type { EncodedImage } from '../../src/photo/encode.js';
import { displayP3ToSrgb } from './colour-reference.js';
import { fromRaster, plain, positioned, regionOf, storedPixels } from './fixtures.js';
import { rejection } from './thrown.js';

const SIZE = { width: 64, height: 48 };
const CROP = { x: 9, y: 5, width: 40, height: 30 };

async function encoded(file: Uint8Array, options: Partial<EncodeCropOptions> = {}): Promise<EncodedImage> {
  return encodeCrop(await decodePhoto(file), { crop: CROP, ...options });
}

function meanDifference(a: Uint8Array, b: Uint8Array): number {
  expect(a.length).toBe(b.length);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / a.length;
}

describe('formats', () => {
  test.each(OUTPUT_FORMATS)('%s: the crop’s pixels, within the codec’s loss', async (format) => {
    const lossless = format === 'png' || format === 'tiff';
    const upright = positioned(SIZE, lossless ? 30 : 0);
    const { bytes, ...rest } = await encoded(await fromRaster(upright).png().toBuffer(), { format });
    expect(rest).toEqual({ format, width: 40, height: 30, leftOut: [] });
    expect(await sharp(bytes).metadata()).toMatchObject({ format: format === 'avif' ? 'heif' : format, width: 40 });
    const pixels = await storedPixels(bytes);
    const expected = regionOf(upright, [9, 5, 49, 35]);
    expect(meanDifference(pixels.rgb, expected)).toBeLessThanOrEqual(lossless ? 0 : 3);
  });

  test('the photo’s own format is the default, PNG for a GIF that does not move', async () => {
    for (const format of OUTPUT_FORMATS) {
      const file = await fromRaster(plain(SIZE, [9, 99, 199]))
        .toFormat(format)
        .toBuffer();
      expect((await encoded(file)).format).toBe(format === 'gif' ? 'png' : format);
    }
  });

  test('file names say their format', () => {
    expect(['a.jpg', 'b/c.JPEG', 'd.png', 'e.webp', 'f.avif', 'g.tif', 'h.TIFF', 'i.gif'].map(outputFormatOf)).toEqual([
      'jpeg',
      'jpeg',
      'png',
      'webp',
      'avif',
      'tiff',
      'tiff',
      'gif',
    ]);
    expect(['a', 'a.heic', 'a.jpg.txt', '.png'].map(outputFormatOf)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('quality changes the size of the lossy ones and leaves PNG lossless', async () => {
    const upright = positioned(SIZE);
    const file = await fromRaster(upright).png().toBuffer();
    for (const format of ['jpeg', 'webp', 'avif'] as const) {
      const low = await encoded(file, { format, quality: 20 });
      expect(low.bytes.length).toBeLessThan((await encoded(file, { format, quality: 95 })).bytes.length);
    }
    const png = await storedPixels((await encoded(file, { format: 'png', quality: 20 })).bytes);
    expect(Buffer.compare(png.rgb, regionOf(upright, [9, 5, 49, 35]))).toBe(0);
  });

  test('a JPEG keeps the chroma sampling it came with; other sources keep full chroma', async () => {
    const raster = fromRaster(positioned(SIZE));
    for (const chromaSubsampling of ['4:2:0', '4:4:4']) {
      const { bytes } = await encoded(await raster.clone().jpeg({ chromaSubsampling }).toBuffer());
      expect((await sharp(bytes).metadata()).chromaSubsampling).toBe(chromaSubsampling);
    }
    const { bytes } = await encoded(await raster.png().toBuffer(), { format: 'jpeg' });
    expect((await sharp(bytes).metadata()).chromaSubsampling).toBe('4:4:4');
  });

  test('a size the format cannot hold is refused with the limit', async () => {
    const wide = await sharp({ create: { width: 17_000, height: 2, channels: 3, background: 'teal' } })
      .png()
      .toBuffer();
    const thrown = await rejection(encoded(wide, { crop: { x: 0, y: 0, width: 17_000, height: 2 }, format: 'webp' }));
    expect(thrown.code).toBe('USAGE');
    expect(thrown.message).toContain('at most 16383 px a side');
  });
});

describe('resize', () => {
  test('to exactly the size asked for, from the crop alone', async () => {
    const upright = positioned({ width: 400, height: 300 });
    const file = await fromRaster(upright).png().toBuffer();
    const crop = { x: 80, y: 60, width: 200, height: 160 };
    const { bytes, width, height } = await encoded(file, { crop, resize: { width: 50, height: 40 } });
    expect([width, height]).toEqual([50, 40]);
    const pixels = await storedPixels(bytes);
    expect([pixels.width, pixels.height]).toEqual([50, 40]);
    // red falls by 255 over 400 px and green grows by 255 over 300 px: pixel (25, 20) is photo pixel (182, 142)
    const at = 3 * (20 * 50 + 25);
    expect(Math.abs(pixels.rgb[at]! - (255 - (255 * 182) / 400))).toBeLessThan(3);
    expect(Math.abs(pixels.rgb[at + 1]! - (255 * 142) / 300)).toBeLessThan(3);
  });

  test('a crop outside the photo is refused', async () => {
    const file = await fromRaster(plain(SIZE, [1, 2, 3]))
      .png()
      .toBuffer();
    for (const crop of [
      { ...CROP, x: 25 },
      { ...CROP, y: -1 },
      { ...CROP, width: 0 },
      { ...CROP, height: 9.5 },
    ]) {
      expect((await rejection(encoded(file, { crop }))).code).toBe('USAGE');
    }
  });
});

/** A GIF has no place for one, and colours alone. */
const WITH_PROFILE = OUTPUT_FORMATS.filter((format) => format !== 'gif');

describe('colour', () => {
  const p3Png = (): Promise<Buffer> =>
    fromRaster(plain(SIZE, [180, 90, 60]))
      .withIccProfile('p3')
      .png()
      .toBuffer();

  test.each(WITH_PROFILE)('%s keeps a wide-gamut profile and its values', async (format) => {
    const file = await p3Png();
    const { bytes } = await encoded(file, { format });
    const [before, after] = await Promise.all([sharp(file).metadata(), sharp(bytes).metadata()]);
    expect(after.icc?.equals(before.icc!)).toBe(true);
    const [source, result] = [await storedPixels(file), await storedPixels(bytes)];
    expect(meanDifference(result.rgb.subarray(0, 30), source.rgb.subarray(0, 30))).toBeLessThanOrEqual(2);
  });

  test('a GIF, which has no profile, has its values converted to sRGB', async () => {
    const { bytes } = await encoded(await p3Png(), { format: 'gif' });
    const shown = await sharp(await p3Png())
      .raw()
      .toBuffer();
    expect(meanDifference((await storedPixels(bytes)).rgb.subarray(0, 30), shown.subarray(0, 30))).toBeLessThanOrEqual(
      2,
    );
  });

  test.each(OUTPUT_FORMATS)('%s without metadata has its values converted to sRGB', async (format) => {
    const file = await p3Png();
    const { bytes } = await encoded(file, { format, strip: true });
    expect((await sharp(bytes).metadata()).hasProfile).toBe(false);
    const source = await storedPixels(file);
    const [red, green, blue] = displayP3ToSrgb([...source.rgb.subarray(0, 3)]);
    const result = await storedPixels(bytes);
    expect(meanDifference(result.rgb.subarray(0, 3), Uint8Array.of(red!, green!, blue!))).toBeLessThanOrEqual(2);
  });

  test('16 bits stay 16 bits in PNG and TIFF, to the bit, and become 10 in AVIF', async () => {
    const values = Uint16Array.from({ length: 3 * 64 * 48 }, (_, index) => (index * 4099) % 65_536);
    const raw = { raw: { ...SIZE, channels: 3 as const } };
    const file = await sharp(values, raw).toColourspace('rgb16').png().toBuffer();
    for (const format of ['png', 'tiff'] as const) {
      const { bytes } = await encoded(file, { format });
      const pixels = await sharp(bytes).toColourspace('rgb16').raw({ depth: 'ushort' }).toBuffer();
      const result = new Uint16Array(pixels.buffer, pixels.byteOffset, 3 * 40 * 30);
      expect([...result.subarray(0, 120)]).toEqual([...values.subarray(3 * (5 * 64 + 9), 3 * (5 * 64 + 49))]);
    }
    const { bytes } = await encoded(file, { format: 'avif' });
    expect((await sharp(bytes).metadata()).bitsPerSample).toBe(10);
  });

  test('16 bits with a profile, without metadata: converted to sRGB, at either depth', async () => {
    const deep = Uint16Array.from(plain(SIZE, [200, 50, 50]).rgb, (value) => 257 * value);
    const file = await sharp(deep, { raw: { ...SIZE, channels: 3 } })
      .toColourspace('rgb16')
      .withIccProfile('p3')
      .png()
      .toBuffer();
    const expected = Uint8Array.from(displayP3ToSrgb([200, 50, 50]));
    const png = await encoded(file, { format: 'png', strip: true });
    expect(await sharp(png.bytes).metadata()).toMatchObject({ depth: 'ushort', hasProfile: false });
    const jpeg = await encoded(file, { format: 'jpeg', strip: true, quality: 100 });
    for (const { bytes } of [png, jpeg]) {
      const pixels = await sharp(bytes).toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer();
      expect(meanDifference(pixels.subarray(0, 3), expected)).toBeLessThanOrEqual(3);
    }
  });

  test('grey stays grey where the format has it', async () => {
    const raster = plain(SIZE, [77, 77, 77]);
    const grey = await fromRaster(raster).toColourspace('b-w').png().toBuffer();
    for (const format of WITH_PROFILE) {
      const { bytes } = await encoded(grey, { format });
      const oneChannel = format !== 'webp' && format !== 'avif';
      expect(await sharp(bytes).metadata()).toMatchObject({ channels: oneChannel ? 1 : 3 });
      const pixels = await sharp(bytes).toColourspace('srgb').raw().toBuffer();
      expect(meanDifference(pixels.subarray(0, 3), Uint8Array.of(77, 77, 77))).toBeLessThanOrEqual(2);
    }
    const deep = await fromRaster(raster).toColourspace('grey16').png().toBuffer();
    expect(await sharp((await encoded(deep)).bytes).metadata()).toMatchObject({ space: 'grey16', channels: 1 });
  });

  test('CMYK becomes sRGB with sRGB’s profile', async () => {
    const cmyk = await fromRaster(plain(SIZE, [150, 140, 120]))
      .toColourspace('cmyk')
      .jpeg({ quality: 95 })
      .toBuffer();
    for (const format of ['jpeg', 'png'] as const) {
      const { bytes } = await encoded(cmyk, { format });
      expect(await sharp(bytes).metadata()).toMatchObject({ space: 'srgb', channels: 3, hasProfile: true });
      const { rgb } = await storedPixels(bytes);
      expect(meanDifference(rgb.subarray(0, 3), Uint8Array.of(150, 140, 120))).toBeLessThan(10);
    }
  });

  test('transparency stays where the format has it and lies on white in a JPEG', async () => {
    const clear = await sharp({ create: { ...SIZE, channels: 4, background: { r: 9, g: 9, b: 9, alpha: 0 } } })
      .png()
      .toBuffer();
    for (const format of OUTPUT_FORMATS) {
      const { bytes } = await encoded(clear, { format });
      expect((await sharp(bytes).metadata()).hasAlpha).toBe(format !== 'jpeg');
    }
    const { rgb } = await storedPixels((await encoded(clear, { format: 'jpeg' })).bytes);
    expect(rgb.subarray(0, 3)).toEqual(Buffer.of(255, 255, 255));
  });
});

describe('metadata', () => {
  const XMP =
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
    '<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" ' +
    'tiff:Orientation="6" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>';

  const tagged = (): Promise<Buffer> =>
    fromRaster(plain({ width: 48, height: 64 }, [90, 90, 90]))
      .withMetadata({ orientation: 6, exif: { IFD0: { Artist: 'Ann Otherwise' } } })
      .withXmp(XMP)
      .jpeg()
      .toBuffer();

  test('EXIF and XMP stay, upright now in both', async () => {
    const file = await tagged();
    expect(await decodePhoto(file)).toMatchObject({ width: 64, height: 48, stored: { orientation: 6 } });
    for (const format of ['jpeg', 'png', 'webp', 'avif'] as const) {
      const kept = await sharp((await encoded(file, { format })).bytes).metadata();
      expect(kept.autoOrient).toEqual({ width: 40, height: 30 });
      expect(kept.orientation ?? 1).toBe(1);
      expect(kept.exif?.includes('Ann Otherwise')).toBe(true);
      expect(kept.xmpAsString).toContain('tiff:Orientation="1"');
      expect(kept.xmpAsString).toContain('xmp:Rating="4"');
    }
  });

  test('an orientation that XMP holds as an element is set upright too', async () => {
    const element = XMP.replace(
      'tiff:Orientation="6" xmp:Rating="4"/>',
      '><tiff:Orientation>6</tiff:Orientation></rdf:Description>',
    );
    const file = await fromRaster(plain(SIZE, [1, 1, 1]))
      .withXmp(element)
      .jpeg()
      .toBuffer();
    const { xmpAsString } = await sharp((await encoded(file)).bytes).metadata();
    expect(xmpAsString).toContain('<tiff:Orientation>1</tiff:Orientation>');
  });

  test('strip drops all of it', async () => {
    const bare = await sharp((await encoded(await tagged(), { strip: true })).bytes).metadata();
    expect([bare.exif, bare.xmp, bare.icc, bare.iptc, bare.orientation]).toEqual(Array(5).fill(undefined));
    expect([bare.width, bare.height]).toEqual([40, 30]);
  });
});
