import sharp, { type JpegOptions, type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodePhoto } from '../../src/photo/decode.js';
import { encodeCrop } from '../../src/photo/crop-file.js';
import { renderFrame } from '../../src/photo/render.js';
import { examplePhoto } from '../support/photos.js';
import { randomInts } from './random.js';
import { rejection } from './thrown.js';

const FRAME = { width: 168, height: 112 };
const SIZE = { width: 600, height: 400 };

const pixels = sharp(examplePhoto('dogs')).resize(600, 400, { fit: 'fill' }).removeAlpha().raw().toBuffer();
const image = async (): Promise<Sharp> => sharp(await pixels, { raw: { ...SIZE, channels: 3 } });

/** 200 bytes in the middle of the file are others. */
function overwritten(file: Uint8Array, share: number): Buffer {
  const next = randomInts(17);
  const damaged = Buffer.from(file);
  const at = Math.floor(file.length * share);
  for (let i = 0; i < 200; i++) damaged[at + i] = next(256);
  return damaged;
}

const seen = (file: Uint8Array): Promise<Uint8Array> => decodePhoto(file).then((photo) => renderFrame(photo, FRAME));
const cropped = (file: Uint8Array): Promise<unknown> =>
  decodePhoto(file).then((photo) => encodeCrop(photo, { crop: { x: 0, y: 0, ...SIZE } }));

/** The first directory's entries of one tag, to be changed. */
function changeTag(tiff: Buffer, tag: number, value: number): Buffer {
  const changed = Buffer.from(tiff);
  const view = new DataView(changed.buffer, changed.byteOffset, changed.length);
  const le = changed[0] === 0x49;
  const at = view.getUint32(4, le);
  for (let i = 0; i < view.getUint16(at, le); i++) {
    if (view.getUint16(at + 2 + 12 * i, le) === tag) view.setUint16(at + 2 + 12 * i + 8, value, le);
  }
  return changed;
}

describe('damage that the decoder only warns of is refused', () => {
  const CASES: [string, (pipeline: Sharp) => Sharp][] = [
    ['the scan of a JPEG', (pipeline) => pipeline.jpeg()],
    ['the scans of a progressive JPEG', (pipeline) => pipeline.jpeg({ progressive: true })],
    [
      'a tile of a TIFF, deflate',
      (pipeline) => pipeline.tiff({ compression: 'deflate', tile: true, tileWidth: 128, tileHeight: 128 }),
    ],
    [
      'a tile of a TIFF, LZW',
      (pipeline) => pipeline.tiff({ compression: 'lzw', tile: true, tileWidth: 128, tileHeight: 128 }),
    ],
    ['a strip of a TIFF, JPEG', (pipeline) => pipeline.tiff({ compression: 'jpeg' })],
    [
      'a tile of a TIFF, JPEG',
      (pipeline) => pipeline.tiff({ compression: 'jpeg', tile: true, tileWidth: 128, tileHeight: 128 }),
    ],
  ];
  test.each(CASES)('%s', async (_, encode) => {
    const whole = await encode(await image()).toBuffer();
    await seen(whole);
    await cropped(whole);
    for (const share of [0.3, 0.5, 0.7]) {
      const damaged = overwritten(whole, share);
      expect((await rejection(seen(damaged))).code).toBe('INPUT_CORRUPT');
      expect((await rejection(cropped(damaged))).code).toBe('INPUT_CORRUPT');
    }
  });

  test.each([34712, 50000, 52546, 34887, 65000])(
    'tiles of TIFF compression %i are no empty picture',
    async (compression) => {
      const tiled = await (
        await image()
      )
        .tiff({ compression: 'lzw', tile: true, tileWidth: 128, tileHeight: 128 })
        .toBuffer();
      const thrown = await rejection(seen(changeTag(tiled, 259, compression)));
      expect(thrown.code).toBe('INPUT_UNSUPPORTED');
      expect(thrown.message).toContain('variant of its format that is not supported');
    },
  );
});

describe('oddities that all decoders put up with are no damage', () => {
  const jpeg = async (options: JpegOptions = {}): Promise<Buffer> => (await image()).jpeg(options).toBuffer();
  const ODD: [string, () => Promise<Buffer>][] = [
    [
      'bytes between segments',
      async () =>
        Buffer.concat([
          (await jpeg()).subarray(0, 2),
          Buffer.from([0xff, 0xfe, 0, 4, 65, 65, 1, 2, 3]),
          (await jpeg()).subarray(2),
        ]),
    ],
    [
      'a JFIF version of its own',
      async () =>
        Buffer.concat([
          (await jpeg()).subarray(0, 2),
          Buffer.from('\xff\xe0\0\x10JFIF\0\x05\x02\0\0\x01\0\x01\0\0', 'latin1'),
          (await jpeg()).subarray(2),
        ]),
    ],
    [
      'scan parameters that a sequential JPEG does not have',
      async () => {
        const odd = await jpeg();
        const at = odd.indexOf(Buffer.from([0xff, 0xda]));
        odd.fill(0, at + 5 + 2 * odd[at + 4]!, at + 8 + 2 * odd[at + 4]!);
        return odd;
      },
    ],
    [
      'zeros before the end',
      async () => Buffer.concat([(await jpeg()).subarray(0, -2), Buffer.alloc(9), Buffer.from([0xff, 0xd9])]),
    ],
    [
      'zeros before the end of a progressive one',
      async () =>
        Buffer.concat([
          (await jpeg({ progressive: true })).subarray(0, -2),
          Buffer.alloc(9),
          Buffer.from([0xff, 0xd9]),
        ]),
    ],
    ['bytes behind the end', async () => Buffer.concat([await jpeg(), Buffer.alloc(999, 7)])],
    [
      'fill bytes before markers',
      async () => Buffer.concat([(await jpeg()).subarray(0, 2), Buffer.alloc(5, 0xff), (await jpeg()).subarray(2)]),
    ],
  ];
  test.each(ODD)('%s', async (_, make) => {
    expect(
      Buffer.compare(
        await seen(await make()),
        await seen(await jpeg(_.includes('progressive') ? { progressive: true } : {})),
      ),
    ).toBe(0);
  });

  test('a JPEG decodes to the same pixels with its metadata and without', async () => {
    const plain = await sharp(examplePhoto('dogs')).jpeg().toBuffer();
    const full = await sharp(examplePhoto('dogs'))
      .keepMetadata()
      .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>')
      .jpeg()
      .toBuffer();
    expect(Buffer.compare(await seen(full), await seen(plain))).toBe(0);
  });
});
