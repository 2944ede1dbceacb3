import sharp from 'sharp';
import { expect, test } from 'vitest';
import type { Point } from '../../src/base/geometry.js';
import { decodePhoto } from '../../src/photo/decode.js';
import { findCrop, isFound } from '../../src/registration/find-crop.js';
import { follow } from '../../src/registration/follow.js';
import { greyPicture, pyramidOf, type Pyramid } from '../../src/registration/grey-picture.js';
import { register } from '../../src/registration/register.js';
import { after, angleDegOf, inverse, movedBox, movedPoint, scaleOf } from '../../src/registration/similarity.js';
import { sureAlignment } from '../../src/registration/sure-alignment.js';
import { burstOf } from '../support/bursts.js';
import { examplePhoto } from '../support/photos.js';

const PHOTOS = ['dogs', 'pagoda', 'dandelion', 'mountains', 'dust-bowl-home'] as const;

async function pyramid(photo: string | Uint8Array): Promise<Pyramid> {
  return pyramidOf(await greyPicture(await decodePhoto(photo)));
}

test.each(PHOTOS)(
  'frames of %s, shifted, scaled, darker and noisy, are laid over each other to three thousandths',
  async (name) => {
    const [first, ...others] = await burstOf(examplePhoto(name), { count: 4, seed: 3 });
    const one = await pyramid(first!.bytes);
    for (const frame of others) {
      const found = sureAlignment(one, await pyramid(frame.bytes));
      expect(found).toBeDefined();
      for (const share of [0.2, 0.8]) {
        const at: Point = [share * first!.width, share * first!.height];
        const [x, y] = frame.toPhoto(movedPoint(at, found!.similarity));
        const [wantedX, wantedY] = first!.toPhoto(at);
        expect(Math.abs(x - wantedX) / first!.width).toBeLessThan(0.003);
        expect(Math.abs(y - wantedY) / first!.height).toBeLessThan(0.003);
      }
    }
  },
);

test('a photo held at another angle is laid over the straight one', async () => {
  const photo = sharp(examplePhoto('pagoda')).resize(600, 400, { fit: 'fill' });
  const plain = await photo.clone().extract({ left: 60, top: 40, width: 480, height: 320 }).png().toBuffer();
  const turned = await photo.clone().rotate(2, { background: '#808080' }).png().toBuffer();
  const { width, height } = await sharp(turned).metadata();
  const left = Math.round((width - 480) / 2);
  const top = Math.round((height - 320) / 2);
  const held = await sharp(turned).extract({ left, top, width: 480, height: 320 }).png().toBuffer();
  const found = sureAlignment(await pyramid(plain), await pyramid(held));
  expect(angleDegOf(found!.similarity)).toBeCloseTo(2, 0);
  expect(scaleOf(found!.similarity)).toBeCloseTo(1, 2);
});

test('different photos are never laid over each other', async () => {
  const pyramids = await Promise.all(
    PHOTOS.map(async (name) => pyramid(await sharp(examplePhoto(name)).resize(400, 400, { fit: 'cover' }).toBuffer())),
  );
  for (const [i, one] of pyramids.entries()) {
    for (const other of pyramids.slice(i + 1)) {
      expect(register(one, other).likeness).toBeLessThan(0.6);
      expect(sureAlignment(one, other)).toBeUndefined();
    }
  }
});

test('a photo without anything in it is laid over nothing, nor is one of a pixel', async () => {
  const plain = async (width: number, height: number): Promise<Pyramid> =>
    pyramid(
      await sharp({ create: { width, height, channels: 3, background: '#777777' } })
        .png()
        .toBuffer(),
    );
  const dogs = await pyramid(await sharp(examplePhoto('dogs')).resize(300, 300, { fit: 'cover' }).toBuffer());
  expect(sureAlignment(await plain(300, 300), dogs)).toBeUndefined();
  expect(sureAlignment(await plain(300, 300), await plain(300, 300))).toBeUndefined();
  expect(sureAlignment(await plain(1, 1), await plain(1, 1))).toBeUndefined();
});

test('a subject that moves in front of a still background is followed', async () => {
  const background = await sharp(examplePhoto('mountains')).resize(600, 400, { fit: 'cover' }).toBuffer();
  const subject = await sharp(examplePhoto('pagoda'))
    .extract({ left: 90, top: 40, width: 230, height: 300 })
    .resize(150)
    .toBuffer();
  const { height } = await sharp(subject).metadata();
  const withSubject = (left: number, top: number): Promise<Uint8Array> =>
    sharp(background)
      .composite([{ input: subject, left, top }])
      .png()
      .toBuffer();
  const [one, other] = [await pyramid(await withSubject(80, 120)), await pyramid(await withSubject(190, 160))];
  const whole = sureAlignment(one, other)!;
  expect(movedPoint([300, 20], whole.similarity)[0]).toBeCloseTo(300, 0);
  const box = [80, 120, 230, 120 + height] as const;
  const [x1, y1] = movedBox(box, follow(one, other, whole, box));
  expect(Math.abs(x1 - 190)).toBeLessThan(3);
  expect(Math.abs(y1 - 160)).toBeLessThan(3);
  // What has not moved is where the photos as a whole say.
  const still = [420, 20, 580, 140] as const;
  expect(follow(one, other, whole, still)).toBe(whole.similarity);
});

test.each([
  ['pagoda', { left: 60, top: 20, width: 300, height: 375 }],
  ['dogs', { left: 200, top: 300, width: 450, height: 450 }],
  ['dust-bowl-home', { left: 320, top: 120, width: 480, height: 300 }],
] as const)('a crop of %s, scaled and in other colours, is found in it', async (name, region) => {
  const file = examplePhoto(name);
  const crop = await sharp(file)
    .extract(region)
    .resize(260)
    .modulate({ brightness: 0.85, saturation: 1.4 })
    .jpeg()
    .toBuffer();
  const cut = await decodePhoto(crop);
  const large = { longSidePx: 384 };
  const found = findCrop(await greyPicture(cut, large), await greyPicture(await decodePhoto(file), large));
  expect(isFound(found)).toBe(true);
  const [x1, y1, x2, y2] = movedBox([0, 0, cut.width, cut.height], found.similarity);
  const { left, top, width, height } = region;
  for (const off of [x1 - left, x2 - left - width]) expect(Math.abs(off) / width).toBeLessThan(0.005);
  for (const off of [y1 - top, y2 - top - height]) expect(Math.abs(off) / height).toBeLessThan(0.005);
  const other = await decodePhoto(examplePhoto(name === 'dogs' ? 'pagoda' : 'dogs'));
  expect(isFound(findCrop(await greyPicture(cut, large), await greyPicture(other, large)))).toBe(false);
});

test('one similarity after another, and back again, is what both do', () => {
  const one = { scaleCos: 1.1, scaleSin: 0.2, shiftX: 30, shiftY: -12 };
  const other = { scaleCos: 0.8, scaleSin: -0.1, shiftX: -5, shiftY: 7 };
  const [x, y] = movedPoint(movedPoint([17, 90], one), other);
  const both = movedPoint([17, 90], after(one, other));
  expect(both[0]).toBeCloseTo(x, 9);
  expect(both[1]).toBeCloseTo(y, 9);
  const back = movedPoint(both, inverse(after(one, other)));
  expect(back[0]).toBeCloseTo(17, 9);
  expect(back[1]).toBeCloseTo(90, 9);
});
