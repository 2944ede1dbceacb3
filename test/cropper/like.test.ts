import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cropResultSchema, decodePhoto, openCropper, writeSidecar, type Cropper, type Like } from '../../src/index.js';
import { boxOfRect } from '../../src/base/geometry.js';
import { burstOf, cropsApart } from '../support/bursts.js';
import { examplePhoto } from '../support/photos.js';

/** In pixels of the pagoda, 640x427: it is in the left half, and the finder knows it. */
const CROP = { x: 40, y: 10, width: 320, height: 400 };

let cropper: Cropper;
let folder: string;
let pagoda: string;
const at = (name: string): string => path.join(folder, name);
beforeAll(async () => {
  cropper = await openCropper({ engine: 'rules' });
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-like-'));
  pagoda = at('pagoda.jpg');
  copyFileSync(examplePhoto('pagoda'), pagoda);
  const { x: left, y: top, width, height } = CROP;
  await sharp(pagoda).extract({ left, top, width, height }).resize(240).jpeg().toFile(at('pagoda, cropped.jpg'));
});
afterAll(async () => {
  await cropper.dispose();
  rmSync(folder, { recursive: true });
});

/** The pagoda in front of more sky: smaller, and elsewhere. */
async function pagodaElsewhere(): Promise<Uint8Array> {
  const small = await sharp(pagoda).resize(448).toBuffer();
  return sharp({ create: { width: 900, height: 600, channels: 3, background: '#e6ecf2' } })
    .composite([{ input: small, left: 300, top: 301 }])
    .jpeg()
    .toBuffer();
}

test.each<[string, () => Like]>([
  ['a photo and its crop as a rectangle', () => ({ photo: pagoda, crop: CROP })],
  ['a photo and its crop as two files', () => ({ photo: pagoda, crop: at('pagoda, cropped.jpg') })],
  ['the two in one text, with a comma in a name', () => `${pagoda},${at('pagoda, cropped.jpg')}`],
])('crops are like %s', async (_, like) => {
  const result = cropResultSchema.parse(await cropper.crop(pagoda, { like: like() }));
  expect(result.like).toEqual({ reference: expect.any(String) as string, by: 'registration' });
  for (const side of ['x', 'y', 'width', 'height'] as const) {
    expect(Math.abs(result.crop[side] - CROP[side])).toBeLessThanOrEqual(3);
  }
  expect(result.notes).toBeUndefined();
});

test('crops are like a crop alone, also where they are of what it is a crop of', async () => {
  const wide = { x: 0, y: 2, width: 425, height: 425 };
  const alone = at('alone.jpg');
  await sharp(pagoda).extract({ left: 0, top: 2, width: 425, height: 425 }).resize(300).jpeg().toFile(alone);
  const { crop, like } = await cropper.crop(pagoda, { like: alone });
  expect(like).toEqual({ reference: alone, by: 'registration' });
  for (const side of ['x', 'y', 'width', 'height'] as const) {
    expect(Math.abs(crop[side] - wide[side])).toBeLessThanOrEqual(3);
  }
});

test('crops are like a photo with a crop in its sidecar, also one of ours', async () => {
  const withSidecar = at('beside.jpg');
  copyFileSync(pagoda, withSidecar);
  await writeSidecar(await decodePhoto(withSidecar), CROP, { path: at('beside.xmp') });
  const { crop, like } = await cropper.crop(pagoda, { like: withSidecar });
  expect({ crop, like }).toEqual({ crop: CROP, like: { reference: withSidecar, by: 'registration' } });
});

test('a frame of the same burst has its crop where the reference has it', async () => {
  const [first, second] = await burstOf(pagoda, { count: 2, seed: 7 });
  const reference = at('first.jpg');
  writeFileSync(reference, first!.bytes);
  const crop = { x: 40, y: 20, width: 280, height: 350 };
  const result = await cropper.crop(second!.bytes, { like: { photo: reference, crop } });
  expect(result.like?.by).toBe('registration');
  expect(cropsApart(first!, boxOfRect(crop), second!, boxOfRect(result.crop))).toBeLessThan(0.01);
});

test('in another photo the subject is as large in the crop, and where, as in the reference', async () => {
  const flower = at('flower.jpg');
  const drawn = '<circle cx="390" cy="230" r="105" fill="#c33"/><circle cx="390" cy="230" r="40" fill="#fc3"/>';
  const svg = `<svg width="640" height="427"><rect width="640" height="427" fill="#8fa38a"/>${drawn}</svg>`;
  await sharp(Buffer.from(svg)).jpeg().toFile(flower);
  const reference = { x: 240, y: 80, width: 300, height: 300 };
  const other =
    '<rect x="150" y="170" width="160" height="150" fill="#246"/><rect x="190" y="200" width="60" height="60" fill="#fff"/>';
  const photo = await sharp(
    Buffer.from(`<svg width="640" height="427"><rect width="640" height="427" fill="#c9c2b4"/>${other}</svg>`),
  )
    .jpeg()
    .toBuffer();
  const { crop, like, notes } = await cropper.crop(photo, { like: { photo: flower, crop: reference } });
  expect({ by: like?.by, notes }).toEqual({ by: 'subject', notes: undefined });
  expect(crop.width).toBe(crop.height);
  // The reference has it 210 of 300 px large, its middle at a half.
  expect(Math.abs(155 / crop.width / 0.7 - 1)).toBeLessThan(0.2);
  expect(Math.abs((230 - crop.x) / crop.width - 0.5)).toBeLessThan(0.06);
  expect(Math.abs((245 - crop.y) / crop.height - 0.5)).toBeLessThan(0.06);
});

test('of a ratio that is asked for, with what is to be kept, and a batch through', async () => {
  const like = { photo: pagoda, crop: CROP };
  const inputs = [pagoda, await pagodaElsewhere(), examplePhoto('mountains')];
  const results = [];
  for await (const result of cropper.cropAll(inputs, { like, aspects: ['1:1', '16:9'] })) results.push(result);
  expect(results.map(({ crop }) => crop.width / crop.height)).toEqual([1, 16 / 9, 1, 16 / 9, 1, 16 / 9]);
  expect(results.slice(4).map(({ like: taken, notes }) => ({ taken, notes }))).toEqual(
    Array(2).fill({
      taken: undefined,
      notes: [expect.stringContaining('is cropped as if there were no pagoda.jpg to be like')],
    }),
  );
  const keep = [{ x: 500, y: 300, width: 100, height: 100 }];
  const kept = await cropper.crop(pagoda, { like, keep });
  expect(kept.crop.x + kept.crop.width).toBeGreaterThanOrEqual(600);
  expect(kept.notes).toEqual([
    expect.stringContaining('the photo has no room for more, or what is to be kept takes it'),
  ]);
});

test.each<[string, string, () => object]>([
  ['USAGE', 'no subject is found in', () => ({ like: examplePhoto('mountains') })],
  ['USAGE', 'is not in its crop', () => ({ like: { photo: pagoda, crop: { x: 440, y: 0, width: 200, height: 200 } } })],
  [
    'USAGE',
    'inside the 640x427 photo',
    () => ({ like: { photo: pagoda, crop: { x: 440, y: 0, width: 300, height: 200 } } }),
  ],
  ['USAGE', 'is not found in', () => ({ like: { photo: examplePhoto('dogs'), crop: at('pagoda, cropped.jpg') } })],
  ['USAGE', 'did you mean crop?', () => ({ like: { photo: pagoda, crops: CROP } })],
  ['USAGE', 'Expected like to be a path', () => ({ like: 7 })],
  ['USAGE', 'so does place', () => ({ like: pagoda, place: 'left' })],
  ['USAGE', 'so does focus', () => ({ like: pagoda, focus: [1, 1] })],
  ['INPUT_NOT_FOUND', 'none.jpg', () => ({ like: at('none.jpg') })],
  ['INPUT_NOT_FOUND', 'none.jpg', () => ({ like: `${pagoda},${at('none.jpg')}` })],
])('a reference that says nothing is refused: %s %s', async (code, message, options) => {
  const running = cropper.crop(pagoda, options());
  await expect(running).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string });
});
