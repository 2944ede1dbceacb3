import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { encodeCrop } from '../../src/photo/crop-file.js';
import { decodePhoto } from '../../src/photo/decode.js';
import { recognise } from '../../src/photo/sniff.js';
import { renderFrame } from '../../src/photo/render.js';
import { displayP3ToSrgb } from './colour-reference.js';
import { fromRaster, plain } from './fixtures.js';
import { pngChunk, pngChunksOf, withPngChunks } from './png-parts.js';
import { rejection } from './thrown.js';

const SIZE = { width: 20, height: 10 };
const whole = { x: 0, y: 0, ...SIZE };
const FRAME = { width: 28, height: 28 };

interface GifParts {
  readonly blocks?: Buffer;
  readonly control?: Buffer;
  readonly nColours?: number;
}

/** A canvas of 20x10 with a frame of 10x5 at (5, 3), all of colour 1: (180, 90, 60). */
function gif({ blocks = Buffer.alloc(0), control = Buffer.alloc(0), nColours = 4 }: GifParts = {}): Buffer {
  const bits = Math.log2(nColours);
  const palette = Buffer.alloc(3 * nColours, 9);
  palette.set([180, 90, 60], 3);
  const codes: number[] = [];
  for (let i = 0; i < 50; i++) codes.push(...(i % 2 === 0 ? [nColours, 1] : [1]));
  codes.push(nColours + 1);
  const bytes = Buffer.alloc(Math.ceil((codes.length * (bits + 1)) / 8));
  for (const [i, code] of codes.entries()) {
    for (let bit = 0; bit <= bits; bit++) {
      const at = i * (bits + 1) + bit;
      bytes[at >> 3]! |= ((code >> bit) & 1) << (at & 7);
    }
  }
  return Buffer.concat([
    Buffer.from('GIF89a', 'latin1'),
    Buffer.from([20, 0, 10, 0, 0x80 | (bits - 1), 0, 0]),
    palette,
    blocks,
    control,
    Buffer.from([0x2c, 5, 0, 3, 0, 10, 0, 5, 0, 0, bits, bytes.length]),
    bytes,
    Buffer.from([0, 0x3b]),
  ]);
}

/** An application extension with its sub-blocks. */
function application(identifier: string, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x21, 0xff, 11]), Buffer.from(identifier, 'latin1'), data, Buffer.from([0])]);
}

describe('GIF', () => {
  test.each([
    ['of few colours', {}],
    ['with a control block', { control: Buffer.from([0x21, 0xf9, 4, 0, 5, 0, 0, 0]) }],
    ['of 256 colours', { nColours: 256 }],
  ])('%s: what a frame leaves bare of its canvas is transparent, and white to the model', async (_, parts) => {
    const photo = await decodePhoto(gif(parts));
    const { bytes } = await encodeCrop(photo, { crop: whole });
    const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ ...SIZE, channels: 4 });
    expect(data[3]).toBe(0);
    expect([...data.subarray(4 * (5 * 20 + 10), 4 * (5 * 20 + 11))]).toEqual([180, 90, 60, 255]);
    expect([...(await renderFrame(photo, FRAME)).subarray(0, 3)]).toEqual([255, 255, 255]);
    expect(photo.notes).toEqual([]);
  });

  test('XMP and profile go along', async () => {
    const xmp =
      '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>';
    const trailer = Buffer.from([1, ...Array.from({ length: 256 }, (_, i) => 255 - i)]);
    const { icc } = await sharp(
      await fromRaster(plain(SIZE, [1, 2, 3]))
        .withIccProfile('p3')
        .png()
        .toBuffer(),
    ).metadata();
    const subBlocks: Buffer[] = [];
    for (let at = 0; at < icc!.length; at += 255) {
      const part = icc!.subarray(at, at + 255);
      subBlocks.push(Buffer.from([part.length]), part);
    }
    const blocks = Buffer.concat([
      application('XMP DataXMP', Buffer.concat([Buffer.from(xmp), trailer])),
      application('ICCRGBG1012', Buffer.concat(subBlocks)),
    ]);
    const photo = await decodePhoto(gif({ blocks }));
    for (const format of ['png', 'jpeg', 'webp'] as const) {
      const stored = await sharp((await encodeCrop(photo, { crop: whole, format })).bytes).metadata();
      expect(stored.xmpAsString).toContain('xmp:Rating="4"');
      expect(stored.icc!.equals(icc!)).toBe(true);
    }
    const rgb = await renderFrame(photo, { width: 20 * 28, height: 10 * 28 });
    const at = 3 * (5 * 28 * 560 + 10 * 28);
    for (const [i, value] of displayP3ToSrgb([180, 90, 60]).entries()) {
      expect(Math.abs(rgb[at + i]! - value)).toBeLessThanOrEqual(2);
    }
  });
});

describe('what of a photo is not cropped is said', () => {
  const animated = async (format: 'gif' | 'webp'): Promise<Buffer> =>
    sharp(Buffer.concat([plain(SIZE, [250, 1, 1]).rgb, plain(SIZE, [1, 1, 250]).rgb, plain(SIZE, [1, 250, 1]).rgb]), {
      raw: { width: 20, height: 30, channels: 3, pageHeight: 10 },
    })
      .toFormat(format, { delay: [100, 100, 100] })
      .toBuffer();

  test.each(['gif', 'webp'] as const)('frames of an animated %s where the first is asked for', async (format) => {
    const { notes } = await decodePhoto(await animated(format), { firstFrame: true });
    expect(notes).toEqual(['is an animation of 3 frames: the first is what is cropped']);
  });

  test('frames of an APNG, and none of a still one', async () => {
    const png = await fromRaster(plain(SIZE, [1, 2, 3]))
      .png()
      .toBuffer();
    const animation = Buffer.alloc(8);
    animation.writeUInt32BE(12);
    const { notes } = await decodePhoto(withPngChunks(png, [pngChunk('acTL', animation)]));
    expect(notes).toEqual([
      'is an animation of 12 frames that are not all there, or not where an APNG has them: the first is what is cropped',
    ]);
    expect((await decodePhoto(png)).notes).toEqual([]);
  });

  test('AVIF of moving pictures: its still one is taken, or it is said that there is none', async () => {
    const avif = await fromRaster(plain(SIZE, [200, 80, 40]))
      .avif()
      .toBuffer();
    const branded = Buffer.from(avif);
    branded.write('avis', 8, 'latin1');
    expect((await decodePhoto(branded)).notes).toEqual([
      'is an AVIF of moving pictures: its still picture is what is cropped',
    ]);
    const alone = Buffer.from(branded);
    alone.write('moov', alone.indexOf('meta'), 'latin1');
    const thrown = await rejection(decodePhoto(alone, { name: 'a.avif' }));
    expect(thrown.code).toBe('INPUT_UNSUPPORTED');
    expect(thrown.message).toMatch(/^a\.avif is an AVIF of moving pictures .* is not supported: export a frame/);
  });
});

describe('resolution', () => {
  const density = (file: Uint8Array): Promise<number | undefined> => decodePhoto(file).then((photo) => photo.density);

  test('a photo without any gets none in a PNG, stripped or not', async () => {
    for (const format of ['png', 'jpeg', 'webp'] as const) {
      const file = await fromRaster(plain(SIZE, [1, 2, 3]))
        .toFormat(format)
        .toBuffer();
      const bare =
        format === 'png' ? Buffer.concat([file.subarray(0, 33), file.subarray(file.indexOf('IDAT') - 4)]) : file;
      for (const strip of [true, false]) {
        const { bytes } = await encodeCrop(await decodePhoto(bare), { crop: whole, format: 'png', strip });
        expect(pngChunksOf(bytes).map(({ type }) => type)).not.toContain('pHYs');
      }
      const { bytes } = await encodeCrop(await decodePhoto(bare), { crop: whole, format: 'tiff' });
      expect(await density(bytes)).toBeUndefined();
    }
  });

  test('a TIFF without a unit gets none, one of 300 dpi keeps it', async () => {
    const tiff = await fromRaster(plain(SIZE, [1, 2, 3]))
      .withMetadata({ density: 300 })
      .tiff()
      .toBuffer();
    expect(await density(tiff)).toBeCloseTo(300, 1);
    const kept = await encodeCrop(await decodePhoto(tiff), { crop: whole });
    expect(await density(kept.bytes)).toBeCloseTo(300, 1);
    const inPng = await encodeCrop(await decodePhoto(tiff), { crop: whole, format: 'png' });
    expect(await density(inPng.bytes)).toBeCloseTo(300, 1);
    const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.length);
    const at = view.getUint32(4, true);
    for (let i = 0; i < view.getUint16(at, true); i++) {
      if (view.getUint16(at + 2 + 12 * i, true) === 296) view.setUint16(at + 10 + 12 * i, 1, true);
    }
    for (const format of ['tiff', 'png'] as const) {
      const { bytes } = await encodeCrop(await decodePhoto(tiff), { crop: whole, format });
      expect(await density(bytes)).toBeUndefined();
    }
  });
});

/** Uncompressed, little-endian. */
function ycbcrTiff(width: number, height: number, pixels: Buffer, subsampling: number): Buffer {
  const entries = [
    [256, 3, 1, width],
    [257, 3, 1, height],
    [258, 3, 3, 146],
    [259, 3, 1, 1],
    [262, 3, 1, 6],
    [273, 4, 1, 152],
    [277, 3, 1, 3],
    [278, 3, 1, height],
    [279, 4, 1, pixels.length],
    [284, 3, 1, 1],
    [530, 3, 2, subsampling * 0x0001_0001],
  ] as const;
  const head = Buffer.alloc(152);
  head.write('II*\0\x08\0\0\0', 'latin1');
  head.writeUInt16LE(entries.length, 8);
  for (const [i, [tag, type, count, value]] of entries.entries()) {
    head.writeUInt16LE(tag, 10 + 12 * i);
    head.writeUInt16LE(type, 12 + 12 * i);
    head.writeUInt32LE(count, 14 + 12 * i);
    head.writeUInt32LE(value, 18 + 12 * i);
  }
  for (let i = 0; i < 3; i++) head.writeUInt16LE(8, 146 + 2 * i);
  return Buffer.concat([head, pixels]);
}

test('a TIFF of subsampled YCbCr gets no alpha', async () => {
  const [width, height] = [16, 16];
  const pixels = Buffer.from(
    Array.from({ length: (width * height * 3) / 2 }, (_, i) => [111, 111, 111, 111, 87, 191][i % 6]!),
  );
  const photo = await decodePhoto(ycbcrTiff(width, height, pixels, 2));
  const { bytes } = await encodeCrop(photo, { crop: { x: 0, y: 0, width, height } });
  expect((await sharp(bytes).metadata()).channels).toBe(3);
  const expected = [199, 80, 38];
  for (const [i, value] of (await renderFrame(photo, FRAME)).subarray(0, 3).entries()) {
    expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(2);
  }
});

test('one of YCbCr at full resolution, which libvips takes for RGB, is refused', async () => {
  const pixels = Buffer.from(Array.from({ length: 16 * 16 * 3 }, (_, i) => [111, 87, 191][i % 3]!));
  await expect(decodePhoto(ycbcrTiff(16, 16, pixels, 1))).rejects.toMatchObject({
    code: 'INPUT_UNSUPPORTED',
    message: expect.stringContaining('YCbCr without subsampling') as string,
  });
});

test('a raw file is never to be converted onto itself', () => {
  const raw = recognise(Buffer.from('FUJIFILMCCD-RAW 0201', 'latin1'), 'in/x.jpg');
  expect(raw).toMatchObject({ refusal: expect.stringContaining('darktable-cli "x.jpg" "x-converted.jpg"') as string });
  const plainRaw = recognise(Buffer.from('FUJIFILMCCD-RAW 0201', 'latin1'), 'x.raf');
  expect(plainRaw).toMatchObject({ refusal: expect.stringContaining('"x.raf" "x.jpg"') as string });
});
