import type { Size } from '../../base/geometry.js';

export interface RawTiff {
  /** The whole file, its pixels still to be filled in. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where they begin: rows from the top, interleaved, little-endian where they have 16 bits. */
  readonly pixelsAt: number;
}

export interface RawTiffShape extends Size {
  /** 3 for RGB, 4 with alpha. */
  readonly nChannels: 3 | 4;
  readonly bitDepth: 8 | 16;
  readonly icc?: Uint8Array;
}

const SHORT = 3;
const LONG = 4;
const UNDEFINED = 7;
const TYPE_BYTES = { [SHORT]: 2, [LONG]: 4, [UNDEFINED]: 1 } as const;

/** A reader that wants part of the picture reads no more than these around it. */
const ROWS_A_STRIP = 64;

/** An uncompressed RGB TIFF (TIFF 6.0, section 6): a file that holds pixels and says what they are, and costs no time. */
export function rawTiff({ width, height, nChannels, bitDepth, icc }: RawTiffShape): RawTiff {
  const rowBytes = width * nChannels * (bitDepth / 8);
  const nStrips = Math.ceil(height / ROWS_A_STRIP);
  const strips = Array.from({ length: nStrips }, (_, i) => Math.min(ROWS_A_STRIP, height - i * ROWS_A_STRIP));
  const entries: [tag: number, type: typeof SHORT | typeof LONG | typeof UNDEFINED, values: ArrayLike<number>][] = [
    [256, LONG, [width]],
    [257, LONG, [height]],
    [258, SHORT, Array.from({ length: nChannels }, () => bitDepth)],
    [259, SHORT, [1]], // not compressed
    [262, SHORT, [2]], // RGB
    [273, LONG, strips.map((_, i) => i * ROWS_A_STRIP * rowBytes)],
    [277, SHORT, [nChannels]],
    [278, LONG, [ROWS_A_STRIP]],
    [279, LONG, strips.map((nRows) => nRows * rowBytes)],
    [284, SHORT, [1]], // interleaved
    ...(nChannels === 4 ? [[338, SHORT, [2]] satisfies (typeof entries)[number]] : []), // alpha, not premultiplied
    ...(icc ? [[34675, UNDEFINED, icc] satisfies (typeof entries)[number]] : []),
  ];
  const ifdBytes = 2 + 12 * entries.length + 4;
  const long = entries.map(([, type, values]) => values.length * TYPE_BYTES[type]).map((n) => (n > 4 ? even(n) : 0));
  const pixelsAt = 8 + even(ifdBytes) + long.reduce((sum, n) => sum + n, 0);
  const bytes = new Uint8Array(pixelsAt + rowBytes * height);
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from('II*\0\x08\0\0\0', 'latin1'));
  view.setUint16(8, entries.length, true);
  let longAt = 8 + even(ifdBytes);
  for (const [i, [tag, type, values]] of entries.entries()) {
    const at = 10 + 12 * i;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, type, true);
    view.setUint32(at + 4, values.length, true);
    const to = long[i] === 0 ? at + 8 : longAt;
    if (long[i] !== 0) view.setUint32(at + 8, longAt, true);
    longAt += long[i]!;
    for (let k = 0; k < values.length; k++) {
      if (type === SHORT) view.setUint16(to + 2 * k, values[k]!, true);
      else if (type === LONG) view.setUint32(to + 4 * k, values[k]! + (tag === 273 ? pixelsAt : 0), true);
      else bytes[to + k] = values[k]!;
    }
  }
  return { bytes, pixelsAt };
}

function even(n: number): number {
  return n + (n % 2);
}
