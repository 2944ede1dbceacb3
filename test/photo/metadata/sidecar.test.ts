import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodePhoto, type Photo } from '../../../src/photo/decode.js';
import { sidecarPathOf, writeSidecar } from '../../../src/photo/metadata/sidecar.js';
import { editXmp, readXmp, type XmpName } from '../../../src/photo/metadata/xmp.js';
import { fromRaster, ORIENTATIONS, plain, storedFor, withRectangle } from '../fixtures.js';
import { rejection } from '../thrown.js';
import { describeWith, exiftool } from '../../support/system-tools.js';

const SIZE = { width: 120, height: 80 };
const CROP = { x: 30, y: 8, width: 60, height: 48 };
const FIELDS = ['crs:CropTop', 'crs:CropLeft', 'crs:CropBottom', 'crs:CropRight'] as const;

/** As Lightroom leaves it, shortened: attributes, structures, tone curves, its own prefixes. */
const LIGHTROOM = `<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0-c000 1.000000, 0000/00/00-00:00:00        ">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
   xmp:Rating="4"
   photoshop:SidecarForExtension="CR2"
   crs:Exposure2012="+0.35"
   crs:HasCrop="False"
   crs:AlreadyApplied="False">
   <dc:subject>
    <rdf:Bag>
     <rdf:li>dogs &amp; sand</rdf:li>
    </rdf:Bag>
   </dc:subject>
   <crs:ToneCurvePV2012>
    <rdf:Seq>
     <rdf:li>0, 0</rdf:li>
     <rdf:li>255, 255</rdf:li>
    </rdf:Seq>
   </crs:ToneCurvePV2012>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'framewright-sidecar-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (name: string): string => path.join(folder, name);

async function photoAt(name: string, xmp?: string): Promise<Photo> {
  const image = fromRaster(plain(SIZE, [40, 80, 120]));
  await writeFile(at(name), await (xmp === undefined ? image : image.withXmp(xmp)).jpeg().toBuffer());
  return decodePhoto(at(name));
}

const fieldsOf = (xmp: string, names: readonly XmpName[] = FIELDS): (string | undefined)[] =>
  names.map((name) => readXmp(xmp, name));

describe('a new sidecar', () => {
  test('says the crop in shares of the photo, beside it, under its name', async () => {
    const photo = await photoAt('a.b.jpg');
    expect(await writeSidecar(photo, CROP)).toEqual({ path: at('a.b.xmp'), state: 'written' });
    const xmp = await readFile(at('a.b.xmp'), 'utf8');
    expect(fieldsOf(xmp)).toEqual(['0.1', '0.25', '0.7', '0.75']);
    expect(fieldsOf(xmp, ['crs:HasCrop', 'crs:CropAngle'])).toEqual(['True', '0']);
    expect((await readdir(folder)).sort()).toEqual(['a.b.jpg', 'a.b.xmp']);
    expect(await writeSidecar(photo, CROP)).toEqual({ path: at('a.b.xmp'), state: 'unchanged' });
  });

  test.each(ORIENTATIONS)('counts from the stored pixels at EXIF orientation %i', async (orientation) => {
    const box = [CROP.x, CROP.y, CROP.x + CROP.width, CROP.y + CROP.height] as const;
    const stored = storedFor(withRectangle(plain(SIZE, [0, 0, 0]), box, [255, 255, 255]), orientation);
    await writeFile(at('a.png'), await fromRaster(stored).withMetadata({ orientation }).png().toBuffer());
    await writeSidecar(await decodePhoto(at('a.png')), CROP);
    const [top, left, bottom, right] = fieldsOf(await readFile(at('a.xmp'), 'utf8')).map(Number);
    // What Lightroom cuts out: these shares of the pixels before they are turned.
    const { data } = await sharp(at('a.png'))
      .extract({
        left: Math.round(left! * stored.width),
        top: Math.round(top! * stored.height),
        width: Math.round((right! - left!) * stored.width),
        height: Math.round((bottom! - top!) * stored.height),
      })
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(data.length).toBe(3 * CROP.width * CROP.height);
    expect(data.every((value) => value === 255)).toBe(true);
  });

  test('is not made for a photo that is kept whole', async () => {
    const photo = await photoAt('a.jpg');
    const whole = { x: 0, y: 0, ...SIZE };
    expect(await writeSidecar(photo, whole)).toEqual({ path: at('a.xmp'), state: 'unchanged' });
    expect(await readdir(folder)).toEqual(['a.jpg']);
  });

  test('needs a path for a photo that has none', async () => {
    const photo = await decodePhoto(
      await fromRaster(plain(SIZE, [1, 2, 3]))
        .png()
        .toBuffer(),
    );
    expect((await rejection(writeSidecar(photo, CROP))).code).toBe('USAGE');
    expect((await writeSidecar(photo, CROP, { path: at('b.xmp') })).state).toBe('written');
  });
});

describe('an existing sidecar', () => {
  test('keeps every character but the crop’s', async () => {
    const photo = await photoAt('a.jpg');
    await writeFile(at('a.xmp'), LIGHTROOM);
    expect((await writeSidecar(photo, CROP)).state).toBe('written');
    const after = await readFile(at('a.xmp'), 'utf8');
    expect(fieldsOf(after)).toEqual(['0.1', '0.25', '0.7', '0.75']);
    const back = after
      .replace(/\n {3}(?:crs:Crop|framewright:|xmlns:framewright)\w*="[^"]+"/g, '')
      .replace('HasCrop="True"', 'HasCrop="False"');
    expect(back).toBe(LIGHTROOM);
  });

  test('of darktable is the one that is used', async () => {
    const photo = await photoAt('a.jpg');
    await writeFile(at('a.jpg.xmp'), LIGHTROOM);
    await writeFile(at('a.xmp'), LIGHTROOM);
    expect(await sidecarPathOf(at('a.jpg'))).toBe(at('a.jpg.xmp'));
    expect((await writeSidecar(photo, CROP)).path).toBe(at('a.jpg.xmp'));
    expect(await readFile(at('a.xmp'), 'utf8')).toBe(LIGHTROOM);
  });

  const MANUAL = {
    'crs:HasCrop': 'True',
    'crs:CropTop': '0.2',
    'crs:CropLeft': '0.2',
    'crs:CropBottom': '0.8',
    'crs:CropRight': '0.8',
  };

  test('with a crop made by hand is not touched without force, and told', async () => {
    const photo = await photoAt('a.jpg');
    for (const edits of [MANUAL, { ...MANUAL, 'crs:CropAngle': '1.5' }]) {
      const byHand = editXmp(LIGHTROOM, edits);
      await writeFile(at('a.xmp'), byHand);
      for (const crop of [CROP, { x: 0, y: 0, ...SIZE }]) {
        expect(await writeSidecar(photo, crop)).toEqual({ path: at('a.xmp'), state: 'manual' });
        expect(await readFile(at('a.xmp'), 'utf8')).toBe(byHand);
      }
    }
    expect((await writeSidecar(photo, CROP, { force: true })).state).toBe('written');
    const forced = await readFile(at('a.xmp'), 'utf8');
    expect(fieldsOf(forced, [...FIELDS, 'crs:CropAngle'])).toEqual(['0.1', '0.25', '0.7', '0.75', '0']);
    expect((await writeSidecar(photo, { x: 0, y: 0, ...SIZE }, { force: true })).state).toBe('written');
    expect(readXmp(await readFile(at('a.xmp'), 'utf8'), 'crs:HasCrop')).toBe('False');
  });

  test('with the same crop in other digits is left as it is', async () => {
    const photo = await photoAt('a.jpg');
    const same = editXmp(LIGHTROOM, {
      'crs:HasCrop': 'True',
      'crs:CropTop': '0.1001',
      'crs:CropLeft': '0.250000',
      'crs:CropBottom': '0.7',
      'crs:CropRight': '0.7499',
    });
    await writeFile(at('a.xmp'), same);
    expect((await writeSidecar(photo, CROP)).state).toBe('unchanged');
    expect(await readFile(at('a.xmp'), 'utf8')).toBe(same);
  });

  test('a crop made by hand inside the photo counts where there is no sidecar', async () => {
    const photo = await photoAt('a.jpg', editXmp(LIGHTROOM, MANUAL));
    expect((await writeSidecar(photo, CROP)).state).toBe('manual');
    expect(await readdir(folder)).toEqual(['a.jpg']);
    expect((await writeSidecar(photo, CROP, { force: true })).state).toBe('written');
  });

  test('a crop made by hand inside the photo counts where the sidecar says nothing of a crop', async () => {
    const photo = await photoAt('a.jpg', editXmp(LIGHTROOM, MANUAL));
    await writeFile(at('a.xmp'), LIGHTROOM);
    for (const crop of [CROP, { x: 0, y: 0, ...SIZE }]) {
      expect((await writeSidecar(photo, crop)).state).toBe('manual');
      expect(await readFile(at('a.xmp'), 'utf8')).toBe(LIGHTROOM);
    }
    expect((await writeSidecar(photo, CROP, { force: true })).state).toBe('written');
    expect((await writeSidecar(photo, CROP)).state).toBe('unchanged');
  });

  test('with a crop of ours is given another without force, and back again, until somebody moves it', async () => {
    const photo = await photoAt('a.jpg');
    const other = { x: 0, y: 0, width: 60, height: 60 };
    for (const crop of [CROP, other]) expect((await writeSidecar(photo, crop)).state).toBe('written');
    expect(fieldsOf(await readFile(at('a.xmp'), 'utf8'))).toEqual(['0', '0', '0.75', '0.5']);
    const inOtherDigits = editXmp(await readFile(at('a.xmp'), 'utf8'), { 'crs:CropRight': '0.500000' });
    await writeFile(at('a.xmp'), inOtherDigits);
    expect((await writeSidecar(photo, { x: 0, y: 0, ...SIZE })).state).toBe('written');
    const without = await readFile(at('a.xmp'), 'utf8');
    expect(fieldsOf(without, ['crs:HasCrop', 'framewright:Crop'])).toEqual(['False', undefined]);

    for (const moved of [{ 'crs:CropRight': '0.51' }, { 'crs:CropAngle': '0.5' }]) {
      await writeSidecar(photo, other, { force: true });
      const byHand = editXmp(await readFile(at('a.xmp'), 'utf8'), moved);
      await writeFile(at('a.xmp'), byHand);
      expect((await writeSidecar(photo, CROP)).state).toBe('manual');
      expect(await readFile(at('a.xmp'), 'utf8')).toBe(byHand);
    }
  });

  test('that is damaged is named and left alone', async () => {
    const photo = await photoAt('a.jpg');
    for (const damaged of [LIGHTROOM.slice(0, 700), '', Buffer.from(LIGHTROOM, 'utf16le')]) {
      await writeFile(at('a.xmp'), damaged);
      const thrown = await rejection(writeSidecar(photo, CROP, { force: true }));
      expect(thrown.code).toBe('INPUT_CORRUPT');
      expect(thrown.message).toContain(`${at('a.xmp')} is no`);
      expect((await readFile(at('a.xmp'))).equals(Buffer.from(damaged))).toBe(true);
    }
  });
});

describeWith(['exiftool'], 'as exiftool reads it', () => {
  test('the rectangle of each EXIF orientation is the same to a pixel, and the rest is still there', async () => {
    const upright = { width: 1201, height: 803 };
    const crop = { x: 101, y: 57, width: 703, height: 501 };
    for (const orientation of ORIENTATIONS) {
      const stored = storedFor(plain(upright, [9, 9, 9]), orientation);
      await writeFile(
        at(`${orientation}.jpg`),
        await fromRaster(stored).withMetadata({ orientation }).jpeg({ quality: 20 }).toBuffer(),
      );
      if (orientation % 2 === 0) await writeFile(at(`${orientation}.xmp`), LIGHTROOM);
      await writeSidecar(await decodePhoto(at(`${orientation}.jpg`)), crop);
    }
    const files = ORIENTATIONS.map((orientation) => at(`${orientation}.xmp`));
    const read = JSON.parse(exiftool('-j', '-n', '-G1', ...files)) as Record<string, unknown>[];
    for (const [i, orientation] of ORIENTATIONS.entries()) {
      const tags = read[i]!;
      const [top, left, bottom, right] = ['Top', 'Left', 'Bottom', 'Right'].map((side) =>
        Number(tags[`XMP-crs:Crop${side}`]),
      );
      // Turned upright again by the definition of the eight orientations, on the corners as shares.
      const turn: Record<number, (x: number, y: number) => [number, number]> = {
        1: (x, y) => [x, y],
        2: (x, y) => [1 - x, y],
        3: (x, y) => [1 - x, 1 - y],
        4: (x, y) => [x, 1 - y],
        5: (x, y) => [y, x],
        6: (x, y) => [1 - y, x],
        7: (x, y) => [1 - y, 1 - x],
        8: (x, y) => [y, 1 - x],
      };
      const corners = [turn[orientation]!(left!, top!), turn[orientation]!(right!, bottom!)];
      const xs = corners.map(([x]) => x * upright.width).sort((a, b) => a - b);
      const ys = corners.map(([, y]) => y * upright.height).sort((a, b) => a - b);
      for (const [got, wanted] of [
        [xs[0]!, crop.x],
        [xs[1]!, crop.x + crop.width],
        [ys[0]!, crop.y],
        [ys[1]!, crop.y + crop.height],
      ] as const) {
        expect(Math.abs(got - wanted)).toBeLessThan(0.01);
      }
      expect(tags).toMatchObject({ 'XMP-crs:HasCrop': true, 'XMP-crs:CropAngle': 0 });
      if (orientation % 2 === 0) {
        expect(tags).toMatchObject({
          'XMP-xmp:Rating': 4,
          'XMP-dc:Subject': 'dogs & sand',
          'XMP-crs:Exposure2012': '+0.35',
        });
      }
    }
    expect(exiftool('-validate', '-warning', '-s3', at('1.xmp')).trim()).toBe('OK');
  });
});
