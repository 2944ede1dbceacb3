import { boxBlur, newPlane, type Plane } from '../rules/maps/plane.js';

/** Half the window, pixels: about a letter's height, for a threshold that is between it and what is around it. */
const WINDOW_RADIUS_PX = 16;
/**
 * Niblack's k: how many deviations from the window's mean ink begins. The first is half way between letters of usual density
 * and plain paper, the second parts thin letters from what is uneven behind them.
 */
const DEVIATIONS = [0.5, 1.1] as const;
/** Where a window varies by less, grey levels, nothing is written that a camera would tell from noise. */
const LEAST_DEVIATION = 7;
/** Captions put on a photo are often black or white, whatever is behind them. Grey levels. */
const BLACK = 28;
const WHITE = 227;

/** Pixels that are darker, or lighter, than their surroundings: 1 where they are, row major. None at the plane's border. */
export interface Ink {
  readonly width: number;
  readonly height: number;
  readonly mask: Uint8Array;
}

/** What may be ink on one luminance plane, dark and light, each by local thresholds (Niblack 1986) and by one for all of it. */
export function inksOf(grey: Plane): Ink[] {
  const { width, height, data } = grey;
  const squares = newPlane(width, height);
  for (let i = 0; i < data.length; i++) squares.data[i] = data[i]! ** 2;
  const mean = boxBlur(grey, WINDOW_RADIUS_PX).data;
  const meanSquare = boxBlur(squares, WINDOW_RADIUS_PX).data;
  const [dark, light] = [new Uint8Array(data.length), new Uint8Array(data.length)];
  const [darker, lighter] = [new Uint8Array(data.length), new Uint8Array(data.length)];
  const [black, white] = [new Uint8Array(data.length), new Uint8Array(data.length)];
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * width + 1; i < (y + 1) * width - 1; i++) {
      const variance = meanSquare[i]! - mean[i]! ** 2;
      if (variance < LEAST_DEVIATION ** 2) continue;
      const off = (data[i]! - mean[i]!) / Math.sqrt(variance);
      if (off < -DEVIATIONS[0]) dark[i] = 1;
      if (off > DEVIATIONS[0]) light[i] = 1;
      if (off < -DEVIATIONS[1]) darker[i] = 1;
      if (off > DEVIATIONS[1]) lighter[i] = 1;
      if (data[i]! < BLACK) black[i] = 1;
      if (data[i]! > WHITE) white[i] = 1;
    }
  }
  return [dark, light, darker, lighter, black, white].map((mask) => ({ width, height, mask }));
}
