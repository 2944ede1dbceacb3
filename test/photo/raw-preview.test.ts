import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { boxOfRect, type Box } from '../../src/base/geometry.js';
import { decodePhoto } from '../../src/photo/decode.js';
import { embedCrop } from '../../src/photo/metadata/embed-crop.js';
import { writeSidecar } from '../../src/photo/metadata/sidecar.js';
import { readXmp, type XmpName } from '../../src/photo/metadata/xmp.js';
import { darktable, describeWith } from '../support/system-tools.js';
import { DARK, fromRaster, LIGHT, lightBox, ORIENTATIONS, plain, storedFor, withRectangle } from './fixtures.js';
import { dng, type DngParts } from './raw-parts.js';
import { rejection } from './thrown.js';

const UPRIGHT = { width: 1200, height: 800 };
const CROP = { x: 300, y: 80, width: 600, height: 480 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'framewright-raw-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (name: string): string => path.join(folder, name);

/** A light rectangle in a dark picture, its preview at half the size. */
async function rawWith(box: Box, parts: Partial<DngParts> = {}): Promise<Buffer> {
  const { orientation = 1 } = parts;
  const raster = storedFor(withRectangle(plain(UPRIGHT, DARK), box, LIGHT), orientation);
  const previewSize = parts.previewSize ?? { width: raster.width / 2, height: raster.height / 2 };
  const preview = await fromRaster(raster)
    .resize(previewSize.width, previewSize.height, { fit: 'fill' })
    .jpeg()
    .toBuffer();
  return dng({ raster, preview, previewSize, orientation, ...parts });
}

describe('the preview in a raw file', () => {
  test.each(ORIENTATIONS)('lies as the raw file says, at EXIF orientation %i', async (orientation) => {
    await writeFile(at('a.dng'), await rawWith(boxOfRect(CROP), { orientation }));
    expect((await rejection(decodePhoto(at('a.dng')))).code).toBe('INPUT_UNSUPPORTED');
    const photo = await decodePhoto(at('a.dng'), { rawPreview: true });
    expect([photo.width, photo.height, photo.path]).toEqual([600, 400, at('a.dng')]);
    const rgb = await sharp(photo.pixels).autoOrient().raw().toBuffer();
    const found = lightBox(rgb, photo);
    const wanted = boxOfRect(CROP).map((edge) => edge / 2);
    for (const [i, edge] of found.entries()) expect(Math.abs(edge - wanted[i]!)).toBeLessThanOrEqual(2);

    expect(await writeSidecar(photo, { x: 150, y: 40, width: 300, height: 240 })).toEqual({
      path: at('a.xmp'),
      state: 'written',
    });
    const xmp = await readFile(at('a.xmp'), 'utf8');
    const stored = orientation > 4 ? ['800', '1200'] : ['1200', '800'];
    const names: XmpName[] = [
      'tiff:ImageWidth',
      'tiff:ImageLength',
      'tiff:Orientation',
      'photoshop:SidecarForExtension',
    ];
    expect(names.map((name) => readXmp(xmp, name))).toEqual([...stored, String(orientation), 'DNG']);
  });

  test('has the pixels that DNG takes for the picture, and a few more at its borders', async () => {
    const bytes = await rawWith(boxOfRect(CROP), { defaultCrop: { width: 1192, height: 796 } });
    const photo = await decodePhoto(bytes, { rawPreview: true });
    expect(photo.raw).toMatchObject({ width: 1192, height: 796 });
  });

  test('of other proportions, too small, or none, is refused with what to do', async () => {
    const refused = async (bytes: Uint8Array): Promise<string> => {
      await writeFile(at('a.dng'), bytes);
      const { code, message } = await rejection(decodePhoto(at('a.dng'), { rawPreview: true }));
      expect(code).toBe('INPUT_UNSUPPORTED');
      return message;
    };
    expect(await refused(await rawWith(boxOfRect(CROP), { previewSize: { width: 600, height: 450 } }))).toContain(
      'whose preview (600x450 px) has other proportions than its picture (1200x800 px)',
    );
    expect(await refused(await rawWith(boxOfRect(CROP), { previewSize: { width: 300, height: 200 } }))).toContain(
      'without a JPEG preview of at least 400 px',
    );
    const whole = await rawWith(boxOfRect(CROP));
    expect(await refused(whole.subarray(0, 200))).toContain('without a JPEG preview');
    expect(await refused(Buffer.concat([Buffer.from('FUJIFILMCCD-RAW '), whole]))).toContain('not built as a TIFF');
    for (let n = 0; n < 600; n += 7) {
      const damaged = Buffer.from(whole);
      damaged.writeUInt32LE(0xffff_fff0, n);
      await writeFile(at('a.dng'), damaged);
      await decodePhoto(at('a.dng'), { rawPreview: true }).catch((error: unknown) =>
        expect(error).toHaveProperty('code'),
      );
    }
  });

  test('is nothing to embed a crop in', async () => {
    await writeFile(at('a.dng'), await rawWith(boxOfRect(CROP)));
    const photo = await decodePhoto(at('a.dng'), { rawPreview: true });
    expect((await rejection(embedCrop(photo, { x: 0, y: 0, width: 100, height: 100 }))).code).toBe('INPUT_UNSUPPORTED');
    expect(await readdir(folder)).toEqual(['a.dng']);
  });
});

describeWith(['darktable'], 'the crop beside a raw file', () => {
  test('is what darktable cuts out of the raw picture, of all eight orientations', { timeout: 600_000 }, async () => {
    for (const orientation of ORIENTATIONS) {
      const file = at(`${orientation}.dng`);
      await writeFile(file, await rawWith(boxOfRect(CROP), { orientation }));
      const photo = await decodePhoto(file, { rawPreview: true });
      // The rectangle with 50 px of the preview around it on each side.
      await writeSidecar(photo, { x: 100, y: 0, width: 400, height: 320 });
      darktable(file, at(`${orientation}.png`), at('settings'));
      const { data, info } = await sharp(await readFile(at(`${orientation}.png`)))
        .removeAlpha()
        .toColourspace('srgb')
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect(Math.abs(info.width - 800) + Math.abs(info.height - 640)).toBeLessThanOrEqual(8);
      const wanted = [100, 80, 700, 560];
      for (const [i, edge] of lightBox(data, info).entries())
        expect(Math.abs(edge - wanted[i]!)).toBeLessThanOrEqual(6);
    }
  });
});
