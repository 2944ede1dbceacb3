/**
 * A small stroke font for labels, drawn as paths: SVG text would need fonts that a bare machine lacks, and would look
 * different on each that has them.
 *
 * Units: the baseline is y = 0 with y downwards, lower-case letters are 6 high, digits and ascenders 9, descenders 2.8
 * deep. Paths are centre lines, to be stroked with round caps and joins.
 */
interface Glyph {
  readonly width: number;
  readonly path: string;
}

const BOWL = 'M0-3A2.5 3 0 1 1 5-3A2.5 3 0 1 1 0-3';

const GLYPHS: Readonly<Record<string, Glyph>> = {
  a: { width: 5, path: `M5-6V0${BOWL}` },
  b: { width: 5, path: `M0-9V0${BOWL}` },
  c: { width: 4.5, path: 'M4.5-4.8A2.5 3 0 1 0 4.5-1.2' },
  d: { width: 5, path: `M5-9V0${BOWL}` },
  e: { width: 5, path: 'M.1-3H5A2.5 3 0 1 0 4.5-1.2' },
  f: { width: 3.4, path: 'M3.6-8.9Q1.4-9.4 1.4-7V0M0-6H3.3' },
  g: { width: 5, path: `M5-6V.3Q5 2.8 2.5 2.8Q1.1 2.8.3 2.1${BOWL}` },
  h: { width: 4.6, path: 'M0-9V0M0-3.6A2.3 2.4 0 0 1 4.6-3.6V0' },
  i: { width: 0, path: 'M0-6V0M0-8.5V-8.4' },
  j: { width: 1.4, path: 'M1.4-6V1Q1.4 2.8 0 2.7M1.4-8.5V-8.4' },
  k: { width: 4.5, path: 'M0-9V0M4.2-6L0-2.4M1.6-3.7L4.5 0' },
  l: { width: 0, path: 'M0-9V0' },
  m: { width: 7.6, path: 'M0-6V0M0-3.8A1.9 2.2 0 0 1 3.8-3.8V0M3.8-3.8A1.9 2.2 0 0 1 7.6-3.8V0' },
  n: { width: 4.6, path: 'M0-6V0M0-3.6A2.3 2.4 0 0 1 4.6-3.6V0' },
  o: { width: 5, path: BOWL },
  p: { width: 5, path: `M0-6V2.8${BOWL}` },
  q: { width: 5, path: `M5-6V2.8${BOWL}` },
  r: { width: 3, path: 'M0-6V0M0-3.3Q.3-6 3-6' },
  s: { width: 4.3, path: 'M4-4.9Q3.5-6 2.1-6Q.2-6 .2-4.5Q.2-3.3 2.2-3Q4.3-2.7 4.3-1.4Q4.3 0 2.2 0Q.4 0 0-1.2' },
  t: { width: 3.2, path: 'M1.3-8V-1.7Q1.3 0 3.2-.1M0-6H3.1' },
  u: { width: 4.6, path: 'M0-6V-2.4A2.3 2.4 0 0 0 4.6-2.4V-6M4.6-2.4V0' },
  v: { width: 4.8, path: 'M0-6L2.4 0L4.8-6' },
  w: { width: 7.2, path: 'M0-6L1.8 0L3.6-5.4L5.4 0L7.2-6' },
  x: { width: 4.5, path: 'M0-6L4.5 0M4.5-6L0 0' },
  y: { width: 4.8, path: 'M0-6L2.4 0M4.8-6L1.9 1.6Q1.4 2.8 0 2.7' },
  z: { width: 4.4, path: 'M0-6H4.3L0 0H4.4' },
  '0': { width: 5.2, path: 'M0-4.5A2.6 4.5 0 1 1 5.2-4.5A2.6 4.5 0 1 1 0-4.5' },
  '1': { width: 2.4, path: 'M0-7.2L2.4-9V0' },
  '2': { width: 5.2, path: 'M.2-6.9Q.5-9 2.6-9Q5-9 5-6.7Q5-5.3 3.6-3.8L0 0H5.2' },
  '3': { width: 5.2, path: 'M.3-7.6Q1-9 2.6-9Q4.8-9 4.8-6.9Q4.8-4.9 2-4.8Q5.2-4.7 5.2-2.4Q5.2 0 2.6 0Q.6 0 0-1.7' },
  '4': { width: 5.4, path: 'M4 0V-9L0-2.6H5.4' },
  '5': { width: 5.2, path: 'M4.7-9H.9L.5-5Q1.3-5.8 2.6-5.8Q5.2-5.8 5.2-2.9Q5.2 0 2.5 0Q.7 0 0-1.5' },
  '6': { width: 5.2, path: 'M4.3-9Q0-7.6 0-2.9A2.6 2.9 0 1 0 5.2-2.9A2.6 2.9 0 1 0 0-2.9' },
  '7': { width: 5, path: 'M0-9H5L1.6 0' },
  '8': {
    width: 5.2,
    path: 'M2.6-4.9A2.1 2.05 0 1 1 2.6-9A2.1 2.05 0 1 1 2.6-4.9A2.6 2.45 0 1 0 2.6 0A2.6 2.45 0 1 0 2.6-4.9',
  },
  '9': { width: 5.2, path: 'M.9 0Q5.2-1.4 5.2-6.1A2.6 2.9 0 1 0 0-6.1A2.6 2.9 0 1 0 5.2-6.1' },
  _: { width: 5, path: 'M0 1.4H5' },
  ' ': { width: 1.6, path: '' },
  '-': { width: 3.6, path: 'M0-3H3.6' },
  ':': { width: 0, path: 'M0-5V-4.9M0-.6V-.5' },
  '.': { width: 0, path: 'M0-.5V-.4' },
  '%': { width: 7, path: 'M6-9L1 0M0-7A1.5 2 0 1 1 3-7A1.5 2 0 1 1 0-7M4-2A1.5 2 0 1 1 7-2A1.5 2 0 1 1 4-2' },
};

/** Between the centre lines' ends of two glyphs. */
const SPACING = 2.3;

export const GLYPH_STROKE = 1.35;
export const ASCENT = 9;
export const DESCENT = 2.8;

/** Whether the font has every character of the text. */
export function canWrite(text: string): boolean {
  return Array.from(text).every((character) => character in GLYPHS);
}

/** Width of the text's centre lines, in units; characters that the font lacks count as spaces. */
export function textWidth(text: string): number {
  return Array.from(text).reduce((sum, character) => sum + glyphOf(character).width + SPACING, -SPACING);
}

/**
 * SVG of the text with the left end of its baseline at (xPx, yPx).
 * @param unitPx px per unit of the font.
 */
export function textSvg(text: string, xPx: number, yPx: number, unitPx: number, colour: string): string {
  let x = 0;
  const paths: string[] = [];
  for (const character of text) {
    const { width, path } = glyphOf(character);
    if (path !== '') paths.push(`<path d="${path}" transform="translate(${round(x)} 0)"/>`);
    x += width + SPACING;
  }
  return (
    `<g transform="translate(${round(xPx)} ${round(yPx)}) scale(${round(unitPx)})" fill="none" stroke="${colour}" ` +
    `stroke-width="${GLYPH_STROKE}" stroke-linecap="round" stroke-linejoin="round">${paths.join('')}</g>`
  );
}

function glyphOf(character: string): Glyph {
  return GLYPHS[character] ?? GLYPHS[' ']!;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
