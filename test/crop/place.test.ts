import { expect, test } from 'vitest';
import { openCropper, PLACES, type CropResult, type Place } from '../../src/index.js';
import { parseMargin } from '../../src/crop/margin.js';
import { examplePhoto } from '../support/photos.js';

const WANTED: Record<Place, readonly [number | undefined, number | undefined]> = {
  left: [1 / 3, undefined],
  right: [2 / 3, undefined],
  top: [undefined, 1 / 3],
  bottom: [undefined, 2 / 3],
  centre: [1 / 2, 1 / 2],
  'top-left': [1 / 3, 1 / 3],
  'top-right': [2 / 3, 1 / 3],
  'bottom-left': [1 / 3, 2 / 3],
  'bottom-right': [2 / 3, 2 / 3],
};

/** Where in the crop a point of the photo is, as shares of its sides. */
function within({ crop }: CropResult, x: number, y: number): [number, number] {
  return [(x - crop.x) / crop.width, (y - crop.y) / crop.height];
}

test.each(PLACES)('a subject in the open is %s in every crop, of any ratio and none', async (place) => {
  await using cropper = await openCropper({ engine: 'rules' });
  const [wantedX, wantedY] = WANTED[place];
  for (const aspect of [undefined, '1:1', '16:9', '4:5']) {
    const { widthPx, heightPx } = (await cropper.crop(examplePhoto('mountains'))).photo;
    const at = [Math.round(widthPx / 2), Math.round(heightPx / 2)] as const;
    const result = await cropper.crop(examplePhoto('mountains'), { focus: at, place, ...(aspect && { aspect }) });
    const [x, y] = within(result, ...at);
    if (wantedX !== undefined) expect(Math.abs(x - wantedX)).toBeLessThan(0.025);
    if (wantedY !== undefined) expect(Math.abs(y - wantedY)).toBeLessThan(0.025);
    expect(result.notes).toBeUndefined();
    if (aspect) {
      const [width, height] = aspect.split(':').map(Number);
      expect(result.crop.width * height!).toBe(result.crop.height * width!);
    }
  }
});

test('where the photo ends too near for it, the crop comes as near as it can and says so', async () => {
  await using cropper = await openCropper({ engine: 'rules' });
  const { crop, notes } = await cropper.crop(examplePhoto('mountains'), { focus: [3, 3], place: 'bottom-right' });
  expect([crop.x, crop.y]).toEqual([0, 0]);
  expect(notes).toEqual([
    expect.stringMatching(/has its subject at \d+ % across and \d+ % down of the crop, not bottom-right/),
  ]);
});

test("where nothing tells the subject, the crop is the engine's and says so", async () => {
  await using cropper = await openCropper({ engine: 'centre' });
  const plain = await cropper.crop(examplePhoto('dogs'), { aspect: '1:1' });
  const placed = await cropper.crop(examplePhoto('dogs'), { aspect: '1:1', place: 'left' });
  expect(placed.crop).toEqual(plain.crop);
  expect(placed.notes).toEqual([expect.stringContaining('nothing tells where that is; say so with --focus or --keep')]);
});

const KEEP = { x: 200, y: 120, width: 100, height: 60 };

test.each([
  ['10%', { x: 190, y: 110, width: 120, height: 80 }],
  ['40px', { x: 160, y: 80, width: 180, height: 140 }],
  ['0%', KEEP],
])('a margin of %s trims to the subject with that room', async (margin, crop) => {
  await using cropper = await openCropper({ engine: 'rules' });
  expect((await cropper.crop(examplePhoto('dogs'), { keep: [KEEP], margin })).crop).toEqual(crop);
});

test('of a ratio, the crop is the smallest that holds subject and margin', async () => {
  await using cropper = await openCropper({ engine: 'rules' });
  const { crop } = await cropper.crop(examplePhoto('dogs'), { keep: [KEEP], margin: '10%', aspect: '1:1' });
  expect(crop).toMatchObject({ x: 190, width: 120, height: 120 });
  expect(crop.y <= 110 && crop.y + crop.height >= 190).toBe(true);
});

test.each(['10', '-3px', '10em', ''])('%o is no margin', (text) => {
  expect(() => parseMargin(text)).toThrow(/is no margin; write a share of the subject's size as 10%, or 40px/);
});
