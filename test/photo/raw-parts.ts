import type { Size } from '../../src/base/geometry.js';
import type { ORIENTATIONS, Raster } from './fixtures.js';

type Field = readonly [
  tag: number,
  type: 'byte' | 'short' | 'long' | 'rational' | 'srational' | 'ascii',
  values: readonly number[] | string,
];

const TYPES = {
  byte: [1, 1],
  ascii: [2, 1],
  short: [3, 2],
  long: [4, 4],
  rational: [5, 8],
  srational: [10, 8],
} as const;

export interface DngParts {
  /** The raw picture, as it is stored. */
  readonly raster: Raster;
  readonly preview: Uint8Array;
  readonly previewSize: Size;
  /** EXIF's, 1 to 8. */
  readonly orientation: (typeof ORIENTATIONS)[number];
  /** Of the raw picture, in place of its own size. */
  readonly defaultCrop?: Size;
}

/** A DNG as a camera writes one: a JPEG preview in the first directory, a mosaic of 16 bits in the second, below it. */
export function dng({ raster, preview, previewSize, orientation, defaultCrop = raster }: DngParts): Buffer {
  const { width, height } = raster;
  const mosaic = Buffer.alloc(2 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // Red, green; green, blue.
      const channel = (y & 1) + (x & 1);
      mosaic.writeUInt16LE(raster.rgb[3 * (y * width + x) + channel]! * 200, 2 * (y * width + x));
    }
  }
  const first = (rawAt: number, previewAt: number): Field[] => [
    [254, 'long', [1]],
    [256, 'long', [previewSize.width]],
    [257, 'long', [previewSize.height]],
    [258, 'short', [8, 8, 8]],
    [259, 'short', [7]],
    [262, 'short', [6]],
    [271, 'ascii', 'Framewright\0'],
    [272, 'ascii', 'Drawn\0'],
    [273, 'long', [previewAt]],
    [274, 'short', [orientation]],
    [277, 'short', [3]],
    [278, 'long', [previewSize.height]],
    [279, 'long', [preview.length]],
    [330, 'long', [rawAt]],
    [50706, 'byte', [1, 4, 0, 0]],
    [50707, 'byte', [1, 1, 0, 0]],
    [50708, 'ascii', 'Framewright Drawn\0'],
    [50721, 'srational', [1, 0, 0, 0, 1, 0, 0, 0, 1]],
    [50728, 'rational', [1, 1, 1]],
    [50778, 'short', [21]],
  ];
  const second = (mosaicAt: number): Field[] => [
    [254, 'long', [0]],
    [256, 'long', [width]],
    [257, 'long', [height]],
    [258, 'short', [16]],
    [259, 'short', [1]],
    [262, 'short', [32803]],
    [273, 'long', [mosaicAt]],
    [277, 'short', [1]],
    [278, 'long', [height]],
    [279, 'long', [mosaic.length]],
    [33421, 'short', [2, 2]],
    [33422, 'byte', [0, 1, 1, 2]],
    [50714, 'short', [0]],
    [50717, 'short', [51_000]],
    [50719, 'long', [0, 0]],
    [50720, 'long', [defaultCrop.width, defaultCrop.height]],
  ];
  const head = Buffer.from('II*\0\x08\0\0\0', 'latin1');
  const rawAt = 8 + directory(first(0, 0), 8).length;
  const previewAt = rawAt + directory(second(0), rawAt).length;
  const mosaicAt = previewAt + preview.length + (preview.length % 2);
  return Buffer.concat([
    head,
    directory(first(rawAt, previewAt), 8),
    directory(second(mosaicAt), rawAt),
    preview,
    Buffer.alloc(preview.length % 2),
    mosaic,
  ]);
}

function directory(fields: readonly Field[], at: number): Buffer {
  const table = Buffer.alloc(2 + 12 * fields.length + 4);
  table.writeUInt16LE(fields.length, 0);
  const values: Buffer[] = [];
  let valuesAt = at + table.length;
  for (const [i, [tag, type, given]] of fields.entries()) {
    const [code, size] = TYPES[type];
    const list = typeof given === 'string' ? [...Buffer.from(given, 'latin1')] : given;
    const value = Buffer.alloc(Math.max(4, size * list.length + ((size * list.length) % 2)));
    for (const [k, each] of list.entries()) {
      if (size === 8) {
        value.writeUInt32LE(each, 8 * k);
        value.writeUInt32LE(1, 8 * k + 4);
      } else value.writeUIntLE(each, size * k, size);
    }
    const entryAt = 2 + 12 * i;
    table.writeUInt16LE(tag, entryAt);
    table.writeUInt16LE(code, entryAt + 2);
    table.writeUInt32LE(list.length, entryAt + 4);
    if (value.length === 4) table.set(value, entryAt + 8);
    else {
      table.writeUInt32LE(valuesAt, entryAt + 8);
      values.push(value);
      valuesAt += value.length;
    }
  }
  return Buffer.concat([table, ...values]);
}
