import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeCrop } from '../../../src/photo/crop-file.js';
import { decodePhoto } from '../../../src/photo/decode.js';
import { readHandCrop } from '../../../src/photo/metadata/hand-crop.js';
import { regionsOfCrop } from '../../../src/photo/metadata/regions.js';
import { writeSidecar } from '../../../src/photo/metadata/sidecar.js';
import { readXmp, type XmpName } from '../../../src/photo/metadata/xmp.js';
import { seededRandom } from '../../../src/base/random.js';
import { turnPhoto } from '../../../src/photo/turn/turn-photo.js';
import { straightPoint, turnOf } from '../../../src/photo/turn/turn.js';
import { ORIENTATIONS } from '../fixtures.js';
import { darktable, describeWith, exiftool, testWith } from '../../support/system-tools.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'framewright-turned-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
const at = (name: string): string => path.join(folder, name);

/** Stored pixels that are the same nowhere. */
async function spotted(name: string, orientation: number, width = 600, height = 400): Promise<string> {
  const random = seededRandom(5);
  const colour = (): string => `rgb(${[0, 0, 0].map(() => Math.floor(255 * random())).join(',')})`;
  const spots = Array.from(
    { length: 90 },
    () => `<circle cx="${random() * width}" cy="${random() * height}" r="${8 + 30 * random()}" fill="${colour()}"/>`,
  );
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#777"/>${spots.join('')}</svg>`;
  await writeFile(
    at(name),
    await sharp(Buffer.from(svg)).withMetadata({ orientation }).jpeg({ quality: 97 }).toBuffer(),
  );
  return at(name);
}

const FIELDS = ['crs:CropTop', 'crs:CropLeft', 'crs:CropBottom', 'crs:CropRight', 'crs:CropAngle'] as const;
const fieldsOf = (xmp: string): number[] => FIELDS.map((name: XmpName) => Number(readXmp(xmp, name)));

describe('the sidecar of a straightened photo', () => {
  /**
   * "Lightroom / Camera Raw / DNG / XMP: What is the formula for converting crop coordinates when a photo gets angled?",
   * Adobe's forum: in a photo of 3:2 the crop .3, .4, .8, .9 turned by -10 is .36916, .374965, .73084, .925035.
   */
  test('says what Camera Raw says of the same crop', async () => {
    const photo = await turnPhoto(await decodePhoto(await spotted('a.jpg', 1, 3000, 2000)), 10);
    const [x, y] = straightPoint([0.65 * 3000, 0.55 * 2000], photo.turn!);
    const crop = { x: Math.round(x - 750), y: Math.round(y - 500), width: 1500, height: 1000 };
    await writeSidecar(photo, crop, { path: at('a.xmp') });
    const [top, left, bottom, right, angle] = fieldsOf(await readFile(at('a.xmp'), 'utf8'));
    expect(angle).toBe(-10);
    for (const [ours, theirs] of [
      [top, 0.36916],
      [left, 0.374965],
      [bottom, 0.73084],
      [right, 0.925035],
    ] as const) {
      expect(Math.abs(ours! - theirs)).toBeLessThan(0.0006);
    }
  });

  test('is replaced by a later crop, unchanged by the same, left alone once somebody has turned it, and taken back', async () => {
    const file = await spotted('a.jpg', 1);
    const plain = await decodePhoto(file);
    const turned = await turnPhoto(plain, 2.5);
    const crop = { x: 20, y: 30, width: 300, height: 200 };
    expect((await writeSidecar(turned, crop)).state).toBe('written');
    expect((await writeSidecar(turned, crop)).state).toBe('unchanged');
    expect(await readHandCrop(plain)).toEqual({ unusable: 'its crop was written by framewright, not by hand' });
    expect((await writeSidecar(await turnPhoto(plain, -1), crop)).state).toBe('written');
    const xmp = await readFile(at('a.xmp'), 'utf8');
    expect(fieldsOf(xmp)[4]).toBe(1);
    await writeFile(at('a.xmp'), xmp.replace('crs:CropAngle="1"', 'crs:CropAngle="1.4"'));
    expect((await writeSidecar(turned, crop)).state).toBe('manual');
    expect(await readHandCrop(plain)).toEqual({ unusable: 'its crop is turned by an angle' });
    await writeFile(at('a.xmp'), xmp);
    expect((await writeSidecar(plain, { x: 0, y: 0, width: 600, height: 400 })).state).toBe('written');
    const back = await readFile(at('a.xmp'), 'utf8');
    expect([readXmp(back, 'crs:HasCrop'), readXmp(back, 'crs:CropAngle')]).toEqual(['False', '0']);
  });

  test('holds a crop of all of the straight photo, which is not all of the photo', async () => {
    const photo = await turnPhoto(await decodePhoto(await spotted('a.jpg', 6)), 2);
    await writeSidecar(photo, { x: 0, y: 0, width: photo.width, height: photo.height });
    expect(readXmp(await readFile(at('a.xmp'), 'utf8'), 'crs:HasCrop')).toBe('True');
  });

  testWith(['exiftool'], 'is read by exiftool', async () => {
    const photo = await turnPhoto(await decodePhoto(await spotted('a.jpg', 5)), 2);
    await writeSidecar(photo, { x: 10, y: 10, width: 100, height: 90 });
    expect(exiftool('-s3', '-XMP-crs:CropAngle', '-XMP-crs:HasCrop', at('a.xmp')).trim().split('\n')).toEqual([
      '2',
      'True',
    ]);
  });

  describeWith(['darktable'], 'in darktable', () => {
    test.each(ORIENTATIONS)('cuts out what we cut out, orientation %i', async (orientation) => {
      const file = await spotted('a.jpg', orientation);
      const plain = await decodePhoto(file);
      // One straight crop in another orientation than the stored one; darktable takes its seconds.
      for (const angleDeg of orientation === 6 ? [0, 4] : [4]) {
        const photo = await turnPhoto(plain, angleDeg);
        const crop = {
          x: Math.round(0.1 * photo.width),
          y: Math.round(0.15 * photo.height),
          width: Math.round(0.5 * photo.width),
          height: Math.round(0.6 * photo.height),
        };
        await writeSidecar(photo, crop);
        const png = at(`developed-${angleDeg}.png`);
        darktable(file, png, at('settings'));
        const theirs = await sharp(png).metadata();
        expect(Math.abs(theirs.width - crop.width) + Math.abs(theirs.height - crop.height)).toBeLessThanOrEqual(2);
        const ours = await encodeCrop(photo, { crop, format: 'png' });
        const pixels = (input: Uint8Array | string): Promise<Buffer> =>
          sharp(input)
            .resize(crop.width, crop.height, { fit: 'fill' })
            .toColourspace('srgb')
            .removeAlpha()
            .raw()
            .toBuffer();
        const [a, b] = [await pixels(ours.bytes), await pixels(png)];
        const mean = a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;
        // Of another crop, or the same turned the other way, it is 40 and more.
        expect(mean).toBeLessThan(8);
      }
    });
  });
});

describe('what a straightened photo says of places in it', () => {
  const stored = { width: 200, height: 100 };
  const turn = turnOf(stored, 5);
  const crop = { x: 20, y: 10, width: 100, height: 60 };
  const change = { stored, orientation: 1, turn, crop, output: { width: 100, height: 60 } };

  test('regions stay upright about where their middle went', () => {
    const xmp = (x: number, y: number, w: number, h: number): string =>
      `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"><r><rdf:Description stArea:x="${x}" stArea:y="${y}" stArea:w="${w}" stArea:h="${h}" stArea:unit="normalized"/></r></rdf:Description></rdf:RDF></x:xmpmeta>`;
    const [x, y] = straightPoint([80, 45], turn);
    const share = (value: number): number => Number(value.toFixed(6));
    expect(regionsOfCrop(xmp(0.4, 0.45, 0.1, 0.2), change)).toBe(
      xmp(share((x - 20) / 100), share((y - 10) / 60), 0.2, share(20 / 60)),
    );
  });

  testWith(['exiftool'], 'the subject of EXIF moves as its pixels do', async () => {
    const file = await spotted('a.jpg', 6, 200, 100);
    exiftool('-overwrite_original', '-SubjectArea=80 45 10 12', file);
    const photo = await turnPhoto(await decodePhoto(file), 5);
    const { bytes } = await encodeCrop(photo, { crop: { x: 10, y: 20, width: 60, height: 100 } });
    await writeFile(at('b.jpg'), bytes);
    // Stored (80, 45) is (55, 80) upright: 100 px wide, turned by a quarter, clockwise.
    const [x, y] = straightPoint([55, 80], photo.turn!);
    const expected = [Math.round(x - 10), Math.round(y - 20), 12, 10].join(' ');
    expect(exiftool('-s3', '-n', '-SubjectArea', at('b.jpg')).trim()).toBe(expected);
  });
});
