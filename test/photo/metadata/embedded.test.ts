import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodePhoto } from '../../../src/photo/decode.js';
import { encodeCrop } from '../../../src/photo/crop-file.js';
import { OUTPUT_FORMATS, type OutputFormat } from '../../../src/photo/output-format.js';
import { jpegSegment, jpegSegments } from '../../../src/photo/formats/jpeg-segments.js';
import { embedMetadata } from '../../../src/photo/metadata/embed.js';
import { joinPictures } from '../../../src/photo/formats/multi-picture.js';
import { fromRaster, ORIENTATIONS, plain, positioned, storedFor, storedPixels } from '../fixtures.js';
import { exifBlock } from './exif-block.js';

/** Those with a place for metadata; a GIF has none that is used. */
const DESCRIBED_FORMATS = OUTPUT_FORMATS.filter((format) => format !== 'gif');

const SIZE = { width: 64, height: 48 };
const CROP = { x: 9, y: 5, width: 40, height: 30 };
const XMP_HEAD = 'http://ns.adobe.com/xap/1.0/\0';

const packet = (attributes: string, children = ''): string =>
  `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" ${attributes}>${children}</rdf:Description></rdf:RDF></x:xmpmeta>`;

/** The JPEG with segments behind its start. */
function withSegments(jpeg: Uint8Array, ...segments: readonly Uint8Array[]): Buffer {
  return Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]);
}

async function cropped(file: Uint8Array, format?: OutputFormat): Promise<Buffer> {
  const photo = await decodePhoto(file);
  return Buffer.from((await encodeCrop(photo, { crop: CROP, ...(format && { format }) })).bytes);
}

describe('what is embedded', () => {
  const makerNote = Buffer.from('MakerNote with offsets of its own');
  const photo = async (): Promise<Buffer> =>
    withSegments(
      await fromRaster(positioned(SIZE, 0)).jpeg().toBuffer(),
      jpegSegment(0xe1, 'Exif\0\0', exifBlock({ main: [[0x010f, 2, 'Maker']], exif: [[0x927c, 7, makerNote]] })),
    );

  test.each(DESCRIBED_FORMATS)('in %s: sharp reads the EXIF and the same pixels as without it', async (format) => {
    const file = await photo();
    const kept = await cropped(file, format);
    const bare = await encodeCrop(await decodePhoto(file), { crop: CROP, format, strip: true });
    expect(Buffer.compare((await storedPixels(kept)).rgb, (await storedPixels(bare.bytes)).rgb)).toBe(0);
    if (format === 'tiff') expect(kept.includes(makerNote)).toBe(true);
    else expect((await sharp(kept).metadata()).exif?.includes(makerNote)).toBe(true);
  });

  test('a maker note keeps its place in a JPEG', async () => {
    const file = await photo();
    const at = (jpeg: Buffer): number => jpeg.indexOf(makerNote) - jpeg.indexOf('Exif\0\0');
    expect(at(await cropped(file))).toBe(at(file));
  });

  test('a transparent WebP stays transparent in the form that has room for metadata', async () => {
    const clear = await sharp({ create: { ...SIZE, channels: 4, background: { r: 9, g: 99, b: 199, alpha: 0.5 } } })
      .withXmp(packet('xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="3"'))
      .webp({ lossless: true })
      .toBuffer();
    const kept = await cropped(clear);
    expect(kept.includes('VP8X')).toBe(true);
    const { data } = await sharp(kept).raw().toBuffer({ resolveWithObject: true });
    expect([...data.subarray(0, 4)]).toEqual([9, 99, 199, 128]);
    expect((await sharp(kept).metadata()).xmpAsString).toContain('xmp:Rating="3"');
  });

  test('XMP that a JPEG continues in further segments is kept with them', async () => {
    const guid = '0123456789ABCDEF0123456789ABCDEF';
    const extension = jpegSegment(0xe1, 'http://ns.adobe.com/xmp/extension/\0', guid, 'more of it');
    const main = packet(`xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="${guid}"`);
    const file = withSegments(
      await fromRaster(plain(SIZE, [1, 2, 3]))
        .jpeg()
        .toBuffer(),
      jpegSegment(0xe1, XMP_HEAD, main),
      extension,
    );
    expect((await cropped(file)).includes(Buffer.from(extension))).toBe(true);
    expect((await sharp(await cropped(file, 'png')).metadata()).xmpAsString).not.toContain(guid);
  });

  test('XMP beyond all bounds is left out, and the crop says so', async () => {
    const png = await fromRaster(plain(SIZE, [1, 2, 3]))
      .png()
      .toBuffer();
    const deep = packet('', '<rdf:Bag>'.repeat(300) + '</rdf:Bag>'.repeat(300));
    const file = embedMetadata({ bytes: png, format: 'png', ...SIZE }, { xmp: deep });
    const { bytes, leftOut } = await encodeCrop(await decodePhoto(file), { crop: CROP });
    expect((await sharp(bytes).metadata()).xmp).toBeUndefined();
    expect(leftOut).toEqual(['XMP, which is larger or deeper than any XMP is']);
    expect((await encodeCrop(await decodePhoto(png), { crop: CROP })).leftOut).toEqual([]);
  });

  test('texts of a PNG are kept in a PNG', async () => {
    const png = await fromRaster(plain(SIZE, [1, 2, 3]))
      .png()
      .toBuffer();
    const text = Buffer.from('Title\0Two dogs', 'latin1');
    const chunk = Buffer.alloc(12 + text.length);
    chunk.writeUInt32BE(text.length, 0);
    chunk.write('tEXt', 4, 'latin1');
    chunk.set(text, 8);
    chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + text.length)), 8 + text.length);
    const kept = await cropped(Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]));
    expect((await sharp(kept).metadata()).comments).toEqual([{ keyword: 'Title', text: 'Two dogs' }]);
  });
});

describe('a gain map', () => {
  const PHOTO = { width: 400, height: 300 };
  const HDRGM = 'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"';
  const PARAMETERS = `${HDRGM} hdrgm:GainMapMin="0" hdrgm:GainMapMax="2" hdrgm:Gamma="1" hdrgm:OffsetSDR="0.015625" hdrgm:OffsetHDR="0.015625" hdrgm:HDRCapacityMin="0" hdrgm:HDRCapacityMax="2" hdrgm:BaseRenditionIsHDR="False"`;

  /** A photo with a quarter-size map whose values tell where they are. */
  async function photoWithMap(orientation: (typeof ORIENTATIONS)[number]): Promise<Buffer> {
    const map = withSegments(
      await fromRaster(storedFor(positioned({ width: 100, height: 75 }, 0), orientation))
        .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
        .toBuffer(),
      jpegSegment(0xe1, XMP_HEAD, packet(PARAMETERS)),
    );
    const items = ['Primary"', `GainMap" Item:Length="${map.length}"`].map(
      (item) =>
        `<rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="image/jpeg" Item:Semantic="${item}/></rdf:li>`,
    );
    const directory = `<Container:Directory><rdf:Seq>${items.join('')}</rdf:Seq></Container:Directory>`;
    const namespaces =
      'xmlns:Container="http://ns.google.com/photos/1.0/container/" xmlns:Item="http://ns.google.com/photos/1.0/container/item/"';
    const base = withSegments(
      await fromRaster(storedFor(plain(PHOTO, [60, 120, 180]), orientation))
        .withMetadata({ orientation })
        .jpeg()
        .toBuffer(),
      jpegSegment(0xe1, XMP_HEAD, packet(`${HDRGM} ${namespaces}`, directory)),
    );
    const at = jpegSegments(base).findLast(({ marker }) => marker >= 0xe0 && marker <= 0xef)!.end;
    return Buffer.from(joinPictures(base, at, map));
  }

  test.each([
    [16_383, 16_383],
    [65_000, 1],
  ])('of a size beyond its photo, %ix%i, is left out unread', async (width, height) => {
    const file = await photoWithMap(1);
    // The last frame header is the map's.
    const at = file.lastIndexOf(Buffer.from([0xff, 0xc0]));
    file.writeUInt16BE(height * (height === 1 ? 65_000 : 1), at + 5);
    file.writeUInt16BE(width, at + 7);
    const before = process.memoryUsage().rss;
    const { bytes } = await encodeCrop(await decodePhoto(file), { crop: { x: 1, y: 2, width: 100, height: 50 } });
    expect((await sharp(bytes).metadata()).gainMap).toBeUndefined();
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
  });

  test.each(ORIENTATIONS)('is cropped with its photo, orientation %i', async (orientation) => {
    const file = await photoWithMap(orientation);
    expect((await sharp(file).metadata()).gainMap).toBeDefined();
    const crop = { x: 101, y: 50, width: 203, height: 151 };
    const { bytes } = await encodeCrop(await decodePhoto(file), { crop });
    const { gainMap } = await sharp(bytes).metadata();
    const map = await storedPixels(gainMap!.image);
    expect([map.width, map.height]).toEqual([51, 38]);
    // positioned() falls by 255 to the right in red and grows by 255 downwards in green, counted from a pixel's corner
    for (const [column, row] of [
      [0, 0],
      [50, 0],
      [25, 19],
      [50, 37],
    ] as const) {
      const x = (crop.x + ((column + 0.5) * crop.width) / 51) / 400;
      const y = (crop.y + ((row + 0.5) * crop.height) / 38) / 300;
      const at = 3 * (row * 51 + column);
      expect(Math.abs(map.rgb[at]! - (255 - 255 * (x - 0.5 / 100)))).toBeLessThan(3.5);
      expect(Math.abs(map.rgb[at + 1]! - 255 * (y - 0.5 / 75))).toBeLessThan(3.5);
    }
    expect(Buffer.from(bytes).toString('latin1')).toContain(`Item:Length="${gainMap!.image.length}"`);
    expect(Buffer.from(gainMap!.image).toString('latin1')).toContain(PARAMETERS);
  });

  test('goes with --strip and in another format, and the file no longer speaks of it', async () => {
    const photo = await decodePhoto(await photoWithMap(1));
    const crop = { x: 0, y: 0, width: 100, height: 100 };
    const stripped = await encodeCrop(photo, { crop, strip: true });
    expect((await sharp(stripped.bytes).metadata()).gainMap).toBeUndefined();
    const png = await encodeCrop(photo, { crop, format: 'png' });
    expect((await sharp(png.bytes).metadata()).xmpAsString).not.toMatch(/GainMap|hdrgm:Version/);
  });
});
