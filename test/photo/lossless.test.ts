import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CropRect } from '../../src/base/schema.js';
import { decodePhoto } from '../../src/photo/decode.js';
import { furtherPictures, joinPictures } from '../../src/photo/formats/multi-picture.js';
import { jpegSegment, jpegSegments } from '../../src/photo/formats/jpeg-segments.js';
import { alignedCrop, unitOf } from '../../src/photo/lossless/aligned-crop.js';
import { losslessCrop } from '../../src/photo/lossless/lossless-crop.js';
import { encodeCrop } from '../../src/photo/crop-file.js';
import { turnPhoto } from '../../src/photo/turn/turn-photo.js';
import type { Size } from '../../src/base/geometry.js';
import { cjpeg, describeWith, djpeg, exiftool } from '../support/system-tools.js';
import { fromRaster, ORIENTATIONS, positioned, storedFor, type Raster } from './fixtures.js';
import { rejection } from './thrown.js';

const UPRIGHT = { width: 150, height: 101 };
const CROP = { x: 37, y: 21, width: 70, height: 55 };

/** Whose every place looks different. */
const drawn = (size: Size): Raster => positioned(size, 20);

function encoded({ width, height, rgb }: Raster, ...options: readonly string[]): Buffer {
  return cjpeg(Buffer.concat([Buffer.from(`P6 ${width} ${height} 255\n`, 'latin1'), rgb]), ...options);
}

/** A plain pixel map, as djpeg makes it of a JPEG without smoothing colours over blocks: what the coefficients say. */
function rasterOf(jpeg: Uint8Array): Raster & { readonly nChannels: number } {
  const map = djpeg(jpeg, '-nosmooth');
  const [head = '', kind, width, height] = /^(P[56])\s+(\d+)\s+(\d+)\s+255\s/.exec(
    map.subarray(0, 40).toString('latin1'),
  )!;
  return {
    width: Number(width),
    height: Number(height),
    rgb: map.subarray(head.length),
    nChannels: kind === 'P5' ? 1 : 3,
  };
}

function region(
  { width, rgb, nChannels }: ReturnType<typeof rasterOf>,
  { x, y, width: w, height: h }: CropRect,
): Buffer {
  return Buffer.concat(
    Array.from({ length: h }, (_, row) => {
      const from = nChannels * ((y + row) * width + x);
      return rgb.subarray(from, from + nChannels * w);
    }),
  );
}

/** The crop turned as the photo is stored, found by its own pixels alone. */
function placeOf(small: ReturnType<typeof rasterOf>, whole: ReturnType<typeof rasterOf>): CropRect | undefined {
  for (let y = 0; y + small.height <= whole.height; y++) {
    for (let x = 0; x + small.width <= whole.width; x++) {
      const rect = { x, y, width: small.width, height: small.height };
      const first = { ...rect, height: 1 };
      if (
        region(whole, first).equals(region(small, { ...first, x: 0, y: 0 })) &&
        region(whole, rect).equals(Buffer.from(small.rgb))
      )
        return rect;
    }
  }
  return undefined;
}

const KINDS = [
  ['4:4:4', ['-sample', '1x1'], { width: 8, height: 8 }],
  ['4:2:2', ['-sample', '2x1'], { width: 16, height: 8 }],
  ['4:4:0', ['-sample', '1x2'], { width: 8, height: 16 }],
  ['4:2:0', ['-sample', '2x2'], { width: 16, height: 16 }],
  ['4:1:1', ['-sample', '4x1'], { width: 32, height: 8 }],
  ['grey', ['-grayscale'], { width: 8, height: 8 }],
  ['progressive', ['-progressive'], { width: 16, height: 16 }],
  ['restarts', ['-restart', '1B'], { width: 16, height: 16 }],
] as const;

describeWith(['jpegtran', 'exiftool'], 'a JPEG cut without loss', () => {
  describe.each(KINDS)('%s', (kind, options, unit) => {
    test.each(ORIENTATIONS)(
      'has the photo’s own coefficients and holds the crop, at EXIF orientation %i',
      async (orientation) => {
        const stored = storedFor(drawn(UPRIGHT), orientation);
        const plain = encoded(stored, '-quality', '85', ...options);
        const bytes = withOrientation(plain, orientation);
        const photo = await decodePhoto(bytes);
        expect(unitOf(bytes)).toEqual(unit);
        const made = await losslessCrop(photo, { crop: CROP });
        const [small, whole] = [rasterOf(made.bytes), rasterOf(bytes)];
        const place = placeOf(small, whole)!;
        expect(place).toBeDefined();
        expect([place.x % unit.width, place.y % unit.height]).toEqual([0, 0]);
        // Seen upright, by sharp, it shows what it says it does.
        const upright = await sharp(made.bytes).autoOrient().metadata();
        expect([upright.autoOrient.width, upright.autoOrient.height]).toEqual([made.width, made.height]);
        expect(upright.orientation ?? 1).toBe(orientation);
        expect(upright.isProgressive).toBe(kind === 'progressive');
        const { crop, movedPx } = made;
        expect({ left: CROP.x - crop.x, top: CROP.y - crop.y }).toEqual({ left: movedPx.left, top: movedPx.top });
        expect([crop.x + crop.width - CROP.x - CROP.width, crop.y + crop.height - CROP.y - CROP.height]).toEqual([
          movedPx.right,
          movedPx.bottom,
        ]);
        const edges = Object.values(movedPx);
        expect(Math.min(...edges)).toBeGreaterThanOrEqual(0);
        expect(Math.max(movedPx.left, movedPx.right)).toBeLessThan(32);
        const seen = await sharp(bytes)
          .autoOrient()
          .extract({ left: crop.x, top: crop.y, width: crop.width, height: crop.height })
          .raw()
          .toBuffer();
        const shown = await sharp(made.bytes).autoOrient().raw().toBuffer();
        // But for colours that are smoothed over the cut's own edges.
        const nDiffer = seen.reduce((sum, value, i) => sum + (Math.abs(value - shown[i]!) > 40 ? 1 : 0), 0);
        expect(nDiffer / seen.length).toBeLessThan(0.05);
      },
    );
  });

  test('keeps proportions where the picture has room, and moves no more than it must where it has none', () => {
    const unit = { width: 16, height: 16 };
    const picture = { width: 1000, height: 800 };
    const crop = { x: 25, y: 18, width: 400, height: 500 };
    expect(alignedCrop(crop, picture, unit, { keepsRatio: false })).toEqual({ x: 16, y: 16, width: 409, height: 502 });
    expect(alignedCrop(crop, picture, unit, { keepsRatio: true })).toEqual({ x: 16, y: 16, width: 409, height: 511 });
    const low = { ...crop, y: 300 };
    expect(alignedCrop(low, picture, unit, { keepsRatio: true })).toEqual({ x: 16, y: 288, width: 410, height: 512 });
    expect(alignedCrop(low, { ...picture, height: 800 }, unit, { keepsRatio: true })).toEqual({
      x: 16,
      y: 288,
      width: 410,
      height: 512,
    });
    expect(alignedCrop(low, { width: 426, height: 800 }, unit, { keepsRatio: true })).toMatchObject({
      width: 410,
      height: 512,
    });
    expect(alignedCrop(low, { width: 425, height: 800 }, unit, { keepsRatio: true })).toMatchObject({
      width: 409,
      height: 512,
    });
  });

  test('keeps what encoding keeps: profile, EXIF with sizes and thumbnail, XMP regions, IPTC, the gain map', async () => {
    const regions = (w: number, h: number): string =>
      `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#" tiff:Orientation="6"><mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:AppliedToDimensions stDim:w="${w}" stDim:h="${h}" stDim:unit="pixel"/><mwg-rs:RegionList><rdf:Bag><rdf:li><rdf:Description><mwg-rs:Area stArea:x="0.5" stArea:y="0.5" stArea:w="0.1" stArea:h="0.1" stArea:unit="normalized"/></rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions></rdf:Description></rdf:RDF></x:xmpmeta>`;
    for (const [w, h] of [
      [160, 320],
      [320, 160],
    ] as const) {
      const stored = drawn({ width: 320, height: 160 });
      const base = await fromRaster(stored)
        .withIccProfile('p3')
        .withExif({
          IFD0: { Artist: 'A. N. Other', Orientation: '6' },
          IFD2: { PixelXDimension: '320', PixelYDimension: '160' },
        })
        .withXmp(regions(w, h))
        .jpeg()
        .toBuffer();
      const folder = await mkdtemp(path.join(tmpdir(), 'framewright-lossless-'));
      try {
        const file = path.join(folder, 'a.jpg');
        await writeFile(file, base);
        exiftool('-q', '-overwrite_original', '-n', '-Orientation=6', '-IPTC:City=Berlin', file);
        const photo = await decodePhoto(file);
        expect([photo.width, photo.height]).toEqual([160, 320]);
        const crop = { x: 20, y: 80, width: 100, height: 150 };
        const made = await losslessCrop(photo, { crop });
        await writeFile(path.join(folder, 'cut.jpg'), made.bytes);
        const tags = (
          JSON.parse(exiftool('-j', '-n', '-G1', '-struct', path.join(folder, 'cut.jpg'))) as Record<string, unknown>[]
        )[0]!;
        expect(tags).toMatchObject({
          'IFD0:Artist': 'A. N. Other',
          'IFD0:Orientation': 6,
          'XMP-tiff:Orientation': 6,
          'IPTC:City': 'Berlin',
          'ICC-header:ProfileConnectionSpace': 'XYZ ',
          'File:ImageWidth': made.height,
          'File:ImageHeight': made.width,
        });
        // Where the middle of the photo is in what was cut, as stored or upright as the dimensions beside it say.
        const middle = [(80 - made.crop.x) / made.crop.width, (160 - made.crop.y) / made.crop.height] as const;
        const { RegionList, AppliedToDimensions } = tags['XMP-mwg-rs:RegionInfo'] as {
          RegionList: { Area: { X: number; Y: number } }[];
          AppliedToDimensions: { W: number; H: number };
        };
        const { X, Y } = RegionList[0]!.Area;
        const isUpright = w < h;
        // Orientation 6: stored x runs down the upright photo, stored y to the left.
        const expected = isUpright ? middle : [middle[1], 1 - middle[0]];
        expect(X).toBeCloseTo(expected[0], 4);
        expect(Y).toBeCloseTo(expected[1], 4);
        expect(AppliedToDimensions).toMatchObject(
          isUpright ? { W: made.width, H: made.height } : { W: made.height, H: made.width },
        );
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }
  });

  test('has the gain map cut as the photo is', async () => {
    const gain = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/></rdf:RDF></x:xmpmeta>`;
    const map = await fromRaster(drawn({ width: 80, height: 40 }))
      .withXmp(gain)
      .jpeg()
      .toBuffer();
    const base = await fromRaster(drawn({ width: 320, height: 160 }))
      .withMetadata({ orientation: 6 })
      .withXmp(gain)
      .jpeg()
      .toBuffer();
    const at = jpegSegments(base).findLast(({ marker }) => marker === 0xe1)!.end;
    const photo = await decodePhoto(joinPictures(base, at, map));
    const crop = { x: 32, y: 64, width: 64, height: 96 };
    const made = await losslessCrop(photo, { crop });
    const [kept] = furtherPictures(made.bytes);
    const [anew] = furtherPictures((await encodeCrop(photo, { crop: made.crop })).bytes);
    const cut = await sharp(kept).rotate(90).raw().toBuffer({ resolveWithObject: true });
    const reference = await sharp(anew).raw().toBuffer({ resolveWithObject: true });
    expect([cut.info.width, cut.info.height]).toEqual([reference.info.width, reference.info.height]);
    const mean = cut.data.reduce((sum, value, i) => sum + Math.abs(value - reference.data[i]!), 0) / cut.data.length;
    expect(mean).toBeLessThan(12);
  });

  test('can be cut again and again: the last is cut of the first', async () => {
    let bytes: Uint8Array = encoded(drawn(UPRIGHT), '-sample', '2x2');
    const first = rasterOf(bytes);
    for (let n = 0; n < 3; n++) {
      const photo = await decodePhoto(bytes);
      ({ bytes } = await losslessCrop(photo, {
        crop: { x: 17, y: 17, width: photo.width - 20, height: photo.height - 20 },
      }));
    }
    expect(placeOf(rasterOf(bytes), first)).toBeDefined();
  });

  test('is refused of another format, a straightened photo, a profile to be stripped, a crop outside', async () => {
    const image = fromRaster(drawn(UPRIGHT));
    const png = await decodePhoto(await image.png().toBuffer());
    expect((await rejection(losslessCrop(png, { crop: CROP }))).code).toBe('INPUT_UNSUPPORTED');
    const jpeg = await decodePhoto(await image.jpeg().toBuffer());
    expect((await rejection(losslessCrop(await turnPhoto(jpeg, 2), { crop: CROP }))).code).toBe('USAGE');
    expect((await rejection(losslessCrop(jpeg, { crop: { ...CROP, x: 100 } }))).code).toBe('USAGE');
    const wide = await decodePhoto(await image.withIccProfile('p3').jpeg().toBuffer());
    expect((await rejection(losslessCrop(wide, { crop: CROP, strip: true }))).code).toBe('USAGE');
    const stripped = await losslessCrop(await decodePhoto(withOrientation(encoded(drawn(UPRIGHT)), 3)), {
      crop: CROP,
      strip: true,
    });
    expect((await sharp(stripped.bytes).metadata()).orientation).toBe(3);
  });

  test('is refused where the file ends too early, and an abort is its own reason', async () => {
    const whole = encoded(drawn(UPRIGHT));
    const photo = await decodePhoto(whole);
    const cut = { ...photo, pixels: whole.subarray(0, whole.length / 2) };
    expect((await rejection(losslessCrop(cut, { crop: CROP }))).code).toBe('INPUT_CORRUPT');
    const stop = new AbortController();
    const work = losslessCrop(photo, { crop: CROP, signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(work).rejects.toThrow('enough');
  });
});

describe('without jpegtran', () => {
  const { PATH } = process.env;
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'framewright-path-'));
  });
  afterEach(async () => {
    process.env.PATH = PATH;
    await rm(folder, { recursive: true, force: true });
  });

  test('the error says how to get it; a folder that is no absolute path is not looked in', async () => {
    const photo = await decodePhoto(await fromRaster(drawn(UPRIGHT)).jpeg().toBuffer());
    await writeFile(path.join(folder, 'jpegtran'), '#!/bin/sh\nexit 3\n');
    await chmod(path.join(folder, 'jpegtran'), 0o755);
    process.env.PATH = path.relative(process.cwd(), folder);
    const { code, message } = await rejection(losslessCrop(photo, { crop: CROP }));
    expect(code).toBe('TOOL_NOT_FOUND');
    expect(message).toContain('apt-get install libjpeg-turbo-progs');
    process.env.PATH = folder;
    expect((await rejection(losslessCrop(photo, { crop: CROP }))).message).toContain('exit code 3');
  });
});

function withOrientation(jpeg: Uint8Array, orientation: number): Buffer {
  const exif = Buffer.from('Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0', 'latin1');
  exif.writeUInt16BE(orientation, 6 + 8 + 2 + 8);
  return Buffer.concat([jpeg.subarray(0, 2), jpegSegment(0xe1, exif), jpeg.subarray(2)]);
}
