import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodePhoto } from '../../src/photo/decode.js';
import { encodeCrop } from '../../src/photo/crop-file.js';
import { sourceJpegEncoding } from '../../src/photo/jpeg-encoding.js';
import { JPEG_MARKER, jpegSegments } from '../../src/photo/formats/jpeg-segments.js';
import { describeWith, imageMagick } from '../support/system-tools.js';
import { fromRaster, positioned } from './fixtures.js';

const SIZE = { width: 64, height: 48 };
const CROP = { x: 9, y: 5, width: 40, height: 30 };

function tablesOf(jpeg: Uint8Array): string[] {
  return jpegSegments(jpeg)
    .filter(({ marker }) => marker === JPEG_MARKER.dqt)
    .map(({ payload }) => Buffer.from(payload).toString('hex'));
}

describe('a JPEG’s crop is encoded as the photo was', () => {
  test('with the same tables at every quality of libjpeg, colour and grey', async () => {
    for (let quality = 1; quality <= 100; quality++) {
      const photo = fromRaster(positioned(SIZE)).jpeg({ quality });
      const file = await (quality % 2 === 0 ? photo.toColourspace('b-w') : photo).toBuffer();
      const { bytes } = await encodeCrop(await decodePhoto(file), { crop: CROP });
      expect(tablesOf(bytes)).toEqual(tablesOf(file));
    }
  });

  test('near the tables of an encoder that has its own', async () => {
    // quantisation tables that libjpeg does not scale from annex K: mozjpeg's third set
    const file = await fromRaster(positioned(SIZE)).jpeg({ quality: 80, quantisationTable: 3 }).toBuffer();
    const mean = (jpeg: Uint8Array): number => {
      const values = [...Buffer.from(tablesOf(jpeg)[0]!, 'hex').subarray(1, 65)];
      return values.reduce((sum, value) => sum + Math.log(value), 0) / 64;
    };
    const { bytes } = await encodeCrop(await decodePhoto(file), { crop: CROP });
    expect(tablesOf(bytes)).not.toEqual(tablesOf(file));
    expect(Math.abs(mean(bytes) - mean(file))).toBeLessThan(0.2);
  });

  test('unless a quality is asked for', async () => {
    const file = await fromRaster(positioned(SIZE)).jpeg({ quality: 60 }).toBuffer();
    const { bytes } = await encodeCrop(await decodePhoto(file), { crop: CROP, quality: 97 });
    expect(sourceJpegEncoding(bytes).quality).toBe(97);
  });

  test('a WebP that lost nothing gives a crop that lost nothing', async () => {
    const file = await fromRaster(positioned(SIZE)).webp({ lossless: true }).toBuffer();
    const photo = await decodePhoto(file);
    const { bytes } = await encodeCrop(photo, { crop: CROP });
    const expected = await sharp(file).extract({ left: 9, top: 5, width: 40, height: 30 }).raw().toBuffer();
    expect(Buffer.compare(await sharp(bytes).raw().toBuffer(), expected)).toBe(0);
    const lossy = await encodeCrop(photo, { crop: CROP, quality: 50 });
    expect(Buffer.from(lossy.bytes).includes('VP8 ')).toBe(true);
  });
});

describe('what cannot be read', () => {
  test('gives no quality, and throws nothing', () => {
    for (const bytes of [
      '',
      '\xff\xd8',
      '\xff\xd8\xff\xdb\0\x05\0\0',
      '\xff\xd8\xff\xdb\0\x43\x07',
      '\xff\xd8\xff\xc0\0\x03\0',
    ]) {
      expect(sourceJpegEncoding(Buffer.from(bytes, 'latin1'))).toEqual({
        quality: undefined,
        chromaSubsampling: '4:4:4',
      });
    }
  });
});

describeWith(['ImageMagick'], 'with ImageMagick’s encoder', () => {
  test('quality and chroma sampling are what it was told to use', () => {
    for (const [factor, sampling] of [
      ['2x2', '4:2:0'],
      ['2x1', '4:4:4'],
      ['1x2', '4:4:4'],
      ['1x1', '4:4:4'],
      ['4x1', '4:4:4'],
    ] as const) {
      for (const quality of [35, 50, 83, 96]) {
        const jpeg = imageMagick([
          '-size',
          '64x48',
          'plasma:',
          '-sampling-factor',
          factor,
          '-quality',
          String(quality),
          'jpeg:-',
        ]);
        expect(sourceJpegEncoding(jpeg)).toEqual({ quality, chromaSubsampling: sampling });
      }
    }
  });
});
