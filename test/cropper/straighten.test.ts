import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCropper, type Cropper } from '../../src/cropper/cropper.js';
import type { CropOptions } from '../../src/cropper/options.js';
import { cropResultSchema, type CropResult } from '../../src/base/schema.js';
import { straightPoint, turnOf } from '../../src/photo/turn/turn.js';
import { drawScene, renderScene, type SceneKind } from '../support/drawn-scenes.js';
import { examplePhoto } from '../support/photos.js';

let rules: Cropper;
let folder: string;
beforeAll(async () => {
  rules = await openCropper({ engine: 'rules' });
  folder = await mkdtemp(path.join(tmpdir(), 'framewright-straighten-'));
});
afterAll(async () => {
  await rules.dispose();
  await rm(folder, { recursive: true });
});

/** A drawn scene as a JPEG, turned clockwise. */
async function tilted(kind: SceneKind, seed: number, turnedDeg: number): Promise<Buffer> {
  const { data, size } = await renderScene(drawScene(kind, seed), turnedDeg, seed);
  return sharp(data, { raw: { ...size, channels: 3 } })
    .jpeg({ quality: 95 })
    .toBuffer();
}

/** What lasts of a result. */
function lasting({ timingsMs: _, ...rest }: CropResult): object {
  return rest;
}

describe('straighten', () => {
  test('auto turns a tilted photo upright, says by how much, from what and how sure; its crop is upright', async () => {
    const photo = await tilted('room', 4, 3);
    const { result, bytes } = await rules.cropBuffer(photo, { straighten: 'auto', aspect: '4:5' });
    cropResultSchema.parse(result);
    const { straighten, crop } = result;
    expect(straighten).toMatchObject({ applied: true, from: 'verticals' });
    expect(Math.abs(straighten!.angleDeg + 3)).toBeLessThan(0.2);
    expect(straighten!.confidence).toBeGreaterThanOrEqual(0.6);
    expect(straighten!.photo!.widthPx).toBeGreaterThan(result.photo.widthPx);
    expect(crop.width * 5).toBe(crop.height * 4);
    expect(crop.x + crop.width).toBeLessThanOrEqual(result.photo.widthPx);
    expect(crop.y + crop.height).toBeLessThanOrEqual(result.photo.heightPx);
    expect(await sharp(bytes).metadata()).toMatchObject({ width: crop.width, height: crop.height });
    expect(result.notes).toEqual([
      expect.stringMatching(
        /^is straightened by [\d.]+ degrees counterclockwise, by its upright edges \(\d+ % sure\)$/,
      ),
    ]);
    const again = await rules.tilt(bytes);
    expect(Math.abs(again?.angleDeg ?? 0)).toBeLessThan(0.3);
  });

  test('auto leaves a level photo as it is, and one that says nothing, and the crop is the same as without', async () => {
    for (const photo of [await tilted('sea', 6, 0), await tilted('leaves', 3, 5), examplePhoto('dogs')]) {
      const plain = await rules.crop(photo, { aspect: '1:1' });
      const { straighten, ...auto } = lasting(
        await rules.crop(photo, { aspect: '1:1', straighten: 'auto' }),
      ) as CropResult;
      expect(straighten?.applied).toBe(false);
      expect(straighten?.photo).toBeUndefined();
      expect(auto).toEqual(lasting(plain));
    }
  });

  test('off, and nothing said, give the same result, without a word of it', async () => {
    const photo = await tilted('sea', 6, 4);
    const plain = await rules.crop(photo);
    expect(lasting(await rules.crop(photo, { straighten: 'off' }))).toEqual(lasting(plain));
    expect(plain).not.toHaveProperty('straighten');
  });

  test('degrees turn by just so much, clockwise, and every crop of every ratio is photo all over', async () => {
    const white = await sharp({ create: { width: 301, height: 200, channels: 3, background: '#fff' } })
      .png()
      .toBuffer();
    await using centre = await openCropper({ engine: 'centre' });
    for (const straighten of [-45, -7.5, 0.2, 12]) {
      for (const aspect of ['1:1', '16:9', '4:5', '9:16']) {
        const { result, bytes } = await centre.cropBuffer(white, { straighten, aspect });
        expect(result.straighten).toMatchObject({ angleDeg: straighten, from: 'asked', applied: true });
        const [w, h] = aspect.split(':').map(Number) as [number, number];
        expect(result.crop.width * h).toBe(result.crop.height * w);
        const { data } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
        expect(data.every((value) => value === 255)).toBe(true);
      }
    }
    expect((await centre.crop(white, { straighten: 0 })).straighten).toEqual({
      angleDeg: 0,
      from: 'asked',
      applied: false,
    });
  });

  test('the whole of a straight photo is a crop, since it is not the photo as it was', async () => {
    await using full = await openCropper({ engine: 'full' });
    const { verdict, crop, photo } = await full.crop(await tilted('sea', 6, 4), { straighten: -4 });
    expect([verdict, crop.width, crop.height]).toEqual(['crop', photo.widthPx, photo.heightPx]);
  });

  test('a rectangle to keep and a focus are those of the photo as it was, wherever they come to lie', async () => {
    const photo = examplePhoto('dogs');
    const { photo: whole } = await rules.crop(photo);
    const keep = { x: 200, y: 150, width: 120, height: 100 };
    const turn = turnOf({ width: whole.widthPx, height: whole.heightPx }, 5);
    const { crop } = await rules.crop(photo, { straighten: 5, aspect: '1:1', minSize: 0.1, keep: [keep] });
    for (const corner of [
      [200, 150],
      [320, 250],
    ] as const) {
      const [x, y] = straightPoint(corner, turn);
      expect(x >= crop.x && x <= crop.x + crop.width && y >= crop.y && y <= crop.y + crop.height).toBe(true);
    }
    const { focalPoint, photo: straight } = await rules.crop(photo, { straighten: 5, focus: [330, 330] });
    const [x, y] = straightPoint([330.5, 330.5], turn);
    expect(Math.abs(focalPoint.x * straight.widthPx - x)).toBeLessThan(1);
    expect(Math.abs(focalPoint.y * straight.heightPx - y)).toBeLessThan(1);
  });

  test('what would be cut off with the corners keeps auto from turning, and is refused beside degrees', async () => {
    const photo = await tilted('room', 4, 4);
    const keep = [{ x: 0, y: 0, width: 20, height: 20 }];
    expect((await rules.crop(photo, { straighten: 'auto', keep })).straighten).toMatchObject({ applied: false });
    await expect(rules.crop(photo, { straighten: -4, keep })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('the box to keep 0,0,20,20') as string,
    });
    await expect(rules.crop(photo, { straighten: -4, focus: [0, 0] })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('an animation stays as it is under auto, is refused beside degrees, and its first frame is turned as any photo', async () => {
    const photo = await tilted('room', 4, 3);
    const darker = (brightness: number): Promise<Buffer> => sharp(photo).modulate({ brightness }).png().toBuffer();
    const frames = await Promise.all([1, 0.9, 0.8].map(darker));
    const moving = await sharp(frames, { join: { animated: true } })
      .webp({ lossless: true })
      .toBuffer();
    expect((await sharp(moving).metadata()).pages).toBe(3);
    const { result, bytes } = await rules.cropBuffer(moving, { straighten: 'auto', aspect: '1:1' });
    expect(result.straighten).toMatchObject({ applied: false, confidence: expect.any(Number) as number });
    expect(result.straighten!.confidence).toBeGreaterThan(0.6);
    expect((await sharp(bytes).metadata()).pages).toBe(3);
    await expect(rules.crop(moving, { straighten: 3 })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('--first-frame') as string,
    });
    await using still = await openCropper({ engine: 'rules', firstFrame: true });
    expect((await still.crop(moving, { straighten: 'auto' })).straighten).toMatchObject({ applied: true });
  });

  test.each([NaN, 1000, -45.1, Infinity, 'sideways', '3', true, null, [1]])('%s is refused', async (straighten) => {
    const options = { straighten } as unknown as CropOptions;
    const expected = { code: 'USAGE', message: expect.stringContaining('Expected straighten to be') as string };
    await expect(rules.crop(examplePhoto('dogs'), options)).rejects.toMatchObject(expected);
    await expect(rules.cropEach([examplePhoto('dogs')], options).next()).rejects.toMatchObject(expected);
  });

  test('tiny, long and turned photos do not trip it', async () => {
    for (const [width, height] of [
      [1, 1],
      [3, 500],
      [70, 70],
    ] as const) {
      const photo = await sharp({ create: { width, height, channels: 3, background: '#357' } })
        .png()
        .toBuffer();
      expect((await rules.crop(photo, { straighten: 'auto' })).straighten).toEqual({
        angleDeg: 0,
        confidence: 0,
        applied: false,
      });
      expect((await rules.crop(photo, { straighten: 30 })).crop.width).toBeGreaterThanOrEqual(1);
    }
  });

  test('of a photo stored lying down the angle is that of the upright one', async () => {
    const upright = await tilted('room', 4, 3);
    const lying = await sharp(upright).rotate(-90).withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toBuffer();
    expect((await rules.crop(lying, { straighten: 'auto' })).straighten?.angleDeg).toBeCloseTo(-3, 0);
  });

  test('an output of exact size and a photo from a file go the same way', async () => {
    const file = path.join(folder, 'a.jpg');
    await writeFile(file, await tilted('facade', 2, -2));
    const result = await rules.cropFile(file, path.join(folder, 'b.jpg'), { straighten: 'auto', size: '200x250' });
    expect(result.straighten?.applied).toBe(true);
    expect(await sharp(await readFile(path.join(folder, 'b.jpg'))).metadata()).toMatchObject({
      width: 200,
      height: 250,
    });
  });
});
