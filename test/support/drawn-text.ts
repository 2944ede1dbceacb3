import sharp from 'sharp';
import { seededRandom } from '../../src/base/random.js';
import type { Box } from '../../src/base/geometry.js';
import type { Raster } from '../../src/engines/types.js';
import { ASCENT, DESCENT, GLYPH_STROKE, textSvg, textWidth } from '../../src/photo/overlay/glyphs.js';

/** A line of text on a photo. Drawn by strokes, not by a font: the same on every machine. */
export interface DrawnLine {
  readonly words: string;
  /** Where its left end stands on the baseline, pixels of the picture. */
  readonly at: readonly [x: number, y: number];
  /** Height of its ascenders, pixels. */
  readonly heightPx: number;
  readonly ink: string;
  /** Of the sign it is on; none: straight on the photo. */
  readonly sign?: string;
  /** Clockwise about the left end of its baseline. */
  readonly turnedDeg?: number;
  /** Slant of its letters, degrees. */
  readonly slantDeg?: number;
  /** Width of its letters, 1 as the font has it. */
  readonly wide?: number;
}

/** The line's box before it is turned. */
export function boxOfLine({ words, at: [x, y], heightPx, wide = 1 }: DrawnLine): Box {
  const unit = heightPx / ASCENT;
  const pen = (GLYPH_STROKE / 2) * unit;
  return [
    Math.floor(x - pen),
    Math.floor(y - heightPx - pen),
    Math.ceil(x + textWidth(words) * unit * wide + pen),
    Math.ceil(y + DESCENT * unit + pen),
  ];
}

/** A picture's bytes with lines drawn on it, as a JPEG. */
export async function withLines(photo: string | Buffer, lines: readonly DrawnLine[]): Promise<Buffer> {
  const { data, info } = await sharp(photo).rotate().toBuffer({ resolveWithObject: true });
  const body = lines.map((line) => lineSvg(line)).join('');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${info.width}" height="${info.height}">${body}</svg>`;
  const drawn = await sharp(data)
    .composite([{ input: Buffer.from(svg) }])
    .png()
    .toBuffer();
  return sharp(drawn).blur(0.5).jpeg({ quality: 90 }).toBuffer();
}

function lineSvg(line: DrawnLine): string {
  const { words, at, heightPx, ink, sign, turnedDeg = 0, slantDeg = 0, wide = 1 } = line;
  const [x1, y1, x2, y2] = boxOfLine({ ...line, at: [0, 0] });
  const room = 0.4 * heightPx;
  const plate = sign
    ? `<rect x="${x1 - room}" y="${y1 - room}" width="${x2 - x1 + 2 * room}" height="${y2 - y1 + 2 * room}" fill="${sign}"/>`
    : '';
  const letters = `<g transform="skewX(${-slantDeg}) scale(${wide} 1)">${textSvg(words, 0, 0, heightPx / ASCENT, ink)}</g>`;
  return `<g transform="translate(${at[0]} ${at[1]}) rotate(${turnedDeg})">${plate}${letters}</g>`;
}

export async function rasterOf(picture: Buffer | string): Promise<Raster> {
  const { data, info } = await sharp(picture).rotate().removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data: new Uint8Array(data), size: { width: info.width, height: info.height } };
}

const WORDS = ['open daily', 'fresh bread', 'main street 24', 'museum of glass', 'mind the gap', 'sale until 2026'];

/** A sign somewhere in a photo of 900 x 600, the same for the same seed. */
export function drawnSign(seed: number): DrawnLine {
  const random = seededRandom(seed * 6271 + 5);
  const between = (low: number, high: number): number => low + (high - low) * random();
  const words = WORDS[Math.floor(random() * WORDS.length)]!;
  const wide = between(0.8, 1.2);
  const widest = (800 * ASCENT) / (textWidth(words) * wide);
  const heightPx = Math.min(widest, 14 * 8 ** random());
  const width = (textWidth(words) * wide * heightPx) / ASCENT;
  const isDark = random() < 0.5;
  const tint = (low: number, high: number): string =>
    `rgb(${[0, 1, 2].map(() => Math.round(between(low, high))).join(',')})`;
  return {
    words,
    at: [between(40, 860 - width), between(heightPx + 80, 540 - heightPx)],
    heightPx,
    ink: isDark ? tint(0, 70) : tint(200, 255),
    sign: isDark ? tint(170, 255) : tint(0, 100),
    turnedDeg: random() < 0.5 ? 0 : between(-7, 7),
    slantDeg: random() < 0.3 ? 12 : 0,
    wide,
  };
}
