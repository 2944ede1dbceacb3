import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { FramewrightError } from '../../../src/base/errors.js';
import { encodeCrop } from '../../../src/photo/crop-file.js';
import { decodePhoto } from '../../../src/photo/decode.js';
import { withNclx } from '../../../src/photo/formats/avif-colour.js';
import { jpegSegment, jpegSegments } from '../../../src/photo/formats/jpeg-segments.js';
import { joinPictures } from '../../../src/photo/formats/multi-picture.js';
import { iptcResource } from '../../../src/photo/formats/photoshop.js';
import { embedMetadata } from '../../../src/photo/metadata/embed.js';
import { readMetadata } from '../../../src/photo/metadata/read-metadata.js';
import { OUTPUT_FORMATS } from '../../../src/photo/output-format.js';
import { renderFrame } from '../../../src/photo/render.js';
import { exifBlock } from '../../../test/photo/metadata/exif-block.js';
import { pngChunk, rawProfileText, withPngChunks } from '../../../test/photo/png-parts.js';
import { BYTE_MUTATIONS } from '../byte-mutations.js';
import type { Dice } from '../dice.js';
import type { FuzzTarget } from '../target.js';

const SIZE = { width: 80, height: 56 };
/** A size that damage claims may be decoded where it is below the limit, and then costs what it costs. */
const MAX_PIXELS = 4_000_000;

const XMP =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>';

const FORMATS = ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const;
type Format = (typeof FORMATS)[number];

/** One target a format: whole photos with metadata wherever the format allows it, changed, then decoded and cropped. */
export const photoTargets: readonly FuzzTarget[] = FORMATS.map((format) => ({
  name: format,
  prepare: async () => {
    const photos = await PHOTOS[format]();
    return async (dice) => {
      const bytes = mutated(dice.pick(photos), format, dice);
      try {
        return await cropped(bytes, dice);
      } catch (thrown) {
        if (thrown instanceof FramewrightError && thrown.code !== 'INTERNAL') return thrown.code;
        throw thrown;
      }
    };
  },
}));

async function cropped(bytes: Uint8Array, dice: Dice): Promise<string> {
  const photo = await decodePhoto(bytes, { maxPixels: MAX_PIXELS });
  readMetadata(photo);
  await renderFrame(photo, { width: 56, height: 28 });
  const width = 1 + dice.int(Math.min(200, photo.width));
  const height = 1 + dice.int(Math.min(200, photo.height));
  const crop = { x: dice.int(photo.width - width + 1), y: dice.int(photo.height - height + 1), width, height };
  const format = dice.pick([undefined, ...OUTPUT_FORMATS.filter((each) => each !== 'avif')]);
  const image = await encodeCrop(photo, { crop, strip: dice.chance(0.1), ...(format && { format }) });
  const again = await decodePhoto(image.bytes);
  if (again.width !== width || again.height !== height) throw new Error(`a crop of ${again.width}x${again.height} px`);
  return 'cropped';
}

function mutated(photo: Buffer, format: Format, dice: Dice): Buffer {
  let bytes: Buffer = Buffer.from(photo);
  for (let n = dice.chance(0.7) ? 1 : 1 + dice.int(4); n > 0 && bytes.length > 16; n--) {
    const mutate = BYTE_MUTATIONS[dice.pick(Object.keys(BYTE_MUTATIONS))]!;
    bytes = Buffer.from(mutate({ bytes, dataStart: dice.chance(0.5) ? bytes.length : 600 }, dice));
  }
  // Otherwise every change of a PNG would end at a checksum.
  return format === 'png' && dice.chance(0.8) ? withChecksums(bytes) : bytes;
}

function withChecksums(png: Buffer): Buffer {
  for (let at = 8; at + 12 <= png.length;) {
    const end = at + 12 + png.readUInt32BE(at);
    if (end > png.length) break;
    png.writeUInt32BE(crc32(png.subarray(at + 4, end - 4)), end - 4);
    at = end;
  }
  return png;
}

function image(): Sharp {
  const rgb = Buffer.alloc(3 * SIZE.width * SIZE.height);
  for (let i = 0; i < rgb.length; i++) rgb[i] = (i * 2_654_435_761) >>> (24 + (i % 3));
  return sharp(rgb, { raw: { ...SIZE, channels: 3 } }).blur(1);
}

async function exif(): Promise<Buffer> {
  return exifBlock({
    main: [
      [0x010f, 2, 'a maker'],
      [0x0112, 3, [6]],
    ],
    exif: [
      [0x9214, 3, [10, 10, 4, 4]],
      [0xa002, 3, [80]],
      [0xa003, 3, [56]],
    ],
    thumbnail: await image().resize(20).jpeg().toBuffer(),
  });
}

const photoshop = iptcResource(Buffer.from('\x1c\x02\x19\0\x04dogs', 'latin1'));

async function tagged(format: 'jpeg' | 'png' | 'webp' | 'avif' | 'tiff', pipeline: Sharp): Promise<Buffer> {
  const bytes = await pipeline.toBuffer();
  return Buffer.from(embedMetadata({ bytes, format, ...SIZE }, { exif: await exif(), xmp: XMP, photoshop }));
}

const frames = (): Sharp =>
  sharp(Buffer.concat([Buffer.alloc(3 * 40 * 30, 90), Buffer.alloc(3 * 40 * 30, 200)]), {
    raw: { width: 40, height: 60, channels: 3, pageHeight: 30 },
  });

const deflatedText = (keyword: string, text: string): Buffer =>
  pngChunk('zTXt', Buffer.concat([Buffer.from(`${keyword}\0\0`, 'latin1'), deflateSync(text)]));

const PHOTOS: Record<Format, () => Promise<Buffer[]>> = {
  jpeg: async () => {
    const plain = await tagged('jpeg', image().withIccProfile('p3').jpeg());
    const map = await image().resize(20, 14).jpeg().toBuffer();
    const described = Buffer.concat([
      map.subarray(0, 2),
      jpegSegment(0xe1, `http://ns.adobe.com/xap/1.0/\0${XMP}`),
      map.subarray(2),
    ]);
    const at = jpegSegments(plain).findLast(({ marker }) => marker >= 0xe0 && marker <= 0xef)!.end;
    return [
      plain,
      Buffer.from(joinPictures(plain, at, described)),
      await tagged('jpeg', image().jpeg({ progressive: true })),
      await tagged('jpeg', image().toColourspace('cmyk').jpeg()),
      await tagged('jpeg', image().toColourspace('b-w').jpeg()),
    ];
  },
  png: async () => {
    const plain = await image().png().toBuffer();
    const data = await exif();
    const raw = (kind: string, bytes: Uint8Array): Buffer =>
      deflatedText(`Raw profile type ${kind}`, rawProfileText(kind, bytes));
    const colour = [pngChunk('gAMA', Uint8Array.of(0, 1, 0x86, 0xa0)), pngChunk('cHRM', Buffer.alloc(32, 0x11))];
    return [
      await tagged('png', image().withIccProfile('p3').png()),
      withPngChunks(plain, [raw('exif', data), ...colour], [raw('iptc', photoshop), raw('xmp', Buffer.from(XMP))]),
      withPngChunks(plain, [pngChunk('cICP', Uint8Array.of(9, 16, 0, 1))], [pngChunk('eXIf', data)]),
      withPngChunks(plain, [pngChunk('acTL', Buffer.from([0, 0, 0, 2, 0, 0, 0, 0])), raw('APP1', data)]),
      await tagged('png', image().png({ palette: true })),
      await tagged('png', image().toColourspace('b-w').png()),
    ];
  },
  webp: async () => [
    await tagged('webp', image().withIccProfile('p3').webp()),
    await tagged('webp', image().webp({ lossless: true })),
    await frames().webp().toBuffer(),
  ],
  avif: async () => {
    const plain = await tagged('avif', image().avif({ effort: 0 }));
    const hdr = withNclx(plain, { primaries: 9, transfer: 16 });
    return [plain, Buffer.from(hdr ?? plain), await image().withIccProfile('p3').avif({ effort: 0 }).toBuffer()];
  },
  tiff: async () => {
    const tile = { tile: true, tileWidth: 32, tileHeight: 32 };
    return [
      await tagged('tiff', image().tiff({ compression: 'deflate', predictor: 'horizontal' })),
      await tagged('tiff', image().tiff({ compression: 'none' })),
      await tagged('tiff', image().tiff({ compression: 'lzw', ...tile })),
      await tagged('tiff', image().tiff({ compression: 'jpeg', ...tile })),
      await tagged('tiff', image().tiff({ compression: 'jpeg' })),
    ];
  },
  gif: async () => {
    const plain = await image().gif().toBuffer();
    const trailer = Buffer.from([1, ...Array.from({ length: 256 }, (_, i) => 255 - i), 0]);
    const block = Buffer.concat([Buffer.from('\x21\xff\x0bXMP DataXMP', 'latin1'), Buffer.from(XMP), trailer]);
    const profile = Buffer.concat([Buffer.from('\x21\xff\x0bICCRGBG1012\x04', 'latin1'), Buffer.from('ICC.\0')]);
    const behindTable = 13 + 3 * (2 << (plain[10]! & 7));
    const full = Buffer.concat([plain.subarray(0, behindTable), block, profile, plain.subarray(behindTable)]);
    const small = Buffer.from(plain);
    small.writeUInt16LE(120, 6);
    return [full, small, await frames().gif().toBuffer()];
  },
};
