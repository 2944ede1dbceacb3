import { decoding } from '../../photo/failure.js';
import type { Photo } from '../../photo/decode.js';
import { displayed } from '../../photo/render.js';

/** Side of the grey picture a hash is computed from. */
const SIDE = 32;
/** Frequencies kept on either axis. */
const KEPT = 8;

/** Signs of a picture's 63 lowest frequencies but the mean, in two words of 32 bits. */
type Signs = readonly [high: number, low: number];

export interface PerceptualHash {
  readonly own: Signs;
  /** Of the mirror image. */
  readonly mirrored: Signs;
}

/**
 * Photos whose hashes differ by at most this many signs count as the same. Measured on 84 of 250 photos of FLMS: copies
 * at half the size, as JPEG of quality 40, mirrored, grey, with more contrast or brighter by a tenth differ by 0 to 8
 * signs, ones trimmed by 2 % a side by 4 (median) to 12; of the 31,125 pairs of different photos the nearest differ by 14.
 */
export const NEAR_SIGNS = 10;

/**
 * The discrete cosine transform of the photo at 32 x 32 grey, its 8 x 8 lowest frequencies less the mean, each by whether
 * it is above their median: alike for copies at other sizes, qualities and brightness.
 *
 * @throws FramewrightError INPUT_CORRUPT
 */
export async function perceptualHash(photo: Photo, signal?: AbortSignal): Promise<PerceptualHash> {
  const { data, info } = await decoding(
    photo.name,
    () =>
      displayed(photo, { width: SIDE, height: SIDE })
        .resize(SIDE, SIDE, { fit: 'fill' })
        .greyscale()
        .raw()
        .toBuffer({ resolveWithObject: true }),
    signal,
  );
  const frequencies = lowFrequencies((x, y) => data[(y * SIDE + x) * info.channels]!);
  // Seen in a mirror every odd frequency across changes its sign.
  const mirrored = frequencies.map((value, i) => ((i % KEPT) % 2 === 0 ? value : -value));
  return { own: signs(frequencies), mirrored: signs(mirrored) };
}

/** Signs that differ, the photos as they are or one of them mirrored. */
export function hashDistance(a: PerceptualHash, b: PerceptualHash): number {
  return Math.min(different(a.own, b.own), different(a.own, b.mirrored));
}

function different(a: Signs, b: Signs): number {
  return bits(a[0] ^ b[0]) + bits(a[1] ^ b[1]);
}

/** Ones in a word (Warren, Hacker's Delight, 5-1). */
function bits(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

const COSINES = Array.from({ length: KEPT }, (_, k) =>
  Float64Array.from({ length: SIDE }, (_, i) => Math.cos((Math.PI * (2 * i + 1) * k) / (2 * SIDE))),
);

/** KEPT x KEPT, row by row, frequencies across in the columns. */
function lowFrequencies(grey: (x: number, y: number) => number): number[] {
  const across = Array.from({ length: SIDE }, (_, y) =>
    COSINES.map((cosine) => cosine.reduce((sum, value, x) => sum + value * grey(x, y), 0)),
  );
  return COSINES.flatMap((cosine) =>
    COSINES.map((_, k) => cosine.reduce((sum, value, y) => sum + value * across[y]![k]!, 0)),
  );
}

function signs(frequencies: readonly number[]): Signs {
  const withoutMean = frequencies.slice(1);
  const median = [...withoutMean].sort((a, b) => a - b)[withoutMean.length >> 1]!;
  const word = (values: readonly number[]): number =>
    values.reduce((bits, value) => (bits << 1) | Number(value > median), 0);
  return [word(withoutMean.slice(0, 31)), word(withoutMean.slice(31))];
}
