import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { encodeCrop } from '../../src/photo/crop-file.js';
import { decodePhoto, type Photo } from '../../src/photo/decode.js';
import { box, u16 } from '../../src/photo/formats/iso-boxes.js';
import { composedOrientation, uprightPoint } from '../../src/photo/metadata/orientation.js';
import { renderFrame } from '../../src/photo/render.js';
import { examplePhoto } from '../support/photos.js';
import { describeWith, exiftool, imageMagick } from '../support/system-tools.js';
import { displayP3ToSrgb } from './colour-reference.js';
import { fromRaster, ORIENTATIONS, plain, positioned, storedFor, storedPixels, type Raster } from './fixtures.js';
import { convertedPng, heicOf, withAuxiliary, withProperties } from './heic-parts.js';
import { randomInts } from './random.js';
import { rejection } from './thrown.js';

/** The whole photo as a PNG would have it. */
async function pixelsOf(photo: Photo): Promise<Raster> {
  const { width, height } = photo;
  return storedPixels((await encodeCrop(photo, { crop: { x: 0, y: 0, width, height }, format: 'png' })).bytes);
}

function mostApart(a: Uint8Array, b: Uint8Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

const irot = (nLeft: number): Buffer => box('irot', Buffer.from([nLeft]));
const imir = (axis: number): Buffer => box('imir', Buffer.from([axis]));
const nclx = (primaries: number, transfer: number): Buffer =>
  box('colr', Buffer.from('nclx'), u16(primaries), u16(transfer), u16(6), Buffer.from([0x80]));

describeWith(['heif-enc'], 'HEIC', () => {
  let dogs: Buffer;
  let small: Buffer;
  beforeAll(async () => {
    dogs = heicOf(readFileSync(examplePhoto('dogs')), '-q', '90');
    small = heicOf(
      await fromRaster(positioned({ width: 96, height: 64 }))
        .png()
        .toBuffer(),
      '-q',
      '80',
    );
  });

  test('has the pixels that heif-convert makes of it, to two of 255 levels', async () => {
    const photo = await decodePhoto(dogs);
    expect(photo).toMatchObject({ format: 'heic', width: 799, height: 1200, notes: [] });
    const theirs = await storedPixels(convertedPng(dogs));
    // heif-convert is an older libheif, which rounds its conversion from YCbCr otherwise.
    expect(mostApart((await pixelsOf(photo)).rgb, theirs.rgb)).toBeLessThanOrEqual(2);
  });

  test('without loss is the image it was made of, but for what YCbCr rounds', async () => {
    const raster = positioned({ width: 91, height: 77 });
    const lossless = ['-L', '-p', 'chroma=444', '--matrix_coefficients=0'];
    const photo = await decodePhoto(heicOf(await fromRaster(raster).png().toBuffer(), ...lossless));
    expect(mostApart((await pixelsOf(photo)).rgb, raster.rgb)).toBeLessThanOrEqual(1);
  });

  test('becomes a JPEG unless asked for another format', async () => {
    const photo = await decodePhoto(dogs);
    const crop = { x: 100, y: 200, width: 400, height: 500 };
    const formats = [undefined, 'avif', 'webp'] as const;
    for (const format of formats) {
      const image = await encodeCrop(photo, { crop, ...(format && { format }) });
      expect(image).toMatchObject({ format: format ?? 'jpeg', width: 400, height: 500, leftOut: [] });
      const [theirs, ours] = await Promise.all([
        sharp(convertedPng(dogs)).extract({ left: 100, top: 200, width: 400, height: 500 }).raw().toBuffer(),
        sharp(image.bytes).removeAlpha().raw().toBuffer(),
      ]);
      const squares = ours.reduce((sum, value, i) => sum + (value - theirs[i]!) ** 2, 0);
      // PSNR of 34 dB and more: the loss of the codecs, and nothing beside.
      expect(10 * Math.log10(255 ** 2 / (squares / ours.length))).toBeGreaterThan(34);
    }
  });

  test('comes upright however it is turned and mirrored', async () => {
    const upright = positioned({ width: 96, height: 64 });
    // Of EXIF's orientations, as the properties that do the same.
    const ways: Record<number, Buffer[]> = {
      1: [],
      2: [imir(1)],
      3: [irot(2)],
      4: [imir(0)],
      5: [irot(3), imir(1)],
      6: [irot(3)],
      7: [irot(1), imir(1)],
      8: [irot(1)],
    };
    const lossless = ['-L', '-p', 'chroma=444', '--matrix_coefficients=0'];
    for (const orientation of ORIENTATIONS) {
      const jpegLike = await fromRaster(storedFor(upright, orientation)).png().toBuffer();
      const heic = withProperties(heicOf(jpegLike, ...lossless), ways[orientation]!);
      const photo = await decodePhoto(heic);
      expect(photo.stored.orientation).toBe(orientation);
      expect(mostApart((await pixelsOf(photo)).rgb, upright.rgb)).toBeLessThanOrEqual(1);
    }
  });

  test('with an orientation in EXIF alone is as heif-convert has it, and the crop says 1', async () => {
    const jpeg = await sharp(examplePhoto('dogs')).resize(200, 300).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const heic = heicOf(jpeg);
    const photo = await decodePhoto(heic);
    expect(photo).toMatchObject({ width: 200, height: 300 });
    const { bytes } = await encodeCrop(photo, { crop: { x: 0, y: 0, width: 150, height: 150 } });
    expect((await sharp(bytes).metadata()).orientation).toBe(1);
  });

  test('keeps what EXIF says, the subject where it now is', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'framewright-heic-'));
    try {
      const file = path.join(folder, 'a.jpg');
      writeFileSync(file, await sharp(examplePhoto('dogs')).resize(300, 200).jpeg().toBuffer());
      const tags = ['-n', '-Artist=Ada', '-Orientation=6', '-SubjectArea=200 50 20 10'];
      exiftool('-q', '-overwrite_original', ...tags, file);
      // As a phone held upright stores it: turned by the file, and said so in EXIF too.
      const photo = await decodePhoto(withProperties(heicOf(readFileSync(file)), [irot(3)]));
      expect(photo).toMatchObject({ width: 200, height: 300 });
      const crop = { x: 40, y: 60, width: 150, height: 200 };
      writeFileSync(file, (await encodeCrop(photo, { crop })).bytes);
      const said = exiftool('-n', '-s3', '-Artist', '-Orientation', '-SubjectArea', file).trim().split('\n');
      // Stored (200, 50) of 300x200 turned to the right is (150, 200) of 200x300.
      expect(said).toEqual(['Ada', '1', '110 140 10 20']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('keeps a Display P3 profile, and is looked at in sRGB', async () => {
    const colour = [200, 120, 40] as const;
    const png = await fromRaster(plain({ width: 64, height: 64 }, colour))
      .png()
      .toBuffer();
    const lossless = ['-L', '-p', 'chroma=444', '--matrix_coefficients=0'];
    const { icc: profile } = await sharp(await sharp(png).withIccProfile('p3').png().toBuffer()).metadata();
    const bare = heicOf(png, ...lossless);
    const ways = [box('colr', Buffer.from('prof'), profile!), nclx(12, 13)];
    for (const [i, colr] of ways.entries()) {
      const photo = await decodePhoto(withProperties(bare, [colr]));
      const frame = await renderFrame(photo, { width: 28, height: 28 });
      const expected = displayP3ToSrgb(colour);
      for (const [channel, value] of expected.entries())
        expect(Math.abs(frame[channel]! - value)).toBeLessThanOrEqual(2);
      const { bytes } = await encodeCrop(photo, { crop: { x: 0, y: 0, width: 32, height: 32 }, format: 'png' });
      const { icc } = await sharp(bytes).metadata();
      expect(mostApart((await storedPixels(bytes)).rgb.subarray(0, 3), Buffer.from(colour))).toBeLessThanOrEqual(1);
      if (i === 0) expect(icc!.equals(profile!)).toBe(true);
      else expect(icc).toBeDefined();
    }
  });

  test('of 10 bits keeps them where the format holds them', async () => {
    const source = imageMagick(['-size', '64x256', 'gradient:#102030-#d0c0b0', '-depth', '16', 'PNG48:-']);
    const heic = heicOf(source, '-b', '10', '-L', '-p', 'chroma=444');
    const photo = await decodePhoto(heic);
    expect(photo.stored.depth).toBe('ushort');
    const { bytes } = await encodeCrop(photo, { crop: { x: 0, y: 0, width: 64, height: 256 }, format: 'png' });
    const levels = (png: Uint8Array): Promise<Uint16Array> =>
      sharp(png)
        .toColourspace('rgb16')
        .raw({ depth: 'ushort' })
        .toBuffer()
        .then((raw) => new Uint16Array(raw.buffer, raw.byteOffset, raw.length / 2));
    const [ours, theirs] = [await levels(bytes), await levels(source)];
    // A level of 10 bits is 64 of 16; conversion to YCbCr and back costs two.
    expect(ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i]!)), 0)).toBeLessThanOrEqual(128);
    expect(new Set(ours).size).toBeGreaterThan(256);
  });

  test('with alpha keeps it, premultiplied or not', async () => {
    const png = imageMagick(['-size', '64x64', 'xc:#c8783280', 'PNG32:-']);
    for (const options of [[], ['--premultiplied-alpha']]) {
      const photo = await decodePhoto(heicOf(png, '-q', '95', ...options));
      const crop = { x: 8, y: 8, width: 16, height: 16 };
      const { bytes } = await encodeCrop(photo, { crop, format: 'png' });
      const [r, g, b, alpha] = await sharp(bytes).raw().toBuffer();
      expect(Math.abs(alpha! - 128)).toBeLessThanOrEqual(2);
      const expected = options.length === 0 ? [200, 120, 50] : [255, 239, 100];
      for (const [i, value] of [r, g, b].entries()) expect(Math.abs(value! - expected[i]!)).toBeLessThanOrEqual(6);
    }
  });

  test.each([
    ['urn:com:apple:photo:2020:aux:hdrgainmap', 'has a gain map (HDR), which no crop of it has'],
    ['urn:mpeg:hevc:2015:auxid:2', 'has a depth map, which no crop of it has'],
  ])('says that crops lack what %s is', async (type, note) => {
    const withAlpha = heicOf(imageMagick(['-size', '64x64', 'xc:#c8783280', 'PNG32:-']));
    const photo = await decodePhoto(withAuxiliary(withAlpha, type));
    expect(photo.notes).toEqual([note]);
    expect(photo.stored.hasAlpha).toBe(false);
  });

  test('over the pixel limit is refused before it is decoded', async () => {
    const error = await rejection(decodePhoto(dogs, { maxPixels: 900_000 }));
    expect(error).toMatchObject({ code: 'INPUT_TOO_LARGE' });
    expect(error.message).toContain('799x1200 px, 1 megapixels, over the limit of 1 megapixels: raise the limit');
  });

  test('stops when the signal aborts, and leaves no thread behind', async () => {
    const { signal } = new AbortController();
    await expect(decodePhoto(dogs, { signal: AbortSignal.abort('early') })).rejects.toBe('early');
    const controller = new AbortController();
    const decoding = decodePhoto(dogs, { signal: controller.signal });
    setTimeout(() => controller.abort('late'), 20);
    await expect(decoding).rejects.toBe('late');
    expect(process.getActiveResourcesInfo()).not.toContain('Worker');
    expect((await decodePhoto(dogs, { signal })).width).toBe(799);
  });

  test('does not hold up what else the process does', async () => {
    let nTurns = 0;
    const timer = setInterval(() => nTurns++, 5);
    await decodePhoto(dogs);
    clearInterval(timer);
    expect(nTurns).toBeGreaterThan(5);
  });

  test('cut short anywhere is refused', async () => {
    for (let share = 0.05; share < 1; share += 0.1) {
      const part = small.subarray(0, Math.floor(share * small.length));
      expect((await rejection(decodePhoto(part))).code).toMatch(/^INPUT_(CORRUPT|UNSUPPORTED)$/);
    }
    expect((await rejection(decodePhoto(small.subarray(0, -1), { name: 'x.heic' }))).message).toMatch(
      /^x\.heic is damaged or incomplete \(.*\): copy it again/,
    );
  });

  test('damaged in its boxes is an error with a reason or a picture, never a crash', async () => {
    const below = randomInts(5);
    for (let i = 0; i < 16; i++) {
      const damaged = Buffer.from(small);
      for (let k = 0; k < 3; k++) damaged[16 + below(Math.min(600, damaged.length - 16))] = below(256);
      const outcome = await decodePhoto(damaged).catch((thrown: unknown) => thrown);
      if (outcome instanceof Error) {
        expect(outcome).toMatchObject({
          code: expect.stringMatching(/^INPUT_(CORRUPT|UNSUPPORTED|TOO_LARGE)$/) as string,
        });
      }
    }
  });

  test('of another codec is named', async () => {
    const odd = Buffer.from(small);
    for (let at = odd.indexOf('hvc1'); at >= 0; at = odd.indexOf('hvc1')) odd.write('xxc1', at, 'latin1');
    const error = await rejection(decodePhoto(odd, { name: 'x.heic' }));
    expect(error.message).toMatch(/^x\.heic (uses a variant of HEIF|is damaged)/);
  });
});

test('orientations in a row are one', () => {
  for (const first of ORIENTATIONS) {
    expect(composedOrientation([first])).toBe(first);
    for (const second of ORIENTATIONS) {
      const size = { width: 5, height: 3 };
      const between = first >= 5 ? { width: 3, height: 5 } : size;
      const both = composedOrientation([first, second]);
      const expected = uprightPoint(uprightPoint([1, 1], size, first), between, second);
      expect(uprightPoint([1, 1], size, both)).toEqual(expected);
    }
  }
});
