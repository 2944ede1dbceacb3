import { chmod, link, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodePhoto, type Photo } from '../../../src/photo/decode.js';
import { withAvifMetadata } from '../../../src/photo/formats/avif-items.js';
import { box } from '../../../src/photo/formats/iso-boxes.js';
import { jpegSegment } from '../../../src/photo/formats/jpeg-segments.js';
import { joinPictures } from '../../../src/photo/formats/multi-picture.js';
import { encodePngChunk } from '../../../src/photo/formats/png-chunks.js';
import { embedCrop } from '../../../src/photo/metadata/embed-crop.js';
import { readHandCrop } from '../../../src/photo/metadata/hand-crop.js';
import { embedMetadata } from '../../../src/photo/metadata/embed.js';
import { shaWithoutCrop } from '../../../src/photo/metadata/sha-without-crop.js';
import { editXmp } from '../../../src/photo/metadata/xmp.js';
import { encodeCrop } from '../../../src/photo/crop-file.js';
import { describeWith, exiftool, imageMagick } from '../../support/system-tools.js';
import { fromRaster, ORIENTATIONS, positioned, storedFor, withRectangle, plain } from '../fixtures.js';
import { convertedPng, heicOf } from '../heic-parts.js';
import { rejection } from '../thrown.js';

const SIZE = { width: 120, height: 80 };
const CROP = { x: 30, y: 8, width: 60, height: 48 };
const WHOLE = { x: 0, y: 0, ...SIZE };

/** Shortened from what Lightroom leaves in a JPEG; with the room that it leaves behind. */
const LIGHTROOM = `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
   xmp:Rating="4"
   crs:Exposure2012="+0.35"
   crs:HasCrop="False">
   <dc:subject>
    <rdf:Bag>
     <rdf:li>dogs &amp; sand</rdf:li>
    </rdf:Bag>
   </dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
${`${' '.repeat(99)}\n`.repeat(20)}<?xpacket end="w"?>`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'framewright-embed-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (name: string): string => path.join(folder, name);
const picture = (): Sharp => fromRaster(positioned(SIZE));

async function photoOf(name: string, bytes: Uint8Array): Promise<Photo> {
  await writeFile(at(name), bytes);
  return decodePhoto(at(name));
}

const jpeg = (): Promise<Buffer> => picture().jpeg().toBuffer();
const FORMATS = {
  'a.jpg': jpeg,
  'a.png': () => picture().png().toBuffer(),
  'a.tif': () => picture().tiff({ compression: 'lzw' }).toBuffer(),
} as const;
type Name = keyof typeof FORMATS;
const NAMES = Object.keys(FORMATS) as Name[];

/** With the packet in it, as our own writer of crops puts it there. */
async function withXmp(name: Name, xmp: string): Promise<Uint8Array> {
  const format = ({ 'a.jpg': 'jpeg', 'a.png': 'png', 'a.tif': 'tiff' } as const)[name];
  return embedMetadata({ bytes: await FORMATS[name](), format, ...SIZE }, { xmp });
}

const pixelsOf = async (file: string | Uint8Array): Promise<Buffer> =>
  sharp(await bytesOf(file))
    .raw()
    .toBuffer();
// libvips remembers files by their names.
const bytesOf = (file: string | Uint8Array): Promise<Uint8Array> | Uint8Array =>
  typeof file === 'string' ? readFile(file) : file;

/** What exiftool finds, which has been told nothing of our own namespace. */
function told(name: string): Record<string, unknown> {
  return (JSON.parse(exiftool('-j', '-n', '-XMP:all', at(name))) as Record<string, unknown>[])[0]!;
}

const CROP_TAGS = { HasCrop: true, CropTop: 0.1, CropLeft: 0.25, CropBottom: 0.7, CropRight: 0.75, CropAngle: 0 };

describeWith(['exiftool'], 'a crop in the photo’s own XMP', () => {
  test.each(NAMES)('of %s is what exiftool reads there, and no pixel is another', async (name) => {
    const before = await FORMATS[name]();
    const photo = await photoOf(name, before);
    expect(await embedCrop(photo, CROP)).toEqual({ path: at(name), state: 'written' });
    expect(told(name)).toMatchObject({ ...CROP_TAGS, ImageWidth: 120, Orientation: 1 });
    expect((await pixelsOf(at(name))).equals(await pixelsOf(before))).toBe(true);
    expect(await readdir(folder)).toEqual([name]);
    const validated = (bytes: string): string => exiftool('-validate', '-warning', '-error', '-a', '-s3', at(bytes));
    const validity = validated(name);
    await writeFile(at(`before-${name}`), before);
    expect(validity).toBe(validated(`before-${name}`));
  });

  test.each(NAMES)('of %s leaves every other property, and in the room there is every other byte', async (name) => {
    const before = await withXmp(name, LIGHTROOM);
    await embedCrop(await photoOf(name, before), CROP);
    expect(told(name)).toMatchObject({ ...CROP_TAGS, Rating: 4, Exposure2012: '+0.35', Subject: 'dogs & sand' });
    const after = await readFile(at(name));
    expect(after.length).toBe(before.length);
    const [from, to] = [after.indexOf('<?xpacket begin'), after.indexOf('<?xpacket end="w"?>')];
    const isCrc = (i: number): boolean => name === 'a.png' && i >= to && i < to + 23;
    const changed = [...after.keys()].filter((i) => after[i] !== before[i] && !isCrc(i));
    expect(changed.every((i) => i > from && i < to)).toBe(true);
    expect(changed.length).toBeGreaterThan(0);
  });

  test.each(NAMES)('of %s is moved, said once and taken back, in a file that does not grow', async (name) => {
    const before = await withXmp(name, LIGHTROOM.replace(/\n {99}/g, ''));
    const photo = await photoOf(name, before);
    await embedCrop(photo, CROP);
    const { size } = await stat(at(name));
    const again = await decodePhoto(at(name));
    expect((await embedCrop(again, CROP)).state).toBe('unchanged');
    expect((await embedCrop(again, { x: 0, y: 0, width: 60, height: 60 })).state).toBe('written');
    expect(told(name)).toMatchObject({ CropTop: 0, CropLeft: 0, CropBottom: 0.75, CropRight: 0.5 });
    expect((await embedCrop(await decodePhoto(at(name)), WHOLE)).state).toBe('written');
    expect(told(name)).toMatchObject({ HasCrop: false, Rating: 4, Subject: 'dogs & sand' });
    expect((await stat(at(name))).size).toBe(size);
    expect((await pixelsOf(at(name))).equals(await pixelsOf(before))).toBe(true);
  });

  test.each(ORIENTATIONS)('counts from the stored pixels at EXIF orientation %i', async (orientation) => {
    const corners = [CROP.x, CROP.y, CROP.x + CROP.width, CROP.y + CROP.height] as const;
    const stored = storedFor(withRectangle(plain(SIZE, [0, 0, 0]), corners, [255, 255, 255]), orientation);
    const bytes = await fromRaster(stored).withMetadata({ orientation }).jpeg({ quality: 100 }).toBuffer();
    await embedCrop(await photoOf('a.jpg', bytes), CROP);
    const { CropTop, CropLeft, CropBottom, CropRight } = told('a.jpg') as Record<string, number>;
    const { data } = await sharp(await readFile(at('a.jpg')))
      .extract({
        left: Math.round(CropLeft! * stored.width),
        top: Math.round(CropTop! * stored.height),
        width: Math.round((CropRight! - CropLeft!) * stored.width),
        height: Math.round((CropBottom! - CropTop!) * stored.height),
      })
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(data.length).toBe(3 * CROP.width * CROP.height);
    expect(data.every((value) => value > 200)).toBe(true);
  });

  test('of a file that others wrote: exiftool’s XMP in a TIFF of either byte order, before and behind', async () => {
    for (const order of ['II', 'MM']) {
      await writeFile(
        at('a.tif'),
        imageMagick(
          ['-', '-define', `tiff:endian=${order === 'II' ? 'lsb' : 'msb'}`, 'tiff:-'],
          await FORMATS['a.png'](),
        ),
      );
      const plainPixels = await pixelsOf(at('a.tif'));
      await embedCrop(await decodePhoto(at('a.tif')), CROP);
      exiftool(
        '-q',
        '-overwrite_original',
        '-XMP-dc:Title=a dog',
        '-XMP-dc:Description=' + 'x'.repeat(6000),
        at('a.tif'),
      );
      const longer = { x: 0, y: 0, width: 60, height: 60 };
      await embedCrop(await decodePhoto(at('a.tif')), longer);
      expect(told('a.tif')).toMatchObject({ HasCrop: true, CropRight: 0.5, Title: 'a dog' });
      expect((await pixelsOf(at('a.tif'))).equals(plainPixels)).toBe(true);
    }
  });

  test('of a TIFF of several pages is the first page’s, and the others are there', async () => {
    const png = at('page.png');
    await writeFile(png, await FORMATS['a.png']());
    await writeFile(at('a.tif'), imageMagick([png, '(', png, '-negate', ')', 'tiff:-']));
    const second = (): Promise<Buffer> =>
      readFile(at('a.tif')).then((bytes) => sharp(bytes, { page: 1 }).raw().toBuffer());
    const before = await second();
    await embedCrop(await decodePhoto(at('a.tif')), CROP);
    expect((await second()).equals(before)).toBe(true);
    expect(told('a.tif')).toMatchObject(CROP_TAGS);
  });

  test('of a PNG goes before the pixels, wherever and however its XMP was', async () => {
    const png = await FORMATS['a.png']();
    const keyword = 'XML:com.adobe.xmp\0';
    const packed = encodePngChunk({
      type: 'iTXt',
      data: Buffer.concat([Buffer.from(`${keyword}\x01\0\0\0`, 'latin1'), deflateSync(Buffer.from(LIGHTROOM))]),
    });
    await writeFile(at('a.png'), Buffer.concat([png.subarray(0, -12), packed, png.subarray(-12)]));
    await embedCrop(await decodePhoto(at('a.png')), CROP);
    expect(told('a.png')).toMatchObject({ ...CROP_TAGS, Rating: 4 });
    const after = await readFile(at('a.png'));
    expect(after.indexOf('XML:com.adobe.xmp')).toBeLessThan(after.indexOf('IDAT'));
    expect(after.indexOf('XML:com.adobe.xmp')).toBe(after.lastIndexOf('XML:com.adobe.xmp'));
    expect((await pixelsOf(at('a.png'))).equals(await pixelsOf(png))).toBe(true);
  });

  test('of a JPEG keeps what continues the XMP, EXIF, IPTC, a gain map and its place in the list', async () => {
    const map = await sharp({ create: { width: 30, height: 20, channels: 3, background: '#888' } })
      .jpeg()
      .toBuffer();
    const guid = 'A'.repeat(32);
    const head = Buffer.from(
      LIGHTROOM.replace(
        'xmp:Rating',
        `xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="${guid}" xmp:Rating`,
      ).replace(/\n {99}/g, ''),
    );
    const extension = jpegSegment(
      0xe1,
      'http://ns.adobe.com/xmp/extension/\0',
      guid,
      Buffer.from([0, 0, 0, 7, 0, 0, 0, 0]),
      '<more/>',
    );
    const base = await picture()
      .withExifMerge({ IFD0: { Artist: 'A. N. Other' } })
      .jpeg()
      .toBuffer();
    const tagged = Buffer.concat([
      base.subarray(0, 2),
      jpegSegment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', head),
      extension,
      base.subarray(2),
    ]);
    const listAt = 2 + (4 + 29 + head.length) + extension.length;
    const before = Buffer.from(joinPictures(tagged, listAt, map));
    await embedCrop(await photoOf('a.jpg', before), CROP);
    const after = await readFile(at('a.jpg'));
    expect(after.length).toBeGreaterThan(before.length);
    expect(after.includes(Buffer.from(extension))).toBe(true);
    expect(exiftool('-s3', '-Artist', at('a.jpg')).trim()).toBe('A. N. Other');
    exiftool('-q', '-b', '-MPImage2', '-w', '%d%f.map', at('a.jpg'));
    expect((await readFile(at('a.map'))).equals(map)).toBe(true);
    const start = Number(exiftool('-n', '-s3', '-MPImageStart', at('a.jpg')).trim().split('\n')[0]);
    expect(after.subarray(start).equals(map)).toBe(true);
    const sizes = exiftool('-n', '-a', '-G1', '-s', '-MPImageLength', at('a.jpg'));
    expect(sizes).toContain(String(after.length - map.length));
  });

  describeWith(['heif-enc'], 'of a HEIC', () => {
    test('is a new item that describes the picture, then a longer one, and the picture decodes to the same pixels', async () => {
      const before = heicOf(await FORMATS['a.png']());
      await embedCrop(await photoOf('a.heic', before), CROP);
      expect(told('a.heic')).toMatchObject(CROP_TAGS);
      const once = await decodePhoto(at('a.heic'));
      expect(once.stored.xmp?.toString()).toContain('crs:HasCrop="True"');
      exiftool('-q', '-overwrite_original', `-XMP-dc:Description=${'x'.repeat(4000)}`, at('a.heic'));
      await embedCrop(await decodePhoto(at('a.heic')), { x: 0, y: 0, width: 60, height: 60 });
      expect(told('a.heic')).toMatchObject({ HasCrop: true, CropRight: 0.5 });
      const after = await readFile(at('a.heic'));
      const pixels = convertedPng(before);
      expect((await pixelsOf(convertedPng(after))).equals(await pixelsOf(pixels))).toBe(true);
      expect(exiftool('-validate', '-warning', '-error', '-a', '-s3', at('a.heic')).trim()).toBe('OK');
    });

    test('goes behind the file where it has no room in its place', async () => {
      const before = heicOf(await FORMATS['a.png']());
      const titled = withAvifMetadata(before, { xmp: LIGHTROOM.replace(/\n {99}/g, '') })!;
      await embedCrop(await photoOf('a.heic', titled), CROP);
      const after = await readFile(at('a.heic'));
      expect(after.length).toBeGreaterThan(titled.length);
      expect(told('a.heic')).toMatchObject({ ...CROP_TAGS, Rating: 4 });
      expect(shaWithoutCrop(after, 'heic')).toBe(shaWithoutCrop(titled, 'heic'));
      expect((await pixelsOf(convertedPng(after))).equals(await pixelsOf(convertedPng(before)))).toBe(true);
    });
  });
});

describe('the digest of a photo without its crop', () => {
  test.each(NAMES)('of %s is the same with any crop, and another with any other change', async (name) => {
    for (const before of [
      await FORMATS[name](),
      await withXmp(name, LIGHTROOM.replace(/\n {99}/g, '')),
      await withXmp(name, LIGHTROOM),
    ]) {
      const photo = await photoOf(name, before);
      const sha = shaWithoutCrop(before, photo.format);
      expect(sha).toMatch(/^[0-9a-f]{64}$/);
      const shaNow = async (): Promise<string | undefined> => shaWithoutCrop(await readFile(at(name)), photo.format);
      await embedCrop(photo, CROP);
      expect(await shaNow()).toBe(sha);
      await embedCrop(await decodePhoto(at(name)), { x: 0, y: 0, width: 61, height: 60 });
      expect(await shaNow()).toBe(sha);
      await embedCrop(await decodePhoto(at(name)), WHOLE);
      expect(await shaNow()).toBe(sha);
      const bytes = await readFile(at(name));
      for (const share of [0.3, 0.5, 0.7]) {
        const other = Buffer.from(bytes);
        const place = Math.floor(before.length * share);
        if (place > bytes.indexOf('<?xpacket begin') && place < bytes.lastIndexOf('<?xpacket end')) continue;
        other[place] = other[place]! ^ 1;
        expect(shaWithoutCrop(other, photo.format)).not.toBe(sha);
      }
    }
  });

  test('changes with another property, and stays with the order and spaces of the same', async () => {
    const shaOf = async (xmp: string): Promise<string | undefined> =>
      shaWithoutCrop(await withXmp('a.jpg', xmp), 'jpeg');
    const sha = await shaOf(LIGHTROOM);
    expect(await shaOf(LIGHTROOM.replace('Rating="4"', 'Rating="5"'))).not.toBe(sha);
    expect(await shaOf(LIGHTROOM.replace('dogs', 'cats'))).not.toBe(sha);
    expect(
      await shaOf(
        LIGHTROOM.replace('   xmp:Rating="4"\n', '').replace('\n   crs:HasCrop', '\n  xmp:Rating="4" crs:HasCrop'),
      ),
    ).toBe(sha);
  });

  describeWith(['heif-enc'], 'of a HEIC', () => {
    test('is the same with a new item and a longer one', async () => {
      const before = heicOf(await FORMATS['a.png']());
      const sha = shaWithoutCrop(before, 'heic');
      await embedCrop(await photoOf('a.heic', before), CROP);
      expect(shaWithoutCrop(await readFile(at('a.heic')), 'heic')).toBe(sha);
      const broken = Buffer.from(before);
      const last = broken.length - 20;
      broken[last] = broken[last]! ^ 1;
      expect(shaWithoutCrop(broken, 'heic')).not.toBe(sha);
    });
  });

  test('there is none where no crop can be noted', async () => {
    expect(shaWithoutCrop(await picture().webp().toBuffer(), 'webp')).toBeUndefined();
  });
});

describe('a photo that is left alone', () => {
  const refused = async (photo: Photo, options = {}): Promise<readonly [string, string]> => {
    const before = await readFile(photo.path!);
    const { code, message } = await rejection(embedCrop(photo, CROP, options));
    expect((await readFile(photo.path!)).equals(before)).toBe(true);
    expect((await readdir(folder)).filter((name) => name.includes('.tmp'))).toEqual([]);
    return [code, message];
  };

  test('is write-protected', async () => {
    const photo = await photoOf('a.jpg', await jpeg());
    await chmod(at('a.jpg'), 0o444);
    expect(await refused(photo)).toEqual([
      'OUTPUT_WRITE',
      `${at('a.jpg')} is write-protected: make it writable, or leave its crop beside it`,
    ]);
  });

  test('has changed since it was decoded, by a byte or altogether', async () => {
    const bytes = await jpeg();
    const photo = await photoOf('a.jpg', bytes);
    const other = Buffer.from(bytes);
    other[bytes.length - 3] = other[bytes.length - 3]! ^ 1;
    for (const now of [other, bytes.subarray(0, -1)]) {
      await writeFile(at('a.jpg'), now);
      expect(await refused(photo)).toEqual([
        'OUTPUT_WRITE',
        `${at('a.jpg')} has changed since it was read: crop it again`,
      ]);
    }
  });

  test('has XMP that is broken or in no encoding', async () => {
    for (const broken of [LIGHTROOM.replace('</rdf:RDF>', ''), '<x']) {
      const [code, message] = await refused(await photoOf('a.jpg', await withXmp('a.jpg', broken)));
      expect(code).toBe('INPUT_CORRUPT');
      expect(message).toContain(`the XMP in ${at('a.jpg')} cannot be changed`);
    }
    const jpegBytes = await jpeg();
    const latin = jpegSegment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', '<x>\xe9</x>');
    const [code] = await refused(
      await photoOf('a.jpg', Buffer.concat([jpegBytes.subarray(0, 2), latin, jpegBytes.subarray(2)])),
    );
    expect(code).toBe('INPUT_CORRUPT');
  });

  test('is a link, but for --force, which replaces the file it leads to', async () => {
    await writeFile(at('there.jpg'), await jpeg());
    await symlink(at('there.jpg'), at('a.jpg'));
    const photo = await decodePhoto(at('a.jpg'));
    expect((await refused(photo))[0]).toBe('OUTPUT_EXISTS');
    expect((await embedCrop(photo, CROP, { force: true })).state).toBe('written');
    expect((await readFile(at('there.jpg'))).includes('crs:HasCrop="True"')).toBe(true);
  });

  test.each([
    ['signed', jpegSegment(0xeb, 'JP', Buffer.alloc(16), 'jumbc2pa')],
    ['in two places', jpegSegment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', LIGHTROOM)],
    ['not rewritten', jpegSegment(0xe1, 'http://ns.adobe.com/xmp/extension/\0', Buffer.alloc(40), '<crs:HasCrop/>')],
  ])('has what makes it unsure (%s)', async (why, segment) => {
    const bytes = await withXmp('a.jpg', LIGHTROOM);
    const [code, message] = await refused(
      await photoOf('a.jpg', Buffer.concat([bytes.subarray(0, 2), segment, bytes.subarray(2)])),
    );
    expect(code).toBe('INPUT_UNSUPPORTED');
    expect(message).toContain(why);
  });

  test('has no room left in a JPEG’s segment', async () => {
    const full = LIGHTROOM.replace(/\n {99}/g, '').replace('dogs', 'd'.repeat(64_600));
    expect((await refused(await photoOf('a.jpg', await withXmp('a.jpg', full))))[1]).toContain('no room');
  });

  test('is of a format whose XMP is not changed, a BigTIFF, a HEIC with places elsewhere', async () => {
    const webp = await photoOf('a.webp', await picture().webp().toBuffer());
    expect((await refused(webp))[1]).toContain('(WEBP)');
    const big = await photoOf('a.tif', await picture().tiff({ bigtiff: true }).toBuffer());
    expect((await refused(big))[1]).toContain('cannot be changed for sure');
  });

  describeWith(['heif-enc'], 'a HEIC', () => {
    test('that holds anything that may say where something lies', async () => {
      const heic = heicOf(await FORMATS['a.png']());
      for (const more of [
        box('moov', Buffer.alloc(8)),
        box('uuid', Buffer.from('d8fec3d61b0e483c92975828877ec481', 'hex')),
        Buffer.from([0]),
      ]) {
        const photo = await photoOf('a.heic', Buffer.concat([heic, more]));
        expect((await refused(photo))[0]).toBe('INPUT_UNSUPPORTED');
      }
    });
  });

  test('has a crop that somebody made, in itself or in its sidecar, or settings that are in its pixels', async () => {
    const manual = {
      'crs:HasCrop': 'True',
      'crs:CropTop': '0.2',
      'crs:CropLeft': '0.2',
      'crs:CropBottom': '0.8',
      'crs:CropRight': '0.8',
    };
    const inside = await withXmp('a.jpg', editXmp(LIGHTROOM, manual));
    expect((await embedCrop(await photoOf('a.jpg', inside), CROP)).state).toBe('manual');
    expect((await readFile(at('a.jpg'))).equals(inside)).toBe(true);
    expect((await embedCrop(await decodePhoto(at('a.jpg')), CROP, { force: true })).state).toBe('written');

    const photo = await photoOf('a.jpg', await jpeg());
    await writeFile(at('a.xmp'), editXmp(LIGHTROOM, manual));
    expect((await embedCrop(photo, CROP)).state).toBe('manual');
    await rm(at('a.xmp'));

    const exported = await withXmp('a.jpg', editXmp(LIGHTROOM, { ...manual, 'crs:AlreadyApplied': 'True' }));
    expect(await embedCrop(await photoOf('a.jpg', exported), CROP)).toMatchObject({
      state: 'manual',
      reason: 'applied',
    });
  });

  test('is kept whole and says of no crop', async () => {
    const bytes = await jpeg();
    expect((await embedCrop(await photoOf('a.jpg', bytes), WHOLE)).state).toBe('unchanged');
    expect((await readFile(at('a.jpg'))).equals(bytes)).toBe(true);
  });
});

describe('the file', () => {
  test('keeps its mode, and its time where that is asked for; what has another name stays', async () => {
    const bytes = await jpeg();
    await writeFile(at('a.jpg'), bytes);
    await link(at('a.jpg'), at('other.jpg'));
    await chmod(at('a.jpg'), 0o640);
    await utimes(at('a.jpg'), new Date('2019-08-07'), new Date('2019-08-07'));
    await embedCrop(await decodePhoto(at('a.jpg')), CROP, { keepTime: true });
    expect(await stat(at('a.jpg'))).toMatchObject({ mtimeMs: Date.parse('2019-08-07') });
    expect((await stat(at('a.jpg'))).mode & 0o777).toBe(0o640);
    expect((await readFile(at('other.jpg'))).equals(bytes)).toBe(true);
    await embedCrop(await decodePhoto(at('a.jpg')), { x: 0, y: 0, width: 60, height: 60 });
    expect((await stat(at('a.jpg'))).mtimeMs).toBeGreaterThan(Date.parse('2019-08-07'));
  });

  test('is no crop made by hand to whoever learns from these, and its crop has none that is still to be applied', async () => {
    await embedCrop(await photoOf('a.jpg', await jpeg()), CROP);
    const photo = await decodePhoto(at('a.jpg'));
    expect(await readHandCrop(photo)).toEqual({ unusable: 'its crop was written by framewright, not by hand' });
    const { bytes } = await encodeCrop(photo, { crop: CROP });
    const cropped = Buffer.from(bytes).toString('latin1');
    expect(cropped).toContain('HasCrop="False"');
    expect(cropped).not.toContain('framewright:Crop');
  });
});
