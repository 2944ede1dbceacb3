import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodePhoto, type Photo } from '../../../src/photo/decode.js';
import { sidecarPathOf, writeSidecar } from '../../../src/photo/metadata/sidecar.js';
import { encodeCrop } from '../../../src/photo/crop-file.js';
import { embedMetadata } from '../../../src/photo/metadata/embed.js';
import { editXmp, readXmp, type XmpName } from '../../../src/photo/metadata/xmp.js';
import { fromRaster, ORIENTATIONS, plain, storedFor, withRectangle } from '../fixtures.js';
import { rejection } from '../thrown.js';
import { declareWhere, describeWith, exiftool } from '../../support/system-tools.js';

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
   photoshop:SidecarForExtension="JPG"
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
      .replace(/\n {3}(?:crs:Crop|framewright:|xmlns:framewright|tiff:|xmlns:tiff)\w*="[^"]+"/g, '')
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
    for (const damaged of [LIGHTROOM.slice(0, 700), '', Buffer.from(`\ufeff${LIGHTROOM}`, 'utf16le').subarray(0, -1)]) {
      await writeFile(at('a.xmp'), damaged);
      const thrown = await rejection(writeSidecar(photo, CROP, { force: true }));
      expect(thrown.code).toBe('INPUT_CORRUPT');
      expect(thrown.message).toContain(`${at('a.xmp')} is no`);
      expect((await readFile(at('a.xmp'))).equals(Buffer.from(damaged))).toBe(true);
    }
  });
});

describe('a sidecar of another file', () => {
  test('keeps its rectangle: what it names, and a raw file of that name beside the photo, is not the photo', async () => {
    const photo = await photoAt('a.jpg');
    const named = [
      LIGHTROOM.replace('"JPG"', '"CR2"'),
      editXmp(LIGHTROOM, { 'crs:RawFileName': 'other.jpg' }),
      editXmp(LIGHTROOM, { 'photoshop:SidecarForExtension': undefined, 'crs:RawFileName': 'a.CR2' }),
    ];
    for (const of of named) {
      await rm(at('a.jpg.xmp'), { force: true });
      await writeFile(at('a.xmp'), of);
      expect(await writeSidecar(photo, CROP)).toEqual({ path: at('a.jpg.xmp'), state: 'written' });
      expect(await readFile(at('a.xmp'), 'utf8')).toBe(of);
    }
    await rm(at('a.xmp'));
    await rm(at('a.jpg.xmp'));
    await writeFile(at('A.ARW'), '');
    expect(await writeSidecar(photo, CROP)).toEqual({ path: at('a.jpg.xmp'), state: 'written' });
    expect((await readdir(folder)).sort()).toEqual(['A.ARW', 'a.jpg', 'a.jpg.xmp']);
  });

  test('that names the photo in other letters is the photo’s', async () => {
    const photo = await photoAt('a.jpeg');
    await writeFile(at('a.xmp'), editXmp(LIGHTROOM, { 'crs:RawFileName': 'A.JPEG' }));
    expect(await writeSidecar(photo, CROP)).toEqual({ path: at('a.xmp'), state: 'written' });
  });

  test('is written to by force alone where it is asked for by its path', async () => {
    const photo = await photoAt('a.jpg');
    const ofRaw = LIGHTROOM.replace('"JPG"', '"CR2"');
    await writeFile(at('a.jpg.xmp'), ofRaw);
    const thrown = await rejection(writeSidecar(photo, CROP));
    expect([thrown.code, thrown.message]).toEqual([
      'OUTPUT_EXISTS',
      `${at('a.jpg.xmp')} is the sidecar of a CR2 file: --force writes to it all the same`,
    ]);
    expect(await readFile(at('a.jpg.xmp'), 'utf8')).toBe(ofRaw);
    expect((await writeSidecar(photo, CROP, { force: true })).state).toBe('written');
  });
});

describe('a sidecar that is no plain file', () => {
  test.each(['a.xmp', 'a.jpg.xmp'])('%s as a link elsewhere is not written through without force', async (name) => {
    const photo = await photoAt('a.jpg');
    for (const target of ['elsewhere', 'missing']) {
      await rm(at(name), { force: true });
      if (target === 'elsewhere') await writeFile(at(target), LIGHTROOM);
      await symlink(at(target), at(name));
      const thrown = await rejection(writeSidecar(photo, CROP, { path: at(name) }));
      expect([thrown.code, thrown.message]).toEqual([
        'OUTPUT_EXISTS',
        `${at(name)} is a link to ${at(target)}: --force writes to that file`,
      ]);
    }
    expect(await readFile(at('elsewhere'), 'utf8')).toBe(LIGHTROOM);
    expect(await readdir(folder)).not.toContain('missing');
    await rm(at(name));
    await symlink(at('elsewhere'), at(name));
    expect((await writeSidecar(photo, CROP, { path: at(name), force: true })).state).toBe('written');
    expect(fieldsOf(await readFile(at('elsewhere'), 'utf8'))).toEqual(['0.1', '0.25', '0.7', '0.75']);
  });

  declareWhere(process.platform !== 'win32', 'a sidecar that is a pipe', 'named pipes', () => {
    test('is named and not waited for, nor read without end', async () => {
      const photo = await photoAt('a.jpg');
      const refused = async (force = false): Promise<string> => {
        const { code, message } = await rejection(writeSidecar(photo, CROP, { force }));
        expect(message).toContain(at('a.xmp'));
        return code;
      };
      execFileSync('mkfifo', [at('a.xmp')]);
      expect(await refused()).toBe('INPUT_UNREADABLE');
      await rm(at('a.xmp'));
      await symlink('/dev/zero', at('a.xmp'));
      expect([await refused(), await refused(true)]).toEqual(['OUTPUT_EXISTS', 'INPUT_UNREADABLE']);
      await rm(at('a.xmp'));
      await writeFile(at('a.xmp'), '');
      await truncate(at('a.xmp'), 8 * 1024 ** 3);
      expect(await refused()).toBe('INPUT_TOO_LARGE');
    });
  });

  test('is refused by name where it is deeper than any XMP is', async () => {
    const photo = await photoAt('a.jpg');
    await writeFile(at('a.xmp'), '<a>'.repeat(300) + '</a>'.repeat(300));
    expect((await rejection(writeSidecar(photo, CROP))).code).toBe('INPUT_TOO_LARGE');
  });
});

describe('settings that are in the pixels already', () => {
  const applied = editXmp(LIGHTROOM, { 'crs:AlreadyApplied': 'True' });
  const cropAlone = editXmp(applied, { 'crs:Exposure2012': undefined, 'crs:ToneCurvePV2012': undefined });

  test('do not take the effect from our crop, which then is not overwritten in silence', async () => {
    const photo = await photoAt('a.jpg');
    await writeFile(at('a.xmp'), cropAlone);
    expect((await writeSidecar(photo, CROP)).state).toBe('written');
    const ours = await readFile(at('a.xmp'), 'utf8');
    expect(fieldsOf(ours, ['crs:HasCrop', 'crs:AlreadyApplied'])).toEqual(['True', 'False']);
    expect((await writeSidecar(photo, CROP)).state).toBe('unchanged');
    await writeFile(at('a.xmp'), editXmp(ours, { 'crs:CropRight': '0.8' }));
    expect((await writeSidecar(photo, CROP)).state).toBe('manual');
  });

  test('are told of and left where they would be applied twice, and go by force', async () => {
    const photo = await photoAt('a.jpg');
    await writeFile(at('a.xmp'), applied);
    expect(await writeSidecar(photo, CROP)).toEqual({ path: at('a.xmp'), state: 'manual', reason: 'applied' });
    expect(await readFile(at('a.xmp'), 'utf8')).toBe(applied);
    expect((await writeSidecar(photo, CROP, { force: true })).state).toBe('written');
    const forced = await readFile(at('a.xmp'), 'utf8');
    expect(fieldsOf(forced, ['crs:AlreadyApplied', 'crs:Exposure2012', 'xmp:Rating'])).toEqual([
      'False',
      undefined,
      '4',
    ]);
    expect(forced).toContain('dogs &amp; sand');
  });

  test('a crop among them that somebody made is not overwritten', async () => {
    const photo = await photoAt('a.jpg');
    await writeFile(at('a.xmp'), editXmp(cropAlone, { 'crs:HasCrop': 'True', 'crs:CropTop': '0.2' }));
    expect((await writeSidecar(photo, CROP)).state).toBe('manual');
    expect((await writeSidecar(photo, { x: 0, y: 0, ...SIZE })).state).toBe('unchanged');
  });
});

describe('an orientation', () => {
  test('that the sidecar alone tells is not passed over: no crop of the picture lying down is written in silence', async () => {
    const turned = editXmp(LIGHTROOM, { 'tiff:Orientation': '6' });
    const photo = await photoAt('a.jpg');
    await writeFile(at('a.xmp'), turned);
    expect(await writeSidecar(photo, CROP)).toEqual({ path: at('a.xmp'), state: 'manual', reason: 'turned' });
    expect(await readFile(at('a.xmp'), 'utf8')).toBe(turned);
    expect((await writeSidecar(photo, CROP, { force: true })).state).toBe('written');
  });

  test('that the photo tells too is believed', async () => {
    const stored = storedFor(plain(SIZE, [0, 0, 0]), 6);
    await writeFile(at('a.jpg'), await fromRaster(stored).withMetadata({ orientation: 6 }).jpeg().toBuffer());
    await writeFile(at('a.xmp'), editXmp(LIGHTROOM, { 'tiff:Orientation': '6' }));
    expect((await writeSidecar(await decodePhoto(at('a.jpg')), CROP)).state).toBe('written');
  });
});

describe('darktable’s history', () => {
  const WHOLE = '00000000000000000000803f0000803f0000000000000000';
  const TIGHT = 'cdcccc3dcdcccc3d6666663f6666663f0000000000000000';
  const history = (end: number, ...steps: (readonly [operation: string, enabled: 0 | 1, params: string])[]): string =>
    LIGHTROOM.replace(
      'crs:HasCrop="False"',
      `xmlns:darktable="http://darktable.sf.net/" darktable:history_end="${end}"`,
    ).replace(
      '   <dc:subject>',
      `<darktable:history><rdf:Seq>${steps
        .map(
          ([operation, enabled, params], i) =>
            `<rdf:li darktable:num="${i}" darktable:operation="${operation}" darktable:enabled="${enabled}" darktable:params="${params}" darktable:multi_priority="0"/>`,
        )
        .join('')}</rdf:Seq></darktable:history><dc:subject>`,
    );

  test.each([
    ['with a crop', history(1, ['crop', 1, TIGHT]), 'manual'],
    ['with a crop of the older module', history(2, ['exposure', 1, ''], ['clipping', 1, `00000000${TIGHT}`]), 'manual'],
    ['with a crop that was switched off again', history(2, ['crop', 1, TIGHT], ['crop', 0, TIGHT]), 'written'],
    ['with a crop that was undone', history(1, ['exposure', 1, ''], ['crop', 1, TIGHT]), 'written'],
    ['with the crop of all', history(1, ['crop', 1, WHOLE]), 'written'],
    ['without a crop', history(1, ['exposure', 1, '']), 'written'],
  ])('%s', async (_, xmp, state) => {
    const photo = await photoAt('p.jpg');
    await writeFile(at('p.jpg.xmp'), xmp);
    expect(await writeSidecar(photo, CROP)).toEqual({ path: at('p.jpg.xmp'), state });
    if (state === 'manual') {
      expect(await readFile(at('p.jpg.xmp'), 'utf8')).toBe(xmp);
      expect((await writeSidecar(photo, CROP, { force: true })).state).toBe('written');
    }
  });

  test('inside the photo is what became of its pixels', async () => {
    const photo = await photoAt('p.jpg', history(1, ['crop', 1, TIGHT]));
    expect((await writeSidecar(photo, CROP)).state).toBe('written');
  });
});

describe('UTF-16', () => {
  const inBytes = (text: string, encoding: 'utf-16le' | 'utf-16be'): Buffer => {
    const bytes = Buffer.from(text, 'utf16le');
    return encoding === 'utf-16le' ? bytes : bytes.swap16();
  };

  test.each(['utf-16le', 'utf-16be'] as const)('a sidecar in %s is read, and stays in it', async (encoding) => {
    const photo = await photoAt('a.jpg');
    for (const mark of ['\ufeff', '']) {
      const before = `${mark}${LIGHTROOM.replace('sand', 'Dünensand 砂')}`;
      await writeFile(at('a.xmp'), inBytes(before, encoding));
      expect((await writeSidecar(photo, CROP)).state).toBe('written');
      const after = new TextDecoder(encoding, { ignoreBOM: true }).decode(await readFile(at('a.xmp')));
      expect(after.startsWith(`${mark}<x:xmpmeta`)).toBe(true);
      expect(after).toContain('Dünensand 砂');
      expect(fieldsOf(after)).toEqual(['0.1', '0.25', '0.7', '0.75']);
      expect((await writeSidecar(photo, CROP)).state).toBe('unchanged');
    }
  });

  test.each(['utf-16le', 'utf-16be'] as const)(
    'XMP inside a photo in %s goes into its crop as UTF-8',
    async (encoding) => {
      const text = `\ufeff<?xml version="1.0" encoding="UTF-16"?>\n${LIGHTROOM.replace('sand', 'Dünensand 砂')}`;
      const plainPng = await fromRaster(plain(SIZE, [1, 2, 3]))
        .webp()
        .toBuffer();
      const xmp = inBytes(text, encoding).toString('latin1');
      const webp = embedMetadata({ bytes: plainPng, format: 'webp', ...SIZE }, { xmp: 'x'.repeat(xmp.length) });
      const file = Buffer.from(webp);
      file.write(xmp, file.indexOf('x'.repeat(xmp.length)), 'latin1');
      const { bytes } = await encodeCrop(await decodePhoto(file), { crop: CROP });
      expect((await sharp(bytes).metadata()).xmpAsString).toBe(LIGHTROOM.replace('sand', 'Dünensand 砂'));
    },
  );
});

test.each([
  ['of no number', { ...CROP, x: NaN }],
  ['outside the photo', { ...CROP, x: 100 }],
  ['in parts of pixels', { ...CROP, width: 10.5 }],
  ['without area', { ...CROP, height: 0 }],
  ['of infinite size', { ...CROP, width: Infinity }],
])('a crop %s is refused before anything is written', async (_, crop) => {
  const photo = await photoAt('a.jpg');
  expect((await rejection(writeSidecar(photo, crop))).code).toBe('USAGE');
  expect(await readdir(folder)).toEqual(['a.jpg']);
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
