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
import { exifBlock } from './exif-block.js';
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

const SONY = { make: 'SONY', model: 'ILCE-7M3', header: '' };
const CANON = { make: 'Canon', model: 'Canon EOS 5D Mark IV', header: '' };

/** A maker's notes: a field of SHORTs, whose offset counts from the EXIF block's first byte, as theirs does, and another one. */
function notes(header: string, tag: number, values: readonly number[], at: number, littleEndian: boolean): Buffer {
  const bytes = Buffer.alloc(header.length + 2 + 24 + 4 + 2 * values.length);
  const u16 = (value: number, to: number): number =>
    littleEndian ? bytes.writeUInt16LE(value & 0xffff, to) : bytes.writeUInt16BE(value & 0xffff, to);
  const u32 = (value: number, to: number): number =>
    littleEndian ? bytes.writeUInt32LE(value, to) : bytes.writeUInt32BE(value, to);
  bytes.write(header, 'latin1');
  const ifdAt = header.length;
  u16(2, ifdAt);
  u16(tag, ifdAt + 2);
  u16(3, ifdAt + 4);
  u32(values.length, ifdAt + 6);
  u32(at + ifdAt + 30, ifdAt + 10);
  u16(0xfff0, ifdAt + 14);
  u16(3, ifdAt + 16);
  u32(1, ifdAt + 18);
  values.forEach((value, i) => u16(value, ifdAt + 30 + 2 * i));
  return bytes;
}

/** The photo with such notes, a JPEG at this orientation. */
async function photoOf(
  camera: { readonly make: string; readonly model: string; readonly header: string },
  tag: number,
  values: readonly number[],
  {
    orientation = 1,
    littleEndian = true,
  }: { readonly orientation?: Orientation; readonly littleEndian?: boolean } = {},
): Promise<string> {
  const exif = (note: Buffer): Buffer =>
    exifBlock({
      littleEndian,
      main: [
        [0x010f, 2, camera.make],
        [0x0110, 2, camera.model],
        [0x0112, 3, [orientation]],
      ],
      exif: [[0x927c, 7, note]],
    });
  const marked = notes(camera.header, tag, values, 0, littleEndian).fill(0xee);
  const at = exif(marked).indexOf(marked);
  const block = Buffer.concat([Buffer.from('Exif\0\0'), exif(notes(camera.header, tag, values, at, littleEndian))]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(block.length + 2);
  const jpeg = await fromRaster(storedFor(UPRIGHT, orientation)).jpeg().toBuffer();
  const file = path.join(folder, `${camera.model}-${orientation}.jpg`.replaceAll(' ', ''));
  writeFileSync(file, Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xe1]), length, block, jpeg.subarray(2)]));
  return file;
}

/** AFInfo2 of an EOS camera: three points, of which `inFocus` are in focus. */
function afInfo2(
  { width, height }: { readonly width: number; readonly height: number },
  points: readonly (readonly [x: number, y: number])[],
  inFocus: number,
): number[] {
  const n = points.length;
  const sizes = Array<number>(2 * n).fill(20);
  const x = points.map(([left]) => left - width / 2);
  const y = points.map(([, top]) => height / 2 - top);
  const values = [2, n, n, width, height, width, height, ...sizes, ...x, ...y, inFocus, 0, 0];
  return [2 * (values.length + 1), ...values];
}

/** One number of what exiftool reads. */
function read(file: string, tag: string): number[] {
  return exiftool('-n', '-s3', `-${tag}`, file).trim().split(' ').map(Number);
}

describeWith(['exiftool'], "where a camera's autofocus was, by its maker's notes", () => {
  test.each(ORIENTATIONS)('is found in the upright photo at EXIF orientation %i', async (orientation) => {
    const { width, height } = storedFor(UPRIGHT, orientation);
    const [x, y] = lightPixel(orientation);
    for (const littleEndian of [true, false]) {
      for (const camera of [SONY, { ...SONY, model: 'DSC-RX100', header: 'SONY DSC \0\0\0' }]) {
        const file = await photoOf(camera, 0x2027, [width, height, x, y], { orientation, littleEndian });
        expect(read(file, 'Sony:FocusLocation')).toEqual([width, height, x, y]);
        const found = cameraFocus(await decodePhoto(file));
        expect(found).toEqual({ tag: 'Sony:FocusLocation', point: [230, 40] });
      }
      const values = afInfo2(
        { width, height },
        [
          [20, 20],
          [x, y],
          [width - 20, 20],
        ],
        2,
      );
      const file = await photoOf(CANON, 0x26, values, { orientation, littleEndian });
      expect(read(file, 'Canon:AFAreaXPositions')[1]).toBe(x - width / 2);
      expect(read(file, 'Canon:AFAreaYPositions')[1]).toBe(height / 2 - y);
      expect(read(file, 'Canon:AFPointsInFocus')).toEqual([2]);
      const found = cameraFocus(await decodePhoto(file));
      expect(found).toEqual({ tag: 'Canon:AFPointsInFocus', point: [230, 40] });
    }
  });

  test('is the middle of points in focus that are together, and nowhere of those that are not', async () => {
    const size = { width: 300, height: 200 };
    const points = [
      [200, 30],
      [260, 50],
      [20, 180],
    ] as const;
    const of = async (bits: number) =>
      cameraFocus(await decodePhoto(await photoOf(CANON, 0x26, afInfo2(size, points, bits))));
    expect(await of(0b011)).toEqual({ tag: 'Canon:AFPointsInFocus', point: [230, 40] });
    expect(await of(0b111)).toBeUndefined();
    expect(await of(0b101)).toBeUndefined();
    expect(await of(0b000)).toBeUndefined();
  });

  test.each<[string, () => Promise<string>]>([
    ['of a photo that was scaled', () => photoOf(SONY, 0x2027, [600, 400, 460, 80])],
    ['in the very middle', () => photoOf(SONY, 0x2027, [300, 200, 150, 100])],
    ['of no photo', () => photoOf(SONY, 0x2027, [0, 0, 0, 0])],
    ['cut short', () => photoOf(SONY, 0x2027, [300, 200, 230])],
    [
      'of a compact camera, whose y axis points down',
      () =>
        photoOf({ ...CANON, model: 'Canon PowerShot G9' }, 0x26, afInfo2({ width: 300, height: 200 }, [[230, 40]], 1)),
    ],
    [
      'of more points than there are numbers',
      () => photoOf(CANON, 0x26, afInfo2({ width: 300, height: 200 }, [[230, 40]], 1).with(2, 400)),
    ],
    [
      'of another length than it says',
      () => photoOf(CANON, 0x26, afInfo2({ width: 300, height: 200 }, [[230, 40]], 1).with(0, 2)),
    ],
    ['of a maker whose notes are not read', () => photoOf({ ...SONY, make: 'Leica' }, 0x2027, [300, 200, 230, 40])],
  ])('tells nothing where it is %s', async (_, make) => {
    expect(cameraFocus(await decodePhoto(await make()))).toBeUndefined();
  });

  test('is what the crop is built around, after the subject that EXIF has, and said in the result', async () => {
    const file = await photoOf(SONY, 0x2027, [300, 200, 230, 40]);
    await using cropper = await openCropper({ engine: 'centre' });
    const { crop, cameraFocus: told } = await cropper.crop(file, { aspect: '1:1', minSize: 0 });
    expect(told).toEqual({ tag: 'Sony:FocusLocation', x: 230, y: 40 });
    expect(crop.x).toBeLessThanOrEqual(230);
    expect(crop.x + crop.width).toBeGreaterThan(230);
    const without = await cropper.crop(file, { aspect: '1:1', minSize: 0, cameraFocus: false });
    expect(without.crop).not.toEqual(crop);
    exiftool('-overwrite_original', '-n', '-SubjectLocation=100 150', file);
    expect(cameraFocus(await decodePhoto(file))).toEqual({ tag: 'SubjectLocation', point: [100, 150] });
  });
});

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
