import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodePhoto } from '../../src/photo/decode.js';
import { recognise } from '../../src/photo/sniff.js';
import { rejection } from './thrown.js';

const latin1 = (text: string): Buffer => Buffer.from(text.padEnd(64, '\0'), 'latin1');

function refusal(bytes: Uint8Array, name = 'photo'): string {
  const recognised = recognise(bytes, name);
  return 'refusal' in recognised ? recognised.refusal : `accepted as ${recognised.format}`;
}

/** A TIFF whose first directory has these entries (type LONG, one value each). */
function tiff(entries: Record<number, number>, littleEndian = true): Buffer {
  const tags = Object.entries(entries);
  const bytes = Buffer.alloc(8 + 2 + 12 * tags.length + 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  bytes.write(littleEndian ? 'II' : 'MM', 'latin1');
  view.setUint16(2, 42, littleEndian);
  view.setUint32(4, 8, littleEndian);
  view.setUint16(8, tags.length, littleEndian);
  for (const [index, [tag, value]] of tags.entries()) {
    const at = 10 + 12 * index;
    view.setUint16(at, Number(tag), littleEndian);
    view.setUint16(at + 2, 4, littleEndian);
    view.setUint32(at + 4, 1, littleEndian);
    view.setUint32(at + 8, value, littleEndian);
  }
  return bytes;
}

describe('refused with what it is and what to do', () => {
  test('HEIC by its brand, whatever the order of brands', () => {
    for (const brand of ['heic', 'heix', 'mif1']) {
      expect(recognise(latin1(`\0\0\0\x18ftyp${brand}\0\0\0\0mif1heic`), 'a')).toEqual({ format: 'heic' });
    }
    expect(recognise(latin1('\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf'), 'a')).toEqual({ format: 'avif' });
  });

  test('camera RAW by signature', () => {
    for (const magic of [
      'FUJIFILMCCD-RAW 0201',
      'IIRO\x08\0\0\0',
      'IIU\0\x18\0\0\0',
      'FOVb',
      '\0MRM',
      'II\x1a\0\0\0HEAPCCDR',
    ]) {
      expect(refusal(latin1(magic), 'DSC1.RAF')).toBe(
        'is a camera RAW file (RAF): develop it first, e.g. darktable-cli "DSC1.RAF" "DSC1.jpg"',
      );
    }
    expect(refusal(latin1('\0\0\0\x18ftypcrx \0\0\0\x01crx isom'), 'a')).toMatch(/^is a camera RAW file: /);
  });

  test('camera RAW that is a TIFF: by its directory, in either byte order, or by extension', () => {
    for (const littleEndian of [true, false]) {
      expect(refusal(tiff({ 50706: 0x01040000 }, littleEndian))).toMatch(/camera RAW/); // DNGVersion
      expect(refusal(tiff({ 262: 32803 }, littleEndian))).toMatch(/camera RAW/); // colour filter array
      expect(refusal(tiff({ 254: 1, 330: 9000 }, littleEndian))).toMatch(/camera RAW/); // preview first, rest in SubIFDs
      expect(recognise(tiff({ 254: 0, 262: 2 }, littleEndian), 'scan.tif')).toEqual({ format: 'tiff' });
    }
    expect(refusal(latin1('II*\0\x10\0\0\0CR\x02\0'))).toMatch(/camera RAW/);
    expect(refusal(tiff({ 262: 2 }), 'DSC_7.NEF')).toMatch(/camera RAW file \(NEF\)/);
  });

  test('documents, drawings, videos, archives and text by name', () => {
    const cases: [string, RegExp][] = [
      ['%PDF-1.7', /^is a PDF document: export it/],
      ['<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg">', /^is an SVG drawing/],
      ['<!DOCTYPE html><html>', /^is a web page: what was saved is not the photo/],
      ['\0\0\0\x20ftypisom\0\0\x02\0isomiso2', /^is a video: export a frame/],
      ['\x1aE\xdf\xa3', /^is a video/],
      ['PK\x03\x04', /^is a ZIP archive/],
      ['8BPS', /^is a Photoshop document/],
      ['\xff\x0a', /^is a JPEG XL image/],
      ['GGUF', /^is a GGUF model/],
      ['\x7fELF\x02\x01\x01', /^is not an image we know: use JPEG, PNG, WebP, AVIF, HEIC, TIFF or GIF/],
    ];
    for (const [magic, expected] of cases) expect(refusal(latin1(magic))).toMatch(expected);
    expect(refusal(Buffer.from('caption,rating\nsunset,5\n'))).toBe('is a text file: name a photo');
    expect(refusal(Buffer.from('Überschrift: Grüße ✓'))).toBe('is a text file: name a photo');
    expect(refusal(new Uint8Array())).toMatch(/^is empty \(0 bytes\)/);
  });

  test('through decodePhoto, as INPUT_UNSUPPORTED that names the file', async () => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    const thrown = await rejection(decodePhoto(svg, { name: 'logo.svg' }));
    expect(thrown.code).toBe('INPUT_UNSUPPORTED');
    expect(thrown.message).toBe('logo.svg is an SVG drawing: export it as JPEG, PNG or TIFF first');
    expect((await rejection(decodePhoto(new Uint8Array()))).code).toBe('INPUT_UNSUPPORTED');
  });
});

test('short and random heads of the signatures never throw', () => {
  const heads = [
    '\xff\xd8\xff',
    'II*\0',
    'MM\0*',
    '\0\0\0\x18ftyp',
    '\xff\xff\xff\xffftypheic',
    'RIFF',
    'GIF8',
    'I',
    'II*\0\xff\xff\xff\xff',
  ];
  for (const head of heads) {
    for (const length of [head.length, head.length + 1, 20]) {
      expect(() => recognise(Buffer.from(head.padEnd(length, 'x'), 'latin1'), 'a')).not.toThrow();
    }
  }
});

test('what sharp writes is what is recognised', async () => {
  for (const format of ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const) {
    const bytes = await sharp({ create: { width: 3, height: 3, channels: 3, background: 'red' } })
      .toFormat(format)
      .toBuffer();
    expect(recognise(bytes.subarray(0, 4096), 'x')).toEqual({ format });
  }
});
