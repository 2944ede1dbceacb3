import { describe, expect, test } from 'vitest';
import { chooseFrame, frameMap } from '../../src/photo/frame.js';
import type { Box, Size } from '../../src/base/geometry.js';
import { decodePhoto } from '../../src/photo/decode.js';
import { encodeCrop } from '../../src/photo/crop-file.js';
import { renderFrame } from '../../src/photo/render.js';
import { cropRectangle } from '../../src/crop/crop-rectangle.js';
import {
  DARK,
  LIGHT,
  ORIENTATIONS,
  fromRaster,
  lightBox,
  plain,
  positioned,
  regionOf,
  storedFor,
  storedPixels,
  withRectangle,
  type Orientation,
} from './fixtures.js';
import { randomInts } from './random.js';

const BUDGET = { minPixels: 4 * 784, maxPixels: 36 * 784, cellPx: 28 };
/** At least 3 px wide and high: blown up, a narrower box's edges would not be where it is half as light. */
function randomBox(next: (below: number) => number, { width, height }: Size): Box {
  const side = (length: number): number =>
    Math.min(length, Math.max(3, Math.floor(length / 4)) + next(Math.ceil(length / 2)));
  const [boxWidth, boxHeight] = [side(width), side(height)];
  const x1 = next(width - boxWidth + 1);
  const y1 = next(height - boxHeight + 1);
  return [x1, y1, x1 + boxWidth, y1 + boxHeight];
}

const next = randomInts(21);
const sizes: Size[] = [
  ...Array.from({ length: 192 }, () => ({ width: 29 + 2 * next(80), height: 29 + 2 * next(80) })),
  // far larger than their frame, where JPEG decoding may take its halving, quartering and eighthing shortcuts
  ...[
    [1999, 1001],
    [601, 1203],
    [800, 600],
  ],
  // smaller than it
  ...[
    [9, 13],
    [31, 7],
    [5, 5],
    [57, 3],
    [3, 41],
  ],
].map((size) => (Array.isArray(size) ? { width: size[0]!, height: size[1]! } : size));

describe('a box said in the frame is where it is in the photo', () => {
  test.each(ORIENTATIONS)('for 200 sizes at EXIF orientation %i', async (orientation) => {
    await Promise.all(sizes.map((size, index) => checkBox(size, orientation, index % 4 === 3)));
  });
});

async function checkBox(size: Size, orientation: Orientation, lossless: boolean): Promise<void> {
  const drawn = randomBox(next, size);
  const stored = storedFor(withRectangle(plain(size, DARK), drawn, LIGHT), orientation);
  const tagged = fromRaster(stored).withMetadata({ orientation });
  // A JPEG's ringing, blown up a dozen times, would be wider than a frame pixel.
  const asPng = lossless || Math.min(size.width, size.height) < 16;
  const file = await (
    asPng ? tagged.png({ compressionLevel: 1 }) : tagged.jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
  ).toBuffer();

  const photo = await decodePhoto(file);
  expect({ width: photo.width, height: photo.height }).toEqual(size);
  const frame = chooseFrame(photo, BUDGET);
  const rgb = await renderFrame(photo, frame);
  expect(rgb.length).toBe(3 * frame.width * frame.height);

  const seen = lightBox(rgb, frame);
  const { toPhoto, toFrame } = frameMap(photo, frame);
  const said = toFrame.box(drawn);
  const mapped = toPhoto.box(seen);
  for (const edge of [0, 1, 2, 3] as const) {
    const framePixel = edge % 2 === 0 ? size.width / frame.width : size.height / frame.height;
    const off = [Math.abs(said[edge] - seen[edge]), Math.abs(mapped[edge] - drawn[edge]) / Math.max(1, framePixel)];
    if (Math.max(...off) > 1) expect.fail(`edge ${edge} of ${size.width}x${size.height} is off by ${off.join(' or ')}`);
  }
}

describe('a crop has the pixels of its box', () => {
  test.each(ORIENTATIONS)('at EXIF orientation %i, to the bit', async (orientation) => {
    for (let i = 0; i < 25; i++) {
      const upright = positioned({ width: 29 + 2 * next(80), height: 29 + 2 * next(80) });
      const file = await fromRaster(storedFor(upright, orientation)).withMetadata({ orientation }).png().toBuffer();
      const photo = await decodePhoto(file);
      const { toPhoto, frame } = frameMap(photo, chooseFrame(photo, BUDGET));
      const box = toPhoto.box(randomBox(next, frame));
      const { bytes } = await encodeCrop(photo, { crop: cropRectangle({ photo, box }) });
      const cropped = await storedPixels(bytes);
      expect([cropped.width, cropped.height]).toEqual([box[2] - box[0], box[3] - box[1]]);
      expect(Buffer.compare(cropped.rgb, regionOf(upright, box))).toBe(0);
    }
  });
});
