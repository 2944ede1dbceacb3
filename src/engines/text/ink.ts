import { boxBlur, newPlane, type Plane } from '../rules/maps/plane.js';

/** Whether letters are darker than what they are printed on, or lighter. */
export type Polarity = 'dark' | 'light';

/** Half the window, pixels: about a letter's height, for a threshold that is between it and what is around it. */
const WINDOW_RADIUS_PX = 16;
/** Niblack's k: how many deviations from the window's mean ink begins. Half way between paper and letters of usual density. */
const DEVIATIONS = 0.5;
/** Where a window varies by less, grey levels, nothing is written that a camera would tell from noise. */
const LEAST_DEVIATION = 7;

/** Pixels that are darker, or lighter, than their surroundings: 1 where they are, row major. */
export interface Ink {
  readonly width: number;
  readonly height: number;
  readonly mask: Uint8Array;
}

/** Local thresholds (Niblack 1986) for both polarities of one luminance plane. */
export function inkOf(grey: Plane): Readonly<Record<Polarity, Ink>> {
  const { width, height, data } = grey;
  const squares = newPlane(width, height);
  for (let i = 0; i < data.length; i++) squares.data[i] = data[i]! ** 2;
  const mean = boxBlur(grey, WINDOW_RADIUS_PX).data;
  const meanSquare = boxBlur(squares, WINDOW_RADIUS_PX).data;
  const dark = new Uint8Array(data.length);
  const light = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const deviation = Math.sqrt(Math.max(0, meanSquare[i]! - mean[i]! ** 2));
    if (deviation < LEAST_DEVIATION) continue;
    const off = data[i]! - mean[i]!;
    if (off < -DEVIATIONS * deviation) dark[i] = 1;
    else if (off > DEVIATIONS * deviation) light[i] = 1;
  }
  return { dark: { width, height, mask: dark }, light: { width, height, mask: light } };
}
