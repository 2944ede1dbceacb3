import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodePhoto } from '../../src/photo/decode.js';
import { encodeCrop } from '../../src/photo/crop-file.js';
import type { OutputFormat } from '../../src/photo/output-format.js';
import { describeWith, imageMagick } from '../support/system-tools.js';
import { fromRaster, type Raster } from './fixtures.js';
import { iccProfile } from './icc-profile.js';
import { randomInts } from './random.js';

const SIZE = { width: 90, height: 70 };
const CROP = { x: 21, y: 13, width: 47, height: 39 };

/**
 * Random patches of 5 px: no region looks like its neighbour, and JPEG's blocks fall across them. The hue changes slowly,
 * since WebP and ImageMagick's AVIF reader know it at half resolution only.
 */
function patches({ width, height }: typeof SIZE): Raster {
  const next = randomInts(11);
  const columns = Math.ceil(width / 5);
  const levels = Array.from({ length: columns * Math.ceil(height / 5) }, () => 40 + next(160));
  const rgb = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const level = levels[Math.floor(y / 5) * columns + Math.floor(x / 5)]!;
      rgb.set([level + (50 * x) / width, level, level - (40 * y) / height], 3 * (y * width + x));
    }
  }
  return { width, height, rgb };
}

const raster = patches(SIZE);

/** 16 bits a channel, the low ones of their own. */
function deep(): Sharp {
  const data = Uint16Array.from(raster.rgb, (value, i) => value * 256 + ((i * 37) & 255));
  return sharp(data, { raw: { ...SIZE, channels: 3 } }).toColourspace('rgb16');
}

function translucent(): Sharp {
  const rgba = new Uint8Array(4 * SIZE.width * SIZE.height);
  for (let pixel = 0; pixel < SIZE.width * SIZE.height; pixel++) {
    rgba.set(raster.rgb.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
    rgba[4 * pixel + 3] = 55 + (pixel % SIZE.width) * 2;
  }
  return sharp(rgba, { raw: { ...SIZE, channels: 4 } });
}

let folder: string;
let profiles: Record<'Adobe RGB' | 'ProPhoto RGB' | 'sRGB', string>;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-truth-'));
  const write = (name: string, bytes: Uint8Array): string => {
    const file = path.join(folder, name);
    writeFileSync(file, bytes);
    return file;
  };
  const pixel = await fromRaster(raster).withIccProfile('srgb').png().toBuffer();
  profiles = {
    'Adobe RGB': write('adobe.icc', iccProfile('Adobe RGB')),
    'ProPhoto RGB': write('prophoto.icc', iccProfile('ProPhoto RGB')),
    sRGB: write('srgb.icc', (await sharp(pixel).metadata()).icc!),
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Made = Sharp | Promise<Uint8Array>;

/** Values as they are, beside a profile that says what they mean. */
const tagged = (image: Sharp, name: keyof typeof profiles): Sharp =>
  image.withIccProfile(profiles[name], { attach: true });

/** How far the worst codec setting below may move a value on average, of 255. */
const LOSS: Record<OutputFormat, number> = { jpeg: 2.5, webp: 3, avif: 3, png: 0, tiff: 0, gif: 6 };

interface Case {
  readonly name: string;
  readonly make: () => Made;
  /** ImageMagick's names of the channels compared. */
  readonly channels?: 'rgb' | 'rgba' | 'gray';
  readonly format?: OutputFormat;
}

const jpeg = { quality: 95, chromaSubsampling: '4:4:4' } as const;
const CASES: Case[] = [
  { name: 'JPEG', make: () => fromRaster(raster).jpeg(jpeg) },
  {
    name: 'JPEG, progressive, orientation 6',
    make: () =>
      fromRaster(raster)
        .withMetadata({ orientation: 6 })
        .jpeg({ ...jpeg, progressive: true }),
  },
  { name: 'JPEG, orientation 3', make: () => fromRaster(raster).withMetadata({ orientation: 3 }).jpeg(jpeg) },
  { name: 'JPEG, grey', make: () => fromRaster(raster).toColourspace('b-w').jpeg(jpeg), channels: 'gray' },
  { name: 'PNG', make: () => fromRaster(raster).png() },
  { name: 'PNG, 16 bits', make: () => deep().png() },
  { name: 'PNG, grey', make: () => fromRaster(raster).toColourspace('b-w').png(), channels: 'gray' },
  { name: 'PNG, alpha', make: () => translucent().png(), channels: 'rgba' },
  { name: 'PNG, palette', make: () => fromRaster(raster).png({ palette: true }) },
  { name: 'WebP', make: () => fromRaster(raster).webp({ quality: 95 }) },
  { name: 'WebP, lossless, alpha', make: () => translucent().webp({ lossless: true }), channels: 'rgba' },
  { name: 'AVIF', make: () => fromRaster(raster).avif({ quality: 90 }) },
  { name: 'AVIF, alpha', make: () => translucent().avif({ quality: 90 }), channels: 'rgba' },
  { name: 'TIFF', make: () => fromRaster(raster).tiff({ compression: 'lzw' }) },
  { name: 'TIFF, 16 bits', make: () => deep().tiff({ compression: 'none' }) },
  { name: 'TIFF, alpha', make: () => translucent().tiff({ compression: 'deflate' }), channels: 'rgba' },
  {
    name: 'TIFF, tiled',
    make: () => fromRaster(raster).tiff({ compression: 'deflate', tile: true, tileWidth: 32, tileHeight: 32 }),
  },
  { name: 'GIF', make: () => fromRaster(raster).gif() },
  { name: 'a JPEG as WebP', make: () => fromRaster(raster).jpeg(jpeg), format: 'webp' },
  { name: 'a 16-bit TIFF as JPEG', make: () => deep().tiff({ compression: 'none' }), format: 'jpeg' },
  { name: 'JPEG, Display P3', make: () => fromRaster(raster).withIccProfile('p3').jpeg(jpeg) },
  { name: 'AVIF, Display P3', make: () => fromRaster(raster).withIccProfile('p3').avif({ quality: 90 }) },
  { name: 'JPEG, Adobe RGB', make: () => tagged(fromRaster(raster), 'Adobe RGB').jpeg(jpeg) },
  { name: 'WebP, Adobe RGB', make: () => tagged(fromRaster(raster), 'Adobe RGB').webp({ quality: 95 }) },
  { name: 'TIFF, 16 bits, ProPhoto RGB', make: () => tagged(deep(), 'ProPhoto RGB').tiff({ compression: 'deflate' }) },
  { name: 'PNG, 16 bits, ProPhoto RGB', make: () => tagged(deep(), 'ProPhoto RGB').png() },
];

/** Where nothing can or may say what the values mean, the pixels go through their profile to sRGB. */
const CONVERTED: (Omit<Case, 'channels'> & { readonly strip?: boolean })[] = [
  {
    name: 'CMYK JPEG',
    make: () => fromRaster(raster).toColourspace('cmyk').withIccProfile('cmyk').jpeg({ quality: 95 }),
  },
  {
    name: 'CMYK TIFF',
    make: () => fromRaster(raster).toColourspace('cmyk').withIccProfile('cmyk').tiff({ compression: 'lzw' }),
  },
  { name: 'stripped, Display P3', make: () => fromRaster(raster).withIccProfile('p3').png(), strip: true },
  {
    name: 'stripped, Adobe RGB',
    make: () => tagged(fromRaster(raster), 'Adobe RGB').tiff({ compression: 'lzw' }),
    strip: true,
  },
  { name: 'stripped, ProPhoto RGB, 16 bits', make: () => tagged(deep(), 'ProPhoto RGB').png(), strip: true },
  {
    name: 'stripped, ProPhoto RGB, 16 bits as JPEG',
    make: () => tagged(deep(), 'ProPhoto RGB').png(),
    strip: true,
    format: 'jpeg',
  },
];

/** Mean difference of values of 16 bits, in steps of 8 bits. */
function meanDifference(a: Buffer, b: Buffer): number {
  expect(a.length).toBe(b.length);
  let sum = 0;
  for (let at = 0; at < a.length; at += 2) sum += Math.abs(a.readUInt16LE(at) - b.readUInt16LE(at));
  return sum / (a.length / 2) / 257;
}

/** Values as ImageMagick reads them: no profile applied, upright, of the first frame, cut where wanted. */
function values(
  file: string,
  channels: string,
  crop?: typeof CROP,
  profile: readonly string[] = ['+profile', '*'],
): Buffer {
  const cut = crop ? ['-crop', `${crop.width}x${crop.height}+${crop.x}+${crop.y}`, '+repage'] : [];
  return imageMagick([
    `${file}[0]`,
    '-auto-orient',
    ...profile,
    ...cut,
    '-depth',
    '16',
    '-endian',
    'LSB',
    `${channels}:-`,
  ]);
}

describeWith(['ImageMagick'], 'a crop equals the region that ImageMagick cuts out', () => {
  const write = async (name: string, made: Made): Promise<string> => {
    const file = path.join(folder, name);
    writeFileSync(file, made instanceof Promise ? await made : await made.toBuffer());
    return file;
  };

  test.each(CASES)('$name', async ({ name, make, channels = 'rgb', format }) => {
    const source = await write(`${name.replace(/\W+/g, '-')}-source`, make());
    const photo = await decodePhoto(source);
    const image = await encodeCrop(photo, { crop: CROP, ...(format && { format }) });
    const cropped = await write(`${name.replace(/\W+/g, '-')}-crop.${image.format}`, Promise.resolve(image.bytes));
    const [ours, theirs] = [values(cropped, channels), values(source, channels, CROP)];
    const difference = meanDifference(ours, theirs);
    expect(difference).toBeLessThanOrEqual(LOSS[image.format]);
    // One pixel off would be told apart.
    for (const [dx, dy] of [
      [1, 0],
      [0, 1],
      [-1, -1],
    ] as const) {
      const shifted = values(source, channels, { ...CROP, x: CROP.x + dx, y: CROP.y + dy });
      expect(meanDifference(ours, shifted)).toBeGreaterThan(2 * difference + 3);
    }
    const icc = (await sharp(image.bytes).metadata()).icc;
    expect(icc?.equals(photo.stored.icc!) ?? photo.stored.icc === undefined).toBe(true);
  });

  test.each(CONVERTED)('in sRGB: $name', async ({ name, make, format, strip = false }) => {
    const source = await write(`${name.replace(/\W+/g, '-')}-source`, make());
    const image = await encodeCrop(await decodePhoto(source), { crop: CROP, strip, ...(format && { format }) });
    const cropped = await write(`${name.replace(/\W+/g, '-')}-crop.${image.format}`, Promise.resolve(image.bytes));
    const theirs = (crop: typeof CROP): Buffer =>
      values(source, 'rgb', crop, ['-intent', 'Perceptual', '-profile', profiles.sRGB]);
    const ours = values(cropped, 'rgb');
    const difference = meanDifference(ours, theirs(CROP));
    // Either goes by 8-bit steps, CMYK through a table that each interpolates its own way.
    expect(difference).toBeLessThanOrEqual(LOSS[image.format] + 2);
    expect(meanDifference(ours, theirs({ ...CROP, x: CROP.x + 1 }))).toBeGreaterThan(2 * difference + 3);
  });
});
