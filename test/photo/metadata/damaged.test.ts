import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { FramewrightError } from '../../../src/base/errors.js';
import { decodePhoto } from '../../../src/photo/decode.js';
import { encodeCrop } from '../../../src/photo/crop-file.js';
import { OUTPUT_FORMATS, type OutputFormat } from '../../../src/photo/output-format.js';
import { embedMetadata } from '../../../src/photo/metadata/embed.js';
import { jpegSegment, jpegSegments } from '../../../src/photo/formats/jpeg-segments.js';
import { joinPictures } from '../../../src/photo/formats/multi-picture.js';
import { iptcResource } from '../../../src/photo/formats/photoshop.js';
import { framewright } from '../../cli/run.js';
import { cropResultSchema } from '../../../src/base/schema.js';
import { fromRaster, positioned } from '../fixtures.js';
import { randomInts } from '../random.js';
import { exifBlock } from './exif-block.js';

const SIZE = { width: 48, height: 32 };
const CROP = { x: 5, y: 3, width: 30, height: 20 };

const XMP =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>';

/** With everything we read: EXIF with thumbnail and subject, XMP, IPTC, and in a JPEG a gain map. */
async function photoWithAll(format: OutputFormat): Promise<Buffer> {
  const image = fromRaster(positioned(SIZE, 0));
  const jpeg = await image.clone().jpeg().toBuffer();
  const exif = exifBlock({
    main: [
      [0x010f, 2, 'a maker'],
      [0x0112, 3, [6]],
    ],
    exif: [
      [0x9214, 3, [10, 10, 4, 4]],
      [0xa002, 3, [48]],
      [0xa003, 3, [32]],
    ],
    thumbnail: jpeg,
  });
  const bytes = await (format === 'jpeg' ? Promise.resolve(jpeg) : image.clone().toFormat(format).toBuffer());
  const photoshop = iptcResource(Buffer.from('\x1c\x02\x19\0\x04dogs', 'latin1'));
  const tagged = embedMetadata({ bytes, format, ...SIZE }, { exif, xmp: XMP, photoshop });
  if (format !== 'jpeg') return Buffer.from(tagged);
  const map = Buffer.concat([
    jpeg.subarray(0, 2),
    jpegSegment(0xe1, `http://ns.adobe.com/xap/1.0/\0${XMP}`),
    jpeg.subarray(2),
  ]);
  const at = jpegSegments(tagged).findLast(({ marker }) => marker >= 0xe0 && marker <= 0xef)!.end;
  return Buffer.from(joinPictures(tagged, at, map));
}

describe('a damaged file', () => {
  test.each(OUTPUT_FORMATS)('%s: is cropped or refused by name, whichever bytes of it are wrong', async (format) => {
    const next = randomInts(5);
    const whole = await photoWithAll(format);
    let nCropped = 0;
    const nRounds = format === 'avif' ? 60 : 250;
    for (let round = 0; round < nRounds; round++) {
      const broken = Buffer.from(whole);
      for (let n = 1 + next(3); n > 0; n--) {
        const values = [0, 1, 0xff, 0x7f, 0x80, next(256)];
        // A TIFF's directories and their values are at its end.
        const at = next(Math.min(broken.length, 2500));
        broken[format === 'tiff' ? broken.length - 1 - at : at] = values[next(values.length)]!;
      }
      const file = round % 10 === 9 ? broken.subarray(0, next(broken.length)) : broken;
      try {
        const photo = await decodePhoto(file);
        const crop = photo.width >= 35 && photo.height >= 23 ? CROP : { x: 0, y: 0, width: 1, height: 1 };
        const { bytes } = await encodeCrop(photo, { crop, format: round % 3 === 0 ? 'jpeg' : format });
        expect((await decodePhoto(bytes)).width).toBe(crop.width);
        nCropped++;
      } catch (thrown) {
        if (!(thrown instanceof FramewrightError)) throw thrown;
      }
    }
    expect(nCropped).toBeGreaterThan(nRounds / 10);
  });

  test('does not make libraries write to stdout, which is for data alone', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'framewright-damaged-'));
    try {
      const whole = await photoWithAll('jpeg');
      for (const [i, damage] of ['hdrgm Version', 'hdrgm:Version=1.0', '<drgm:Version'].entries()) {
        const broken = Buffer.from(whole);
        broken.write(damage, broken.lastIndexOf('hdrgm:Version'), 'latin1');
        writeFileSync(path.join(folder, `${i}.jpg`), broken);
        // Without a list, or with one that leads astray, the second picture is there all the same.
        const unlisted = Buffer.from(broken);
        unlisted.write('MPX', unlisted.indexOf('MPF\0'), 'latin1');
        writeFileSync(path.join(folder, `${i}-unlisted.jpg`), unlisted);
        const astray = Buffer.from(broken);
        astray.writeUInt8(
          astray.readUInt8(astray.indexOf('MPF\0') + 4 + 50 + 31) ^ 1,
          astray.indexOf('MPF\0') + 4 + 50 + 31,
        );
        astray[astray.lastIndexOf(Buffer.from([0xff, 0xd9, 0xff, 0xd8])) + 1] = 0xd7;
        writeFileSync(path.join(folder, `${i}-astray.jpg`), astray);
      }
      const { stdout } = await framewright(['--engine', 'full', '--json', '--no-journal', '-o', 'out/', '.'], {
        cwd: folder,
      });
      const lines = stdout.trimEnd().split('\n');
      expect(lines).toHaveLength(9);
      const results = lines.map((line) => JSON.parse(line) as { error?: { code: string } });
      for (const result of results) {
        expect(cropResultSchema.safeParse(result).success || result.error?.code === 'INPUT_CORRUPT').toBe(true);
      }
      expect(results.filter(({ error }) => !error).length).toBeGreaterThanOrEqual(6);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
