import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodePhoto, openCropper } from '../../../src/index.js';
import { cameraFocus } from '../../../src/photo/metadata/camera-focus.js';
import {
  DARK,
  fromRaster,
  LIGHT,
  ORIENTATIONS,
  plain,
  storedFor,
  withRectangle,
  type Orientation,
} from '../fixtures.js';
import { describeWith, exiftool } from '../../support/system-tools.js';

/** Upright: the light pixel of the stored photo is where exiftool says the subject is. */
const UPRIGHT = withRectangle(plain({ width: 300, height: 200 }, DARK), [230, 40, 231, 41], LIGHT);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-camera-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A photo with these tags, as exiftool writes them. */
async function photoWith(tags: readonly string[], orientation: Orientation = 1): Promise<string> {
  const stored = storedFor(UPRIGHT, orientation);
  const file = path.join(folder, `${orientation}-${tags.join('').replaceAll(/\W/g, '')}.jpg`);
  writeFileSync(file, await fromRaster(stored).jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer());
  exiftool('-overwrite_original', '-n', `-Orientation=${orientation}`, ...tags, file);
  return file;
}

/** Where the light pixel lies in the stored photo, found by its value. */
function lightPixel(orientation: Orientation): [number, number] {
  const { rgb, width } = storedFor(UPRIGHT, orientation);
  const at = Array.from({ length: rgb.length / 3 }, (_, i) => rgb[3 * i]!).findIndex((red) => red > 128);
  return [at % width, Math.floor(at / width)];
}

describeWith(['exiftool'], 'the subject that a camera has noted', () => {
  test.each(ORIENTATIONS)('is found in the upright photo at EXIF orientation %i', async (orientation) => {
    const [x, y] = lightPixel(orientation);
    for (const [tags, tag] of [
      [[`-SubjectArea=${x} ${y}`], 'SubjectArea'],
      [[`-SubjectArea=${x} ${y} 30`], 'SubjectArea'],
      [[`-SubjectArea=${x} ${y} 30 20`, '-SubjectLocation=1 1'], 'SubjectArea'],
      [[`-SubjectLocation=${x} ${y}`], 'SubjectLocation'],
    ] as const) {
      const photo = await decodePhoto(await photoWith(tags, orientation));
      expect(cameraFocus(photo)).toEqual({ tag, point: [230, 40] });
    }
  });

  test.each([
    ['the very middle, where cameras measure', ['-SubjectArea=151 99 100 80']],
    ['outside the photo', ['-SubjectArea=400 50']],
    ['of another size', ['-SubjectArea=230 40', '-ExifImageWidth=600', '-ExifImageHeight=400']],
    ['0, 0', ['-SubjectLocation=0 0']],
    ['nothing', ['-Artist=Ann']],
  ])('tells nothing where it is %s', async (_, tags) => {
    expect(cameraFocus(await decodePhoto(await photoWith(tags)))).toBeUndefined();
  });

  test('is what the crop is built around, unless it is told not to or another focus is given', async () => {
    const file = await photoWith([`-SubjectArea=${lightPixel(6).join(' ')} 20 20`], 6);
    const upright = await decodePhoto(file);
    const point = cameraFocus(upright)!.point;
    await using cropper = await openCropper({ engine: 'centre' });
    const { crop, focalPoint, cameraFocus: told } = await cropper.crop(file, { aspect: '1:1', minSize: 0 });
    expect(told).toEqual({ tag: 'SubjectArea', x: point[0], y: point[1] });
    expect(point[0] >= crop.x && point[0] < crop.x + crop.width).toBe(true);
    expect(focalPoint.x).toBeCloseTo((point[0] + 0.5) / upright.width, 3);
    const without = await cropper.crop(file, { aspect: '1:1', minSize: 0, cameraFocus: false });
    expect(without.cameraFocus).toBeUndefined();
    expect(without.crop).not.toEqual(crop);
    expect((await cropper.crop(file, { aspect: '1:1', focus: [20, 90] })).cameraFocus).toBeUndefined();
  });

  test('costs no ratio: beside what is to be kept it is given up', async () => {
    const file = await photoWith(['-SubjectArea=280 100']);
    await using cropper = await openCropper({ engine: 'rules' });
    const { crop, cameraFocus: told } = await cropper.crop(file, {
      aspect: '1:2',
      keep: [{ x: 0, y: 20, width: 40, height: 40 }],
    });
    expect(crop.x).toBe(0);
    expect(told).toBeUndefined();
  });
});
