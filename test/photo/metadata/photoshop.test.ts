import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Point } from '../../../src/base/geometry.js';
import { encodeCrop } from '../../../src/photo/crop-file.js';
import { decodePhoto } from '../../../src/photo/decode.js';
import type { OutputFormat } from '../../../src/photo/output-format.js';
import { iptcIn, iptcResource, md5, readResources } from '../../../src/photo/formats/photoshop.js';
import { embedMetadata } from '../../../src/photo/metadata/embed.js';
import { uprightPoint, type PixelChange } from '../../../src/photo/metadata/orientation.js';
import { readMetadata } from '../../../src/photo/metadata/read-metadata.js';
import { resourcesOfCrop } from '../../../src/photo/metadata/resources-of-crop.js';
import { describeWith, exiftool } from '../../support/system-tools.js';
import { fromRaster, ORIENTATIONS, plain } from '../fixtures.js';
import { bigEndianTiff, pathOf, RECORD, resource } from './photoshop-parts.js';

const UPRIGHT = { width: 200, height: 100 };
const CROP = { x: 50, y: 25, width: 100, height: 50 };

function cornersOf(data: Uint8Array): Point[] {
  const buffer = Buffer.from(data);
  return Array.from({ length: buffer.length / 26 - 2 }, (_, i) => {
    const at = 26 * (i + 2);
    return [buffer.readInt32BE(at + 6) / 2 ** 24, buffer.readInt32BE(at + 2) / 2 ** 24];
  });
}

function changeOf(orientation: number): PixelChange {
  const stored = orientation >= 5 ? { width: UPRIGHT.height, height: UPRIGHT.width } : UPRIGHT;
  return { stored, orientation, crop: CROP, output: CROP };
}

describe('a path', () => {
  test.each(ORIENTATIONS)('lies around the same pixels of the crop, orientation %i', (orientation) => {
    const change = changeOf(orientation);
    // In pixels of the upright photo; the last is outside the crop.
    const corners: readonly Point[] = [[60, 30], [140, 30], [140, 70], [190, 90]]; // prettier-ignore
    const inverse = orientation === 6 ? 8 : orientation === 8 ? 6 : orientation;
    const inStored = corners.map((corner): Point => {
      const [x, y] = uprightPoint(corner, UPRIGHT, inverse);
      return [x / change.stored.width, y / change.stored.height];
    });
    const before = Buffer.concat([
      resource(2000, 'Outline', pathOf(inStored)),
      resource(2999, '', Buffer.from('\x07Outline\0\0\0\0\0', 'latin1')),
      resource(0x0401, '', pathOf(inStored)),
    ]);
    const { resources, leftOut } = resourcesOfCrop(before, change);
    const after = readResources(resources!);
    expect(leftOut).toEqual([]);
    expect(after.map(({ id, name }) => [id, name])).toEqual([[2000, 'Outline'], [2999, ''], [0x0401, '']]); // prettier-ignore
    for (const { data } of [after[0]!, after[2]!]) {
      for (const [i, [x, y]] of cornersOf(data).entries()) {
        expect(x).toBeCloseTo((corners[i]![0] - CROP.x) / CROP.width, 5);
        expect(y).toBeCloseTo((corners[i]![1] - CROP.y) / CROP.height, 5);
      }
    }
  });

  test('that is damaged, or far outside, is left out with a word, and so is its name where it clips', () => {
    const far = changeOf(1);
    const tiny = { ...far, crop: { x: 0, y: 0, width: 2, height: 2 } };
    const clips = resource(2999, '', Buffer.from('\x03odd\0\0\0\0\0', 'latin1'));
    const kept = resource(0x03ed, '', Buffer.alloc(16));
    for (const [data, change] of [
      [Buffer.alloc(27), far],
      [Buffer.alloc(26, 0xff), far],
      [pathOf([[0.9, 0.9]]), tiny],
    ] as const) {
      const before = Buffer.concat([resource(2000, 'odd', data), clips, kept]);
      expect(resourcesOfCrop(before, change)).toEqual({
        resources: kept,
        leftOut: ['path "odd", which is damaged or too far outside the crop'],
      });
    }
  });

  test('and what it is left out for are told with the crop', async () => {
    const jpeg = await fromRaster(plain(UPRIGHT, [1, 2, 3]))
      .jpeg()
      .toBuffer();
    const photoshop = resource(2000, 'odd', Buffer.alloc(27));
    const file = embedMetadata({ bytes: jpeg, format: 'jpeg', ...UPRIGHT }, { photoshop });
    const { bytes, leftOut } = await encodeCrop(await decodePhoto(file), { crop: CROP });
    expect(leftOut).toHaveLength(1);
    expect(Buffer.from(bytes).includes('8BIM')).toBe(false);
  });
});

describe('marks of the editor', () => {
  test('guides, slices and samplers, which lie where the photo had its places, do not go with a crop', () => {
    const marks = [0x0408, 0x041a, 0x040e, 0x0431].map((id) => resource(id, '', Buffer.alloc(8)));
    expect(resourcesOfCrop(Buffer.concat(marks), changeOf(1)).resources).toBeUndefined();
  });
});

describe('IPTC in a TIFF', () => {
  test.each([
    ['as its bytes are', false],
    ['turned into the byte order of the file', true],
  ])('that is big-endian is read %s, and its digest stays true', async (_, turned) => {
    const photo = await decodePhoto(bigEndianTiff(UPRIGHT, turned));
    for (const format of ['jpeg', 'png', 'tiff'] as const) {
      const { bytes } = await encodeCrop(photo, { crop: CROP, format });
      const back = readMetadata(await decodePhoto(bytes)).photoshop!;
      const iptc = Buffer.from(iptcIn(back)!);
      expect(iptc.subarray(0, RECORD.length).equals(RECORD)).toBe(true);
      const digest = readResources(back).find(({ id }) => id === 0x0425)!.data;
      expect(md5(iptc).equals(digest)).toBe(true);
    }
  });

  test('a digest that was of another record still tells so', () => {
    const before = Buffer.concat([iptcResource(RECORD), resource(0x0425, '', md5(Buffer.from('other')))]);
    expect(resourcesOfCrop(before, changeOf(1)).resources!).toEqual(before);
  });

  describeWith(['exiftool'], 'as exiftool reads it', () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(path.join(tmpdir(), 'framewright-photoshop-'));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test('texts and digest are those of the photo in each format', async () => {
      const source = path.join(folder, 'source.tif');
      writeFileSync(source, bigEndianTiff(UPRIGHT, false));
      exiftool('-q', '-overwrite_original', '-IPTC:City=Oslo', '-IPTCDigest=new', source);
      const photo = await decodePhoto(source);
      const formats: OutputFormat[] = ['jpeg', 'png', 'tiff'];
      for (const format of formats) {
        const file = path.join(folder, `crop.${format}`);
        writeFileSync(file, (await encodeCrop(photo, { crop: CROP, format })).bytes);
        const [tags] = JSON.parse(exiftool('-j', '-IPTC:all', '-IPTCDigest', '-CurrentIPTCDigest', file)) as [
          Record<string, unknown>,
        ];
        expect(tags).toMatchObject({ Keywords: 'dogs', ObjectName: 'beach', City: 'Oslo' });
        // exiftool works none out for a PNG.
        if (format !== 'png') expect(tags.IPTCDigest).toBe(tags.CurrentIPTCDigest);
      }
    });
  });
});
