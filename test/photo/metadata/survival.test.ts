import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodePhoto } from '../../../src/photo/decode.js';
import { encodeCrop } from '../../../src/photo/crop-file.js';
import { OUTPUT_FORMATS, type OutputFormat } from '../../../src/photo/output-format.js';
import { fromRaster, ORIENTATIONS, plain, storedFor } from '../fixtures.js';
import { describeWith, exiftool } from '../../support/system-tools.js';

/** Those with a place for metadata; a GIF has none that is used. */
const DESCRIBED_FORMATS = OUTPUT_FORMATS.filter((format) => format !== 'gif');

type Tags = Record<string, unknown>;

/** One of each kind and of each group that photos come with. */
const WRITTEN = [
  '-IFD0:ImageDescription=Zwei Hunde, spät',
  '-IFD0:Make=Maker',
  '-IFD0:Model=Model 1',
  '-IFD0:Software=Firmware 2',
  '-IFD0:ModifyDate=2024:05:06 07:08:09',
  '-IFD0:Artist=Ann Otherwise',
  '-IFD0:Copyright=© 2024 Ann Otherwise',
  '-IFD0:Rating=4',
  '-IFD0:XPTitle=Titel – lang',
  '-ExifIFD:ExposureTime=1/250',
  '-ExifIFD:FNumber=2.8',
  '-ExifIFD:ISO=400',
  '-ExifIFD:DateTimeOriginal=2024:05:06 07:08:09',
  '-ExifIFD:OffsetTimeOriginal=+02:00',
  '-ExifIFD:SubSecTimeOriginal=123',
  '-ExifIFD:FocalLength=50',
  '-ExifIFD:LensInfo=24 70 2.8 2.8',
  '-ExifIFD:LensModel=Zoom 24-70',
  '-ExifIFD:SerialNumber=12345',
  '-ExifIFD:UserComment=a comment with ümlaut',
  '-ExifIFD:ExposureCompensation=-1/3',
  '-ExifIFD:Flash=16',
  '-ExifIFD:ColorSpace=1',
  '-ExifIFD:ExifImageWidth=60',
  '-ExifIFD:ExifImageHeight=40',
  '-InteropIFD:InteropIndex=R98',
  '-GPS:GPSLatitude=48.137154',
  '-GPS:GPSLatitudeRef=N',
  '-GPS:GPSLongitude=11.576124',
  '-GPS:GPSLongitudeRef=E',
  '-GPS:GPSAltitude=519.5',
  '-GPS:GPSDateStamp=2024:05:06',
  '-GPS:GPSTimeStamp=05:08:09',
  '-IPTC:By-line=Ann Otherwise',
  '-IPTC:Caption-Abstract=Two dogs',
  '-IPTC:Keywords=dogs',
  '-IPTC:Keywords=beach',
  '-IPTC:City=München',
  '-XMP-dc:Creator=Ann Otherwise',
  '-XMP-dc:Subject=dogs',
  '-XMP-dc:Title=Two dogs',
  '-XMP-xmp:Rating=4',
  '-XMP-xmp:CreateDate=2024:05:06 07:08:09',
  '-XMP-photoshop:City=München',
  '-XMP-crs:Exposure2012=+0.50',
  '-XMP-tiff:Orientation#=6',
  '-XMP-exif:ExifImageWidth=60',
  '-XMP-lr:HierarchicalSubject=animals|dogs',
  '-XMP-iptcExt:PersonInImage=Nobody',
];

/** Says how the file is written, not what the photo is; or is looked at on its own below. */
const OF_THE_FILE =
  /^(?:SourceFile|ExifTool|System|File|JFIF|Composite|PNG|PNG-pHYs|RIFF|QuickTime|Meta|Photoshop|ICC)|^IFD0:(?:XResolution|YResolution|ResolutionUnit|YCbCrPositioning|ImageWidth|ImageHeight|BitsPerSample|Compression|PhotometricInterpretation|StripOffsets|SamplesPerPixel|RowsPerStrip|StripByteCounts|PlanarConfiguration|Predictor|SampleFormat)$|^IFD1:/;
const CORRECTED = /:(?:Orientation|ExifImageWidth|ExifImageHeight)$/;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-survival-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string): string => path.join(folder, name);

function read(names: readonly string[]): Tags[] {
  return JSON.parse(exiftool('-j', '-n', '-a', '-G1', '-charset', 'iptc=UTF8', ...names.map(file))) as Tags[];
}

function ofThePhoto(tags: Tags): Tags {
  return Object.fromEntries(
    Object.entries(tags).filter(
      ([name]) => !OF_THE_FILE.test(name) && !CORRECTED.test(name) && name !== 'ThumbnailImage',
    ),
  );
}

describeWith(['exiftool'], 'as exiftool reads them', () => {
  beforeAll(async () => {
    const thumbnail = await fromRaster(plain({ width: 60, height: 40 }, [200, 0, 0]))
      .jpeg()
      .toBuffer();
    writeFileSync(file('thumbnail.jpg'), thumbnail);
    for (const orientation of ORIENTATIONS) {
      const stored = storedFor(plain({ width: 40, height: 60 }, [90, 120, 30]), orientation);
      writeFileSync(file(`${orientation}.jpg`), await fromRaster(stored).jpeg().toBuffer());
    }
    const all = ORIENTATIONS.map((orientation) => file(`${orientation}.jpg`));
    exiftool(
      '-q',
      '-overwrite_original',
      '-charset',
      'iptc=UTF8',
      '-codedcharacterset=utf8',
      ...WRITTEN,
      `-ThumbnailImage<=${file('thumbnail.jpg')}`,
      ...all,
    );
    for (const orientation of ORIENTATIONS) {
      exiftool('-q', '-overwrite_original', `-IFD0:Orientation#=${orientation}`, file(`${orientation}.jpg`));
    }
  });

  async function cropTo(name: string, source: string, format: OutputFormat): Promise<void> {
    const photo = await decodePhoto(file(source));
    const { bytes } = await encodeCrop(photo, { format, crop: { x: 4, y: 6, width: 30, height: 20 } });
    writeFileSync(file(name), bytes);
  }

  test('all tags of a JPEG survive its crop at each EXIF orientation, corrected where the pixels changed', async () => {
    for (const orientation of ORIENTATIONS) await cropTo(`${orientation}-crop.jpg`, `${orientation}.jpg`, 'jpeg');
    const before = read(ORIENTATIONS.map((orientation) => `${orientation}.jpg`));
    const after = read(ORIENTATIONS.map((orientation) => `${orientation}-crop.jpg`));
    for (const [i, orientation] of ORIENTATIONS.entries()) {
      expect(before[i]!['IFD0:Orientation']).toBe(orientation);
      expect(Object.keys(ofThePhoto(before[i]!)).length).toBeGreaterThan(50);
      expect(ofThePhoto(after[i]!)).toEqual(ofThePhoto(before[i]!));
      expect(after[i]).toMatchObject({
        'IFD0:Orientation': 1,
        'XMP-tiff:Orientation': 1,
        'ExifIFD:ExifImageWidth': 30,
        'ExifIFD:ExifImageHeight': 20,
        'XMP-exif:ExifImageWidth': 30,
      });
    }
    const warnings = (name: string): string => exiftool('-validate', '-warning', '-a', '-s3', file(name));
    expect(warnings('6-crop.jpg')).toBe(warnings('6.jpg'));
  });

  test('the thumbnail of a JPEG shows the crop', async () => {
    await cropTo('shown.jpg', '6.jpg', 'jpeg');
    exiftool('-q', '-b', '-ThumbnailImage', '-w', file('%f.thumb'), file('shown.jpg'));
    const { data, info } = await sharp(file('shown.thumb')).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([30, 20]);
    for (const [i, value] of [90, 120, 30].entries()) expect(Math.abs(data[i]! - value)).toBeLessThan(6);
  });

  test.each(DESCRIBED_FORMATS)('they survive as %s and back to JPEG, but for IPTC in WebP and AVIF', async (format) => {
    await cropTo(`there.${format}`, '6.jpg', format);
    const photo = await decodePhoto(file(`there.${format}`));
    const { bytes } = await encodeCrop(photo, { format: 'jpeg', crop: { x: 0, y: 0, width: 30, height: 20 } });
    writeFileSync(file(`back-${format}.jpg`), bytes);
    const [before, there, back] = read(['6.jpg', `there.${format}`, `back-${format}.jpg`]);
    const hasIptc = format !== 'webp' && format !== 'avif';
    const expected = Object.fromEntries(
      Object.entries(ofThePhoto(before!)).filter(([name]) => hasIptc || !name.startsWith('IPTC')),
    );
    expect(ofThePhoto(there!)).toEqual(expected);
    expect(ofThePhoto(back!)).toEqual(expected);
    for (const tags of [there!, back!]) {
      expect(tags).toMatchObject({
        'XMP-tiff:Orientation': 1,
        'ExifIFD:ExifImageWidth': 30,
        'ExifIFD:ExifImageHeight': 20,
      });
      expect(tags['IFD0:Orientation'] ?? 1).toBe(1);
    }
  });

  test('strip leaves none of them', async () => {
    const photo = await decodePhoto(file('6.jpg'));
    for (const format of DESCRIBED_FORMATS) {
      const { bytes } = await encodeCrop(photo, { format, strip: true, crop: { x: 4, y: 6, width: 30, height: 20 } });
      writeFileSync(file(`stripped.${format}`), bytes);
    }
    for (const tags of read(DESCRIBED_FORMATS.map((format) => `stripped.${format}`))) {
      expect(Object.keys(ofThePhoto(tags))).toEqual([]);
    }
  });
});

/** Of formats that exiftool writes itself: in the places it chooses, which are not those ours are written to. */
describeWith(['exiftool'], 'of a photo that exiftool has written', () => {
  test.each(['png', 'tiff', 'webp', 'avif'] as const)('as %s, all tags survive its crop', async (format) => {
    const name = `foreign.${format}`;
    const picture = fromRaster(plain({ width: 60, height: 40 }, [90, 120, 30]));
    const encoded = format === 'tiff' ? picture.tiff({ compression: 'none' }) : picture.toFormat(format);
    writeFileSync(file(name), await encoded.toBuffer());
    const written = WRITTEN.filter((tag) => !tag.includes('Orientation'));
    exiftool('-q', '-overwrite_original', '-codedcharacterset=utf8', '-charset', 'iptc=UTF8', ...written, file(name));
    const crop = { x: 4, y: 6, width: 30, height: 20 };
    for (const to of [format, 'jpeg'] as const) {
      const { bytes } = await encodeCrop(await decodePhoto(file(name)), { crop, format: to });
      writeFileSync(file(`of-${name}.${to}`), bytes);
      const [before, after] = read([name, `of-${name}.${to}`]);
      expect(Object.keys(ofThePhoto(before!)).length).toBeGreaterThan(40);
      expect(ofThePhoto(after!)).toEqual(ofThePhoto(before!));
      expect(after).toMatchObject({ 'ExifIFD:ExifImageWidth': 30, 'XMP-exif:ExifImageWidth': 30 });
    }
  });
});
