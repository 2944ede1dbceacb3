import sharp from 'sharp';
import { expect, test } from 'vitest';
import { openCropper } from '../../src/cropper/cropper.js';
import { contains, boxOfRect, type Box } from '../../src/base/geometry.js';

const [WIDTH, HEIGHT, SIDE] = [320, 120, 40];

/** A bright square on a plain ground, at one place after the other. */
async function wandering(places: readonly number[]): Promise<Buffer> {
  const frames = await Promise.all(
    places.map((left) =>
      sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: '#304050' } })
        .composite([
          {
            input: { create: { width: SIDE, height: SIDE, channels: 3, background: '#ffe020' } },
            left,
            top: 40,
          },
        ])
        .removeAlpha()
        .raw()
        .toBuffer(),
    ),
  );
  const raw = { width: WIDTH, height: HEIGHT * places.length, channels: 3, pageHeight: HEIGHT } as const;
  return sharp(Buffer.concat(frames), { raw })
    .gif({ delay: places.map(() => 100) })
    .toBuffer();
}

const squareAt = (left: number): Box => [left, 40, left + SIDE, 40 + SIDE];

test.each(['rules', 'saliency'] as const)('%s: a crop holds what moves in every frame looked at', async (engine) => {
  const places = [40, 60, 80, 100, 120];
  await using cropper = await openCropper({ engine });
  for (const aspect of [undefined, '16:9', '2:1']) {
    const { crop, notes } = await cropper.crop(await wandering(places), aspect === undefined ? {} : { aspect });
    for (const left of places) expect(contains(boxOfRect(crop), squareAt(left))).toBe(true);
    expect(notes).toEqual(['is an animation of 5 frames: the crop is one for all of them, of which 5 were looked at']);
  }
});

test('the crop of the first frame alone would cut it', async () => {
  const places = [10, 60, 110, 160];
  await using still = await openCropper({ engine: 'saliency', firstFrame: true });
  await using moving = await openCropper({ engine: 'saliency' });
  const gif = await wandering(places);
  const wishes = { minSize: 0.05 };
  const [alone, all] = await Promise.all([still.crop(gif, wishes), moving.crop(gif, wishes)]);
  const nIn = (box: Box): number => places.filter((left) => contains(box, squareAt(left))).length;
  expect(nIn(boxOfRect(all.crop))).toBe(places.length);
  expect(nIn(boxOfRect(alone.crop))).toBeLessThan(places.length);
});

test('where a ratio has no room for all that moves, the crop has the ratio and what is in the middle of it', async () => {
  await using cropper = await openCropper({ engine: 'saliency' });
  const { crop } = await cropper.crop(await wandering([0, 70, 140, 210, 280]), { aspect: '1:1' });
  expect(crop.width).toBe(crop.height);
  expect(contains(boxOfRect(crop), squareAt(140))).toBe(true);
});

test('cropBuffer makes an animation of an animation', async () => {
  await using cropper = await openCropper({ engine: 'centre' });
  const { bytes, format } = await cropper.cropBuffer(await wandering([0, 100]), { aspect: '1:1' });
  expect(format).toBe('gif');
  expect(await sharp(bytes, { animated: true }).metadata()).toMatchObject({ pages: 2, delay: [100, 100] });
});
