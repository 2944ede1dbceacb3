import sharp from 'sharp';
import { expect, test } from 'vitest';
import { sampledFrames } from '../../src/photo/animation.js';
import { encodeCrop } from '../../src/photo/crop-file.js';
import { decodePhoto } from '../../src/photo/decode.js';
import { examplePhoto } from '../support/photos.js';
import { describeWith, imageMagick } from '../support/system-tools.js';
import { rejection } from './thrown.js';

const CROP = { x: 50, y: 30, width: 60, height: 40 } as const;
const GEOMETRY = '60x40+50+30';

/** Frames smaller than the canvas, each left behind in another way, times of their own. */
function drawn(loop: string[]): Buffer {
  return imageMagick([
    ...['-size', '120x80', ...loop, '-delay', '10', '-dispose', 'none', 'xc:#204060'],
    ...['-delay', '20', '-dispose', 'background', '(', '-size', '30x20', 'xc:red', '-repage', '120x80+45+25', ')'],
    ...['-delay', '30', '-dispose', 'previous', '(', '-size', '30x20', 'xc:lime', '-repage', '120x80+60+40', ')'],
    ...[
      '-delay',
      '40',
      '-dispose',
      'none',
      '(',
      '-size',
      '40x30',
      'gradient:yellow-blue',
      '-repage',
      '120x80+80+50',
      ')',
    ],
    ...['-delay', '7', '(', '-size', '9x9', 'xc:white', '-repage', '120x80+52+32', ')', 'gif:-'],
  ]);
}

/** Four parts of a photo, each with 256 colours of its own. */
async function photographed(): Promise<Buffer> {
  const frames = await Promise.all(
    [0, 60, 120, 180].map((top) =>
      sharp(examplePhoto('dogs'))
        .resize(300)
        .extract({ left: 20 + top / 4, top, width: 120, height: 80 })
        .png()
        .toBuffer(),
    ),
  );
  const ppm = frames.map((png) => imageMagick(['png:-', 'ppm:-'], png));
  return imageMagick(['-delay', '12', '-loop', '0', 'ppm:-', 'gif:-'], Buffer.concat(ppm));
}

/** The frames that ImageMagick makes of an animation, RGBA one behind the other. */
function framesOf(animation: Uint8Array, ...operations: string[]): Buffer {
  const rgba = imageMagick(['gif:-', '-coalesce', ...operations, '-depth', '8', 'rgba:-'], animation);
  // What cannot be seen has any colour.
  for (let at = 0; at < rgba.length; at += 4) if (rgba[at + 3] === 0) rgba.fill(0, at, at + 3);
  return rgba;
}

function apart(a: Uint8Array, b: Uint8Array): { most: number; mean: number } {
  expect(a.length).toBe(b.length);
  let [most, sum] = [0, 0];
  for (const [i, value] of a.entries()) {
    const difference = Math.abs(value - b[i]!);
    most = Math.max(most, difference);
    sum += difference;
  }
  return { most, mean: sum / a.length };
}

async function timing(bytes: Uint8Array): Promise<unknown> {
  const { pages, delay, loop } = await sharp(bytes, { animated: true }).metadata();
  return { pages, delay, loop };
}

describeWith(['ImageMagick'], 'an animation', () => {
  test.each([
    ['for ever', ['-loop', '0'], 0],
    ['three times', ['-loop', '3'], 3],
  ])('%s: every frame is the same region as ImageMagick cuts, with its time', async (_, loop, nTimes) => {
    const gif = drawn(loop);
    const photo = await decodePhoto(gif);
    expect(photo).toMatchObject({ width: 120, height: 80, notes: [], animation: { nFrames: 5 } });
    const { bytes, format, leftOut } = await encodeCrop(photo, { crop: CROP });
    expect({ format, leftOut }).toEqual({ format: 'gif', leftOut: [] });
    // Fewer colours than a palette has: nothing is rounded.
    expect(framesOf(bytes).equals(framesOf(gif, '-crop', GEOMETRY, '+repage'))).toBe(true);
    expect(await timing(bytes)).toEqual({ pages: 5, delay: [100, 200, 300, 400, 70], loop: nTimes });
  });

  test('of photos, with a palette a frame, loses no more than a palette does', async () => {
    const gif = await photographed();
    const { bytes } = await encodeCrop(await decodePhoto(gif), { crop: CROP });
    const { mean } = apart(framesOf(bytes), framesOf(gif, '-crop', GEOMETRY, '+repage'));
    // A region of a frame has at most its 256 colours; the encoder rounds each to 5 or 6 bits while it counts them.
    expect(mean).toBeLessThan(2);
    expect(await timing(bytes)).toEqual({ pages: 4, delay: [120, 120, 120, 120], loop: 0 });
  });

  test('as a lossless WebP stays that, each frame to the bit', async () => {
    const gif = await photographed();
    const webp = await sharp(gif, { animated: true }).webp({ lossless: true }).toBuffer();
    const { bytes, format } = await encodeCrop(await decodePhoto(webp), { crop: CROP });
    expect(format).toBe('webp');
    const theirs = framesOf(gif, '-crop', GEOMETRY, '+repage');
    const ours = await sharp(bytes, { animated: true }).ensureAlpha().raw().toBuffer();
    expect(apart(ours, theirs).most).toBe(0);
    expect(await timing(bytes)).toEqual({ pages: 4, delay: [120, 120, 120, 120], loop: 0 });
  });

  test('as a lossy WebP is each frame, and asked for as WebP a GIF is one', async () => {
    const gif = await photographed();
    const webp = await sharp(gif, { animated: true }).webp({ quality: 90 }).toBuffer();
    const theirs = framesOf(gif, '-crop', GEOMETRY, '+repage');
    for (const source of [webp, gif]) {
      const { bytes } = await encodeCrop(await decodePhoto(source), { crop: CROP, format: 'webp' });
      const ours = await sharp(bytes, { animated: true }).ensureAlpha().raw().toBuffer();
      expect(apart(ours, theirs).mean).toBeLessThan(6);
    }
  });

  test('keeps its metadata in a WebP', async () => {
    const moving = await sharp(await photographed(), { animated: true })
      .withExif({ IFD0: { Artist: 'Ada' } })
      .webp()
      .toBuffer();
    const { bytes } = await encodeCrop(await decodePhoto(moving), { crop: CROP });
    const { exif, pages } = await sharp(bytes, { animated: true }).metadata();
    expect(exif!.toString('latin1')).toContain('Ada');
    expect(pages).toBe(4);
  });

  test('is scaled frame by frame', async () => {
    const resize = { width: 30, height: 20 };
    const { bytes } = await encodeCrop(await decodePhoto(drawn([])), { crop: CROP, resize });
    expect(await sharp(bytes, { animated: true }).metadata()).toMatchObject({ width: 30, pageHeight: 20, pages: 5 });
  });

  test('in a format that does not move is its first frame, as is told', async () => {
    const photo = await decodePhoto(drawn([]));
    for (const format of ['jpeg', 'png', 'avif', 'tiff'] as const) {
      const { bytes, leftOut } = await encodeCrop(photo, { crop: CROP, format });
      expect(leftOut).toEqual(['4 frames after the first, which only GIF and WebP hold']);
      expect((await sharp(bytes).metadata()).height).toBe(40);
    }
  });

  test('is its first frame alone where that is asked for', async () => {
    const gif = drawn([]);
    const photo = await decodePhoto(gif, { firstFrame: true });
    expect(photo.animation).toBeUndefined();
    expect(photo.notes).toEqual(['is an animation of 5 frames: the first is what is cropped']);
    const { bytes, format } = await encodeCrop(photo, { crop: CROP });
    expect(format).toBe('png');
    const first = framesOf(gif, '-crop', GEOMETRY, '+repage').subarray(0, 4 * 60 * 40);
    expect(apart(await sharp(bytes).ensureAlpha().raw().toBuffer(), first).most).toBe(0);
  });

  test('with more pixels in all its frames than the limit is refused with both ways out', async () => {
    const error = await rejection(decodePhoto(drawn([]), { maxPixels: 40_000 }));
    expect(error.code).toBe('INPUT_TOO_LARGE');
    expect(error.message).toMatch(/has 5 frames of 120x80 px, .*--first-frame.*--max-pixels/);
    expect(await decodePhoto(drawn([]), { maxPixels: 40_000, firstFrame: true })).toMatchObject({ width: 120 });
  });

  test('that is damaged in a later frame is damaged', async () => {
    const gif = await photographed();
    const cut = gif.subarray(0, Math.floor(0.7 * gif.length));
    const crop = async (): Promise<unknown> => encodeCrop(await decodePhoto(cut), { crop: CROP });
    expect((await rejection(crop())).code).toBe('INPUT_CORRUPT');
  });
});

test('frames looked at are spread from the first to the last', () => {
  expect(sampledFrames(2, 5)).toEqual([0, 1]);
  expect(sampledFrames(5, 5)).toEqual([0, 1, 2, 3, 4]);
  expect(sampledFrames(101, 5)).toEqual([0, 25, 50, 75, 100]);
});
