import sharp from 'sharp';
import { seededRandom } from '../../src/base/random.js';
import type { Box, Point, Size } from '../../src/base/geometry.js';

/** A frame of a burst that is made of one photo: a window of it, at another scale, brightness, noise and JPEG quality. */
export interface Frame extends Size {
  readonly bytes: Uint8Array;
  /** Where the frame's pixels are in the photo. */
  readonly toPhoto: (point: Point) => Point;
}

export interface BurstOptions {
  readonly count: number;
  readonly seed: number;
  /** Longer side of the photo the frames are windows of. */
  readonly longSidePx?: number;
  /** Side of the smallest window, as a share of the photo's. */
  readonly leastShare?: number;
  /** EXIF DateTimeOriginal of each frame. */
  readonly times?: readonly string[];
}

/** Frames of one size. */
export async function burstOf(file: string, options: BurstOptions): Promise<Frame[]> {
  const { count, seed, longSidePx = 640, leastShare = 0.91, times } = options;
  const random = seededRandom(seed);
  const photo = await sharp(file)
    .autoOrient()
    .resize(longSidePx, longSidePx, { fit: 'inside' })
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = photo.info;
  const size = { width: Math.round(0.94 * width), height: Math.round(0.94 * height) };
  const frames: Frame[] = [];
  for (let i = 0; i < count; i++) {
    const share = leastShare + (0.94 - leastShare) * random();
    const window = { width: Math.round(share * width), height: Math.round(share * height) };
    const left = Math.floor(random() * (width - window.width));
    const top = Math.floor(random() * (height - window.height));
    const raw = await sharp(photo.data, { raw: { width, height, channels: 3 } })
      .extract({ left, top, ...window })
      .resize(size.width, size.height, { fit: 'fill' })
      .raw()
      .toBuffer();
    const [gain, noise] = [0.85 + 0.3 * random(), 16 * random()];
    for (let k = 0; k < raw.length; k++) raw[k] = Math.max(0, Math.min(255, gain * raw[k]! + noise * (random() - 0.5)));
    const taken = times?.[i];
    const picture = sharp(raw, { raw: { ...size, channels: 3 } });
    if (taken !== undefined) picture.withExif({ IFD2: { DateTimeOriginal: taken } });
    frames.push({
      ...size,
      bytes: await picture.jpeg({ quality: 70 + Math.floor(25 * random()) }).toBuffer(),
      toPhoto: ([x, y]) => [left + (x * window.width) / size.width, top + (y * window.height) / size.height],
    });
  }
  return frames;
}

/** How far the crop of a frame is from that of another, both seen in the photo: the edge furthest off, as a share of its side. */
export function cropsApart(a: Frame, cropA: Box, b: Frame, cropB: Box): number {
  const seen = (frame: Frame, [x1, y1, x2, y2]: Box): Box => {
    const [left, top] = frame.toPhoto([x1, y1]);
    const [right, bottom] = frame.toPhoto([x2, y2]);
    return [left, top, right, bottom];
  };
  const [one, other] = [seen(a, cropA), seen(b, cropB)];
  const sides = [one[2] - one[0], one[3] - one[1]];
  return Math.max(...one.map((edge, i) => Math.abs(edge - other[i]!) / sides[i % 2]!));
}
