import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { exifOfCrop } from '../../../src/photo/metadata/exif.js';
import { hasThumbnail } from '../../../src/photo/metadata/exif-thumbnail.js';
import { TAG } from '../../../src/photo/formats/exif-tags.js';
import {
  entryOf,
  numbersOf,
  openTiffBlock,
  readIfd,
  readSubIfd,
  type Ifd,
  type TiffBlock,
} from '../../../src/photo/formats/ifd.js';
import type { PixelChange } from '../../../src/photo/metadata/orientation.js';
import { ORIENTATIONS, storedFor, plain, withRectangle } from '../fixtures.js';
import { randomInts } from '../random.js';
import { exifBlock, type TestExif } from './exif-block.js';

const CHANGE: PixelChange = {
  stored: { width: 400, height: 300 },
  orientation: 1,
  crop: { x: 50, y: 20, width: 200, height: 100 },
  output: { width: 200, height: 100 },
};

const PHOTO: TestExif = {
  main: [
    [0x0100, 3, [400]],
    [0x0101, 3, [300]],
    [0x010f, 2, 'Maker'],
    [0x0112, 3, [6]],
  ],
  exif: [
    [0x9286, 7, Buffer.from('ASCII\0\0\0a long comment')],
    [TAG.pixelXDimension, 3, [400]],
    [TAG.pixelYDimension, 4, [300]],
  ],
};

function opened(bytes: Uint8Array | undefined): { block: TiffBlock; main: Ifd; exif: Ifd | undefined } {
  const block = openTiffBlock(bytes!)!;
  const main = readIfd(block, block.firstAt)!;
  return { block, main, exif: readSubIfd(block, main, TAG.exifIfd) };
}

function values(block: TiffBlock, ifd: Ifd | undefined, tag: number): number[] | undefined {
  const entry = entryOf(ifd, tag);
  return entry && numbersOf(block, entry);
}

describe('EXIF of a crop', () => {
  test.each([true, false])('is upright and has its dimensions, little-endian: %s', (littleEndian) => {
    const { block, main, exif } = opened(exifOfCrop(exifBlock({ ...PHOTO, littleEndian }), CHANGE));
    expect(values(block, main, TAG.orientation)).toEqual([1]);
    expect([values(block, main, TAG.imageWidth), values(block, main, TAG.imageLength)]).toEqual([[200], [100]]);
    expect([TAG.pixelXDimension, TAG.pixelYDimension].map((tag) => values(block, exif, tag))).toEqual([[200], [100]]);
  });

  test('is the same bytes but for what had to change, so that maker notes stay where their offsets point', () => {
    const before = exifBlock({
      ...PHOTO,
      main: [...PHOTO.main.slice(2, 3), [0x0112, 3, [1]]],
      exif: PHOTO.exif!.slice(0, 1),
    });
    expect(Buffer.compare(exifOfCrop(before, CHANGE)!, before)).toBe(0);
  });

  test('has a LONG where a SHORT cannot hold the new side', () => {
    const change = { ...CHANGE, output: { width: 70_000, height: 10 } };
    const { block, exif } = opened(exifOfCrop(exifBlock(PHOTO), change));
    expect(values(block, exif, TAG.pixelXDimension)).toEqual([70_000]);
  });

  test('leaves the block it was given alone', () => {
    const before = exifBlock(PHOTO);
    const copy = Buffer.from(before);
    exifOfCrop(before, CHANGE);
    expect(before.equals(copy)).toBe(true);
  });

  test.each(ORIENTATIONS)('speaks of the subject where the pixels show it, orientation %i', (orientation) => {
    const upright = { width: 120, height: 80 };
    const crop = { x: 30, y: 20, width: 60, height: 50 };
    // A light rectangle of 10x6 px, its middle at (55, 43) of the upright photo, found again in the stored pixels.
    const stored = storedFor(withRectangle(plain(upright, [0, 0, 0]), [50, 40, 60, 46], [255, 255, 255]), orientation);
    const light = [...stored.rgb.keys()].filter((i) => i % 3 === 0 && stored.rgb[i]! > 0).map((i) => i / 3);
    const [xs, ys] = [light.map((i) => i % stored.width), light.map((i) => Math.floor(i / stored.width))];
    const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs) + 1, Math.min(...ys), Math.max(...ys) + 1];
    const area = [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top];
    const block = exifBlock({ main: [[0x0112, 3, [orientation]]], exif: [[TAG.subjectArea, 3, area]] });
    const after = opened(exifOfCrop(block, { stored, orientation, crop, output: { width: 120, height: 100 } }));
    expect(values(after.block, after.exif, TAG.subjectArea)).toEqual([50, 46, 20, 12]);
  });

  test('no longer speaks of a subject that was cropped away, and keeps what stood beside it', () => {
    const block = exifBlock({
      main: [[0x010f, 2, 'Maker']],
      exif: [...PHOTO.exif!, [TAG.subjectArea, 3, [10, 10]], [0xa420, 2, 'an identity of 32 characters']],
    });
    const after = opened(exifOfCrop(block, CHANGE));
    expect(values(after.block, after.exif, TAG.subjectArea)).toBeUndefined();
    expect(after.exif!.entries.map(({ tag }) => tag)).toEqual([0x9286, 0xa002, 0xa003, 0xa420]);
  });
});

describe('the thumbnail', () => {
  const jpeg = (width: number, height: number, colour: string): Promise<Buffer> =>
    sharp({ create: { width, height, channels: 3, background: colour } })
      .jpeg()
      .toBuffer();
  const shown = (bytes: Uint8Array): Uint8Array => {
    const { block, main } = opened(bytes);
    const second = readIfd(block, block.view.getUint32(main.nextAt!, block.littleEndian));
    const [at] = values(block, second, TAG.thumbnailOffset)!;
    const [length] = values(block, second, TAG.thumbnailLength)!;
    return bytes.subarray(at, at! + length!);
  };

  test('is replaced by a smaller and by a larger one, and nothing of the old one is left', async () => {
    const old = Buffer.concat([await jpeg(160, 120, 'red'), Buffer.from('THE OLD PICTURE')]);
    const before = exifBlock({ ...PHOTO, thumbnail: old, second: [[0x0112, 3, [6]]] });
    expect(hasThumbnail(before)).toBe(true);
    for (const bytes of [
      await jpeg(16, 12, 'blue'),
      Buffer.concat([await jpeg(160, 80, 'blue'), Buffer.alloc(5000)]),
    ]) {
      const after = exifOfCrop(before, CHANGE, { bytes, width: 160, height: 80 })!;
      expect(Buffer.from(shown(after)).equals(bytes)).toBe(true);
      expect(Buffer.from(after).includes('THE OLD PICTURE')).toBe(false);
    }
  });

  test('is dropped without another one, with its bytes', async () => {
    const old = await jpeg(160, 120, 'red');
    const before = exifBlock({ ...PHOTO, thumbnail: old });
    const after = exifOfCrop(before, CHANGE)!;
    expect(hasThumbnail(after)).toBe(false);
    expect(after.length).toBe(before.length - old.length);
    const { block, main } = opened(after);
    expect(block.view.getUint32(main.nextAt!, true)).toBe(0);
  });

  test('that claims the bytes of a directory does not erase it', () => {
    const before = exifBlock({ ...PHOTO, thumbnail: Buffer.alloc(10, 1) });
    const { block, main } = opened(before);
    const second = readIfd(block, block.view.getUint32(main.nextAt!, true))!;
    before.writeUInt32LE(8, entryOf(second, TAG.thumbnailOffset)!.valueAt);
    before.writeUInt32LE(before.length - 8, entryOf(second, TAG.thumbnailLength)!.valueAt);
    const after = opened(exifOfCrop(before, CHANGE));
    expect(values(after.block, after.exif, TAG.pixelXDimension)).toEqual([200]);
  });
});

describe('broken EXIF', () => {
  test('without a header or a directory is no EXIF', () => {
    for (const bytes of ['', 'II*\0', 'XX*\0\x08\0\0\0\0\0', 'II*\0\xff\xff\xff\xff', 'II*\0\x08\0\0\0\0\0\0\0\0\0']) {
      expect(exifOfCrop(Buffer.from(bytes, 'latin1'), CHANGE)).toBeUndefined();
    }
  });

  test('never throws and never grows beyond the thumbnail, whichever bytes are damaged or missing', () => {
    const next = randomInts(7);
    const whole = exifBlock({
      ...PHOTO,
      exif: [...PHOTO.exif!, [TAG.subjectArea, 3, [100, 60, 20, 20]]],
      thumbnail: Buffer.alloc(300, 7),
    });
    const thumbnail = { bytes: Buffer.alloc(500, 9), width: 160, height: 80 };
    for (let round = 0; round < 20_000; round++) {
      const broken = Buffer.from(whole.subarray(0, round % 3 === 0 ? next(whole.length) : whole.length));
      for (let n = 1 + next(4); n > 0 && broken.length > 8; n--) {
        const interesting = [0, 1, 0xff, 0x7f, 8, next(256)];
        broken[next(Math.min(broken.length, 220))] = interesting[next(interesting.length)]!;
      }
      for (const given of [undefined, thumbnail]) {
        const after = exifOfCrop(broken, CHANGE, given);
        if (after) expect(after.length).toBeLessThanOrEqual(broken.length + 1 + thumbnail.bytes.length);
      }
    }
  });
});
