import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { encodeCrop } from '../../src/photo/crop-file.js';
import { decodePhoto } from '../../src/photo/decode.js';
import { readMetadata } from '../../src/photo/metadata/read-metadata.js';
import { renderFrame } from '../../src/photo/render.js';
import { exiftool, imageMagick, testWith } from '../support/system-tools.js';
import { fromRaster, positioned, storedFor, storedPixels } from './fixtures.js';
import { exifBlock } from './metadata/exif-block.js';
import { pngChunk, pngChunksOf, rawProfileText, withPngChunks } from './png-parts.js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const UPRIGHT = positioned({ width: 40, height: 30 }, 0);
const CROP = { x: 4, y: 3, width: 20, height: 18 };
const XMP =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>';
const exif = Buffer.from(
  exifBlock({
    main: [
      [0x010f, 2, 'Maker'],
      [0x0112, 3, [6]],
    ],
  }),
);
const signed = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exif]);

let png: Buffer;
beforeAll(async () => {
  png = await fromRaster(storedFor(UPRIGHT, 6)).png().toBuffer();
});

const zTxt = (keyword: string, text: Uint8Array | string): Buffer =>
  pngChunk('zTXt', Buffer.concat([Buffer.from(`${keyword}\0\0`, 'latin1'), deflateSync(Buffer.from(text as string))]));
const tExt = (keyword: string, text: string): Buffer => pngChunk('tEXt', `${keyword}\0${text}`);
const iTxt = (keyword: string, text: string, deflated: boolean): Buffer =>
  pngChunk(
    'iTXt',
    Buffer.concat([
      Buffer.from(`${keyword}\0${deflated ? '\x01' : '\0'}\0en\0${keyword}\0`, 'latin1'),
      deflated ? deflateSync(Buffer.from(text)) : Buffer.from(text),
    ]),
  );

const EXIF_PLACES: [string, Buffer][] = [
  ['eXIf', pngChunk('eXIf', exif)],
  ['eXIf that begins with Exif and two zeros', pngChunk('eXIf', signed)],
  ['eXIf that begins with EXIF and two zeros', pngChunk('eXIf', Buffer.concat([Buffer.from('EXIF\0\0'), exif]))],
  ['tEXt profile', tExt('Raw profile type exif', rawProfileText('exif', signed))],
  ['zTXt profile', zTxt('Raw profile type exif', rawProfileText('exif', signed))],
  ['zTXt profile Exif', zTxt('Raw profile type Exif', rawProfileText('Exif', signed))],
  [
    'zTXt profile APP1',
    zTxt('Raw profile type APP1', rawProfileText('generic profile', signed).replace(' profile', '')),
  ],
  ['iTXt profile', iTxt('Raw profile type exif', rawProfileText('exif', signed), false)],
  ['compressed iTXt profile', iTxt('Raw profile type exif', rawProfileText('exif', exif), true)],
];

describe('EXIF of a PNG turns it, is kept and says that the crop is upright', () => {
  test.each(
    EXIF_PLACES.flatMap(([place, chunk]) => [
      [`${place}, before the pixels`, chunk, true] as const,
      [`${place}, behind them`, chunk, false] as const,
    ]),
  )('%s', async (_, chunk, isBefore) => {
    const photo = await decodePhoto(withPngChunks(png, isBefore ? [chunk] : [], isBefore ? [] : [chunk]));
    expect(photo).toMatchObject({ width: 40, height: 30 });
    const crop = await encodeCrop(photo, { crop: CROP });
    const { rgb } = await storedPixels(crop.bytes);
    const at = (x: number, y: number): number[] => [...UPRIGHT.rgb.subarray(3 * (y * 40 + x), 3 * (y * 40 + x) + 3)];
    expect([...rgb.subarray(0, 3)]).toEqual(at(4, 3));
    expect([...rgb.subarray(3 * 19, 3 * 20)]).toEqual(at(23, 3));
    const { orientation, exif: kept } = await sharp(crop.bytes).metadata();
    expect(orientation).toBe(1);
    expect(kept!.includes('Maker')).toBe(true);
    expect(pngChunksOf(crop.bytes).filter(({ type }) => /^[tzi]TXt$/.test(type))).toEqual([]);
  });
});

describe('XMP and IPTC of a PNG are kept', () => {
  const iptc = Buffer.from('\x1c\x02\x19\0\x04dogs', 'latin1');
  const resources = Buffer.concat([
    Buffer.from('8BIM\x04\x04\0\0\0\0\0', 'latin1'),
    Buffer.from([iptc.length]),
    iptc,
    Buffer.alloc(iptc.length % 2),
  ]);
  const places: [string, Buffer][] = [
    ['iTXt', iTxt('XML:com.adobe.xmp', XMP, false)],
    ['compressed iTXt', iTxt('XML:com.adobe.xmp', XMP, true)],
    ['tEXt profile', tExt('Raw profile type xmp', rawProfileText('xmp', Buffer.from(XMP)))],
    ['zTXt profile', zTxt('Raw profile type xmp', rawProfileText('xmp', Buffer.from(XMP)))],
    [
      'APP1 profile',
      zTxt('Raw profile type APP1', rawProfileText('APP1', Buffer.from(`http://ns.adobe.com/xap/1.0/\0${XMP}`))),
    ],
  ];
  test.each(places)('XMP as %s, before and behind the pixels', async (_, chunk) => {
    for (const file of [withPngChunks(png, [chunk]), withPngChunks(png, [], [chunk])]) {
      const { bytes } = await encodeCrop(await decodePhoto(file), { crop: { x: 0, y: 0, width: 9, height: 9 } });
      expect((await sharp(bytes).metadata()).xmpAsString).toContain('xmp:Rating="4"');
    }
  });

  test.each([
    ['iptc', resources],
    ['IPTC', iptc],
    ['8bim', resources],
  ])('IPTC as profile %s behind the pixels', async (kind, data) => {
    const file = withPngChunks(png, [], [zTxt(`Raw profile type ${kind}`, rawProfileText(kind, data))]);
    const { photoshop } = readMetadata(await decodePhoto(file));
    expect(Buffer.from(photoshop!).includes(iptc)).toBe(true);
  });

  test('other texts stay texts, wherever they are', async () => {
    const file = withPngChunks(png, [tExt('Title', 'Two dogs')], [zTxt('Comment', 'of mine')]);
    const { bytes } = await encodeCrop(await decodePhoto(file), { crop: CROP_OF_STORED });
    expect((await sharp(bytes).metadata()).comments).toEqual([
      { keyword: 'Title', text: 'Two dogs' },
      { keyword: 'Comment', text: 'of mine' },
    ]);
  });
  const CROP_OF_STORED = { x: 0, y: 0, width: 9, height: 9 };

  testWith(
    ['ImageMagick', 'exiftool'],
    'all that ImageMagick makes of a JPEG’s: turned, and read back by exiftool',
    async () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'framewright-png-'));
      try {
        const jpeg = path.join(folder, 'a.jpg');
        writeFileSync(jpeg, await fromRaster(storedFor(UPRIGHT, 6)).jpeg({ quality: 98 }).toBuffer());
        exiftool(
          '-overwrite_original',
          '-Make=Maker',
          '-Orientation#=6',
          '-GPSLatitude=48.5',
          '-GPSLatitudeRef=N',
          '-XMP:Rating=4',
          '-IPTC:Keywords=dogs',
          jpeg,
        );
        const file = imageMagick([jpeg, 'png:-']);
        const photo = await decodePhoto(file);
        expect(photo).toMatchObject({ width: 40, height: 30 });
        const out = path.join(folder, 'b.png');
        writeFileSync(out, (await encodeCrop(photo, { crop: CROP })).bytes);
        const tags = JSON.parse(exiftool('-json', '-n', out)) as Record<string, unknown>[];
        expect(tags[0]).toMatchObject({
          Make: 'Maker',
          Orientation: 1,
          GPSLatitude: 48.5,
          Rating: 4,
          Keywords: 'dogs',
        });
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});

describe('texts of a PNG cost no more than they are worth', () => {
  const bomb = (text: string): Buffer =>
    pngChunk('zTXt', Buffer.concat([Buffer.from('Raw profile type exif\0\0', 'latin1'), deflateSync(text)]));

  test('white space without end behind a profile’s length is passed once', async () => {
    const file = withPngChunks(png, [bomb(`\nexif\n 8\n${' '.repeat(5_000_000)}!`)]);
    const photo = await decodePhoto(file);
    // The pattern that was matched here took 14 s for a 40th of it.
    await encodeCrop(photo, { crop: { x: 0, y: 0, width: 9, height: 9 } });
  }, 20_000);

  test('what all texts inflate to together is limited, and so are profiles and uncompressed texts', async () => {
    const big = bomb(`\nexif\n 8\n${' '.repeat(60_000_000)}`);
    const iccp = pngChunk('iCCP', Buffer.concat([Buffer.from('bomb\0\0'), deflateSync(Buffer.alloc(200_000_000))]));
    const file = withPngChunks(
      png,
      [iccp, ...Array.from({ length: 30 }, () => big)],
      Array.from({ length: 30 }, () => big),
    );
    const before = process.memoryUsage().rss;
    await renderFrame(await decodePhoto(file), { width: 28, height: 28 });
    expect(process.memoryUsage().rss - before).toBeLessThan(400_000_000);
  }, 20_000);

  test('a hundred thousand empty chunks are passed over', async () => {
    const file = withPngChunks(
      png,
      Array.from({ length: 100_000 }, () => pngChunk('tEXt', 'a\0')),
    );
    const { texts } = readMetadata(await decodePhoto(file));
    expect(texts!.length).toBeLessThanOrEqual(4096);
  });
});
