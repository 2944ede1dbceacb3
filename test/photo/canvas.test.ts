import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodePhoto, encodeCrop, type Canvas, type OutputFormat } from '../../src/index.js';
import { exiftool, testWith } from '../support/system-tools.js';
import { examplePhoto } from '../support/photos.js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DARK, fromRaster, LIGHT, ORIENTATIONS, plain, storedFor, withRectangle } from './fixtures.js';

const CROP = { x: 20, y: 10, width: 60, height: 40 };
const CANVAS: Canvas = {
  ...{ width: 90, height: 160 },
  at: { x: 0, y: 50, width: 90, height: 60 },
  fill: 'pad',
  background: '#204060',
};
const PHOTO = { width: 120, height: 80 };
/** The crop is light, all else dark. */
const SCENE = withRectangle(plain(PHOTO, DARK), [20, 10, 80, 50], LIGHT);

async function pixelOf(bytes: Uint8Array, x: number, y: number): Promise<number[]> {
  const { data, info } = await sharp(bytes).toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  const at = (y * info.width + x) * info.channels;
  return [...data.subarray(at, at + Math.min(3, info.channels))];
}

function near(found: readonly number[], wanted: readonly number[], by: number): void {
  found.forEach((value, i) => expect(Math.abs(value - wanted[i]!)).toBeLessThanOrEqual(by));
}

describe('a crop on a canvas', () => {
  test.each(['jpeg', 'png', 'webp', 'avif', 'tiff'] satisfies OutputFormat[])(
    'lies where it is said, with the colour around, as %s',
    async (format) => {
      const photo = await decodePhoto(await fromRaster(SCENE).png().toBuffer());
      const image = await encodeCrop(photo, { crop: CROP, canvas: CANVAS, format });
      expect(await sharp(image.bytes).metadata()).toMatchObject({ width: 90, height: 160 });
      near(await pixelOf(image.bytes, 45, 25), [0x20, 0x40, 0x60], 4);
      near(await pixelOf(image.bytes, 45, 135), [0x20, 0x40, 0x60], 4);
      near(await pixelOf(image.bytes, 45, 80), LIGHT, 6);
      near(await pixelOf(image.bytes, 4, 56), LIGHT, 6);
    },
  );

  test.each(ORIENTATIONS)('is that of the upright photo at EXIF orientation %i', async (orientation) => {
    const stored = storedFor(SCENE, orientation);
    const photo = await decodePhoto(await fromRaster(stored).withMetadata({ orientation }).png().toBuffer());
    for (const fill of ['pad', 'blur'] as const) {
      const { bytes } = await encodeCrop(photo, { crop: CROP, canvas: { ...CANVAS, fill }, format: 'png' });
      near(await pixelOf(bytes, 45, 80), LIGHT, 2);
      // Blurred is the crop alone, so that nothing dark shows.
      near(await pixelOf(bytes, 45, 4), fill === 'pad' ? [0x20, 0x40, 0x60] : LIGHT, 3);
    }
  });

  test('keeps 16 bits, grey and a profile of its own, whatever it is filled with', async () => {
    const ramp = Uint16Array.from({ length: 120 * 80 }, (_, i) => 20_000 + (i % 120) * 150);
    const deep = await sharp(ramp, { raw: { width: 120, height: 80, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    const p3 = await fromRaster(SCENE).withIccProfile('p3').png().toBuffer();
    const cmyk = await fromRaster(SCENE).toColourspace('cmyk').tiff().toBuffer();
    for (const fill of ['pad', 'blur'] as const) {
      const canvas = { ...CANVAS, fill, background: '#808080' };
      const grey = await encodeCrop(await decodePhoto(deep), { crop: CROP, canvas });
      expect(await sharp(grey.bytes).metadata()).toMatchObject({ depth: 'ushort', channels: 1, height: 160 });
      const { data } = await sharp(grey.bytes)
        .toColourspace('grey16')
        .raw({ depth: 'ushort' })
        .toBuffer({ resolveWithObject: true });
      const value = new Uint16Array(data.buffer, data.byteOffset, data.length / 2)[80 * 90 + 45]!;
      expect(Math.abs(value - (20_000 + 50 * 150))).toBeLessThan(400);
      const wide = await encodeCrop(await decodePhoto(p3), { crop: CROP, canvas });
      expect((await sharp(wide.bytes).metadata()).icc).toEqual((await sharp(p3).metadata()).icc);
      near(
        await pixelOf((await encodeCrop(await decodePhoto(cmyk), { crop: CROP, canvas, format: 'png' })).bytes, 45, 80),
        LIGHT,
        40,
      );
    }
  });

  test('outside of which its crop would lie is refused, as is a colour that is none', async () => {
    const photo = await decodePhoto(examplePhoto('dogs'));
    const refused = (canvas: Canvas): Promise<unknown> => encodeCrop(photo, { crop: CROP, canvas });
    await expect(refused({ ...CANVAS, at: { x: 0, y: 120, width: 90, height: 60 } })).rejects.toMatchObject({
      code: 'USAGE',
    });
    await expect(refused({ ...CANVAS, background: 'mauve' })).rejects.toThrow('"mauve" is no colour; write #rrggbb');
  });

  testWith(['exiftool'], 'has the subject and the faces of its metadata where they now are', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'framewright-canvas-'));
    try {
      const file = path.join(folder, 'a.jpg');
      writeFileSync(file, await fromRaster(SCENE).jpeg().toBuffer());
      exiftool(
        '-overwrite_original',
        '-SubjectArea=50 30',
        '-RegionInfo={AppliedToDimensions={W=120,H=80,Unit=pixel},RegionList=[{Area={X=0.416666,Y=0.375,W=0.1,H=0.1,Unit=normalized},Type=Face}]}',
        file,
      );
      const { bytes } = await encodeCrop(await decodePhoto(file), { crop: CROP, canvas: CANVAS });
      const out = path.join(folder, 'b.jpg');
      writeFileSync(out, bytes);
      // The photo's 50,30 is the crop's middle, and that the canvas's.
      expect(exiftool('-s3', '-SubjectArea', out).trim()).toBe('45 80');
      expect(exiftool('-s3', '-n', '-RegionAreaX', '-RegionAreaY', out).trim().split(/\s+/).map(Number)).toEqual([
        expect.closeTo(0.5, 3),
        expect.closeTo(0.5, 3),
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
