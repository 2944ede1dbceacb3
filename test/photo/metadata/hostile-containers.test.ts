import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { encodeCrop } from '../../../src/photo/crop-file.js';
import { decodePhoto } from '../../../src/photo/decode.js';
import { jpegSegment, jpegSegments } from '../../../src/photo/formats/jpeg-segments.js';
import { furtherPictures } from '../../../src/photo/formats/multi-picture.js';
import { firstPage } from '../../../src/photo/formats/tiff-pages.js';
import { fromRaster, plain, positioned } from '../fixtures.js';

const SIZE = { width: 64, height: 48 };
const CROP = { x: 9, y: 5, width: 40, height: 30 };

/** A JPEG whose list of further pictures has these, as [start, length] counted from behind the file's first picture. */
async function listing(places: readonly (readonly [number, number])[], behind: Uint8Array): Promise<Buffer> {
  const jpeg = await fromRaster(plain(SIZE, [9, 99, 199]))
    .jpeg()
    .toBuffer();
  const body = Buffer.alloc(26 + 16 * (places.length + 1));
  body.write('MM\0*', 'latin1');
  body.writeUInt32BE(8, 4);
  body.writeUInt16BE(1, 8);
  body.writeUInt16BE(0xb002, 10);
  body.writeUInt16BE(7, 12);
  body.writeUInt32BE(16 * (places.length + 1), 14);
  body.writeUInt32BE(26, 18);
  const first = 2 + 4 + 4 + body.length + (jpeg.length - 2);
  for (const [i, [start, length]] of places.entries()) {
    body.writeUInt32BE(length, 26 + 16 * (i + 1) + 4);
    body.writeUInt32BE(first + start - 10, 26 + 16 * (i + 1) + 8);
  }
  return Buffer.concat([jpeg.subarray(0, 2), jpegSegment(0xe2, 'MPF\0', body), jpeg.subarray(2), behind]);
}

describe('a list of further pictures', () => {
  const picture = (nComments: number): Buffer =>
    Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(4 * nComments, Buffer.from([0xff, 0xfe, 0, 2]))]);

  test('whose 4,000 entries mean one picture of 50,000 segments is followed once', async () => {
    const big = picture(50_000);
    const file = await listing(
      Array.from({ length: 4000 }, () => [0, big.length] as const),
      big,
    );
    expect(furtherPictures(file)).toHaveLength(1);
    const { bytes } = await encodeCrop(await decodePhoto(file), { crop: CROP });
    expect((await sharp(bytes).metadata()).width).toBe(CROP.width);
  });

  test('names no picture inside another one', async () => {
    const [a, b] = [picture(3), picture(5)];
    const file = await listing(
      [
        [a.length, b.length],
        [0, a.length + b.length],
        [0, a.length],
      ],
      Buffer.concat([a, b]),
    );
    expect(furtherPictures(file).map(({ length }) => length)).toEqual([a.length + b.length]);
    const apart = await listing(
      [
        [a.length, b.length],
        [0, a.length],
      ],
      Buffer.concat([a, b]),
    );
    expect(furtherPictures(apart).map(({ length }) => length)).toEqual([a.length, b.length]);
  });
});

test('a JPEG of a million empty segments has no more of them looked at than any photo has', async () => {
  const jpeg = await fromRaster(plain(SIZE, [1, 2, 3]))
    .jpeg()
    .toBuffer();
  const comments = Buffer.alloc(4_000_000, Buffer.from([0xff, 0xfe, 0, 2]));
  expect(jpegSegments(Buffer.concat([jpeg.subarray(0, 2), comments, jpeg.subarray(2)]))).toHaveLength(65_536);
});

describe('a TIFF of many pages', () => {
  /** The TIFF with its first directory again and again behind it; the last leads to `last`, 0 for none. */
  async function withPages(nMore: number, last: 'end' | 'first', bigTiff = false): Promise<Buffer> {
    const one = await fromRaster(positioned(SIZE)).tiff({ compression: 'none', bigtiff: bigTiff }).toBuffer();
    const read = (at: number): number => (bigTiff ? Number(one.readBigUInt64LE(at)) : one.readUInt32LE(at));
    const firstAt = read(bigTiff ? 8 : 4);
    const nextIn = bigTiff ? 8 + 20 * read(firstAt) : 2 + 12 * one.readUInt16LE(firstAt);
    const directory = one.subarray(firstAt, firstAt + nextIn + (bigTiff ? 8 : 4));
    const file = Buffer.concat([one, ...Array.from({ length: nMore }, () => directory)]);
    const write = (value: number, at: number): void => {
      if (bigTiff) file.writeBigUInt64LE(BigInt(value), at);
      else file.writeUInt32LE(value, at);
    };
    let nextAt = firstAt + nextIn;
    for (let at = one.length; at < file.length; at += directory.length) {
      write(at, nextAt);
      nextAt = at + nextIn;
    }
    write(last === 'end' ? 0 : firstAt, nextAt);
    return file;
  }

  test.each([
    ['200,000 of them', 200_000, 'end', false],
    ['200,000 of them, BigTIFF', 200_000, 'end', true],
    ['some that lead back to the first', 3, 'first', false],
  ] as const)('%s: the first is cropped, the others are not counted', async (_, nMore, last, bigTiff) => {
    const file = await withPages(nMore, last, bigTiff);
    const photo = await decodePhoto(file);
    expect(photo.stored.pages ?? 1).toBe(1);
    const { bytes } = await encodeCrop(photo, { crop: CROP, format: 'png', strip: true });
    const expected = await sharp(await withPages(0, 'end', bigTiff))
      .extract({ left: CROP.x, top: CROP.y, width: CROP.width, height: CROP.height })
      .raw()
      .toBuffer();
    expect((await sharp(bytes).removeAlpha().raw().toBuffer()).equals(expected)).toBe(true);
  });

  test('as documents have them is left as it is', async () => {
    const file = await withPages(20, 'end');
    expect(firstPage(file)).toBe(file);
    expect((await decodePhoto(file)).stored.pages).toBe(21);
  });
});
