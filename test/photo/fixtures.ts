import sharp from 'sharp';
import type { Sharp } from 'sharp';
import type { Box, Size } from '../../src/base/geometry.js';

/** RGB rasters of known content, row major, 8 bits. */
export interface Raster extends Size {
  readonly rgb: Uint8Array;
}

export type Colour = readonly [red: number, green: number, blue: number];

export function plain({ width, height }: Size, colour: Colour): Raster {
  const rgb = new Uint8Array(3 * width * height);
  for (let i = 0; i < rgb.length; i++) rgb[i] = colour[i % 3]!;
  return { width, height, rgb };
}

export function withRectangle(raster: Raster, [x1, y1, x2, y2]: Box, colour: Colour): Raster {
  const rgb = Uint8Array.from(raster.rgb);
  for (let y = y1; y < y2; y++) {
    for (let i = 3 * (y * raster.width + x1); i < 3 * (y * raster.width + x2); i++) rgb[i] = colour[i % 3]!;
  }
  return { ...raster, rgb };
}

/** Of a drawn rectangle, and of what is around it. */
export const DARK = [24, 32, 40] as const;
export const LIGHT = [250, 240, 60] as const;

/** The light rectangle's box in a frame, found by its pixels alone: every pixel that is more light than dark. */
export function lightBox(rgb: Uint8Array, { width, height }: Size): Box {
  let [x1, y1, x2, y2] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (rgb[3 * (y * width + x)]! < (DARK[0] + LIGHT[0]) / 2) continue;
      x1 = Math.min(x1, x);
      y1 = Math.min(y1, y);
      x2 = Math.max(x2, x + 1);
      y2 = Math.max(y2, y + 1);
    }
  }
  return [x1, y1, x2, y2];
}

/** Each pixel tells where it is: red falls to the right, green grows downwards, blue is a fine checker if wanted. */
export function positioned({ width, height }: Size, checker = 30): Raster {
  const rgb = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      rgb.set(
        [255 - Math.floor((255 * x) / width), Math.floor((255 * y) / height), ((x ^ y) & 7) * checker],
        3 * (y * width + x),
      );
    }
  }
  return { width, height, rgb };
}

export function regionOf(raster: Raster, [x1, y1, x2, y2]: Box): Uint8Array {
  const rows: Uint8Array[] = [];
  for (let y = y1; y < y2; y++)
    rows.push(raster.rgb.subarray(3 * (y * raster.width + x1), 3 * (y * raster.width + x2)));
  return Buffer.concat(rows);
}

/**
 * The EXIF standard's definition (4.6.4 A, tag 274): the visual side that the stored first row and first column are.
 */
const EXIF_SIDES = {
  1: ['top', 'left'],
  2: ['top', 'right'],
  3: ['bottom', 'right'],
  4: ['bottom', 'left'],
  5: ['left', 'top'],
  6: ['right', 'top'],
  7: ['right', 'bottom'],
  8: ['left', 'bottom'],
} as const;
export const ORIENTATIONS = [1, 2, 3, 4, 5, 6, 7, 8] as const;
export type Orientation = (typeof ORIENTATIONS)[number];

/** The raster as a camera stores it whose picture looks like `upright` once the orientation is applied. */
export function storedFor(upright: Raster, orientation: Orientation): Raster {
  const [firstRow, firstColumn] = EXIF_SIDES[orientation];
  const transposed = firstRow === 'left' || firstRow === 'right';
  const width = transposed ? upright.height : upright.width;
  const height = transposed ? upright.width : upright.height;
  const distance = { top: 0, left: 0, bottom: upright.height - 1, right: upright.width - 1 };
  const along = (side: keyof typeof distance, steps: number): number => Math.abs(distance[side] - steps);
  const rgb = new Uint8Array(3 * width * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const x = transposed ? along(firstRow, row) : along(firstColumn, column);
      const y = transposed ? along(firstColumn, column) : along(firstRow, row);
      const from = 3 * (y * upright.width + x);
      const to = 3 * (row * width + column);
      for (let channel = 0; channel < 3; channel++) rgb[to + channel] = upright.rgb[from + channel]!;
    }
  }
  return { width, height, rgb };
}

export function fromRaster({ width, height, rgb }: Raster): Sharp {
  return sharp(rgb, { raw: { width, height, channels: 3 } });
}

/** The pixels of an encoded image as they are stored: no orientation, no profile applied. */
export async function storedPixels(bytes: Uint8Array): Promise<Raster> {
  const { data, info } = await sharp(bytes, { ignoreIcc: true })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgb: data };
}
