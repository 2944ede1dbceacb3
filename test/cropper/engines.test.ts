import { expect, test } from 'vitest';
import { openCropper } from '../../src/index.js';
import { cropResultSchema } from '../../src/base/schema.js';
import { examplePhoto } from '../support/photos.js';

const photo = examplePhoto('dogs');

test.each(['rules', 'saliency', 'centre', 'full'] as const)(
  'the engine %s gives the same kind of result without loading a model',
  async (engine) => {
    await using cropper = await openCropper({ engine, model: 'none of these' });
    expect(cropper.model).toBeUndefined();
    const result = await cropper.crop(photo);
    expect(cropResultSchema.parse(result)).toEqual(result);
    expect(result.engine).toBe(engine);
    expect(result.candidates.reduce((sum, { modelScore }) => sum + modelScore, 0)).toBeCloseTo(1, 4);
    const again = await cropper.crop(photo);
    expect({ ...again, timingsMs: {} }).toEqual({ ...result, timingsMs: {} });
  },
);

test.each(['rules', 'saliency', 'centre'] as const)(
  'the engine %s meets a ratio and cuts no box to keep',
  async (engine) => {
    await using cropper = await openCropper({ engine });
    const keep = [{ x: 200, y: 300, width: 220, height: 300 }];
    const { candidates } = await cropper.crop(photo, { aspect: '1:1', keep, minSize: 0.1 });
    for (const { box } of candidates) {
      expect(box[2] - box[0]).toBe(box[3] - box[1]);
      expect(box[0] <= 200 && box[1] <= 300 && box[2] >= 420 && box[3] >= 600).toBe(true);
    }
  },
);

test('the full engine keeps the photo, and what an engine cannot do it says', async () => {
  await using cropper = await openCropper({ engine: 'full' });
  expect(await cropper.crop(photo)).toMatchObject({
    verdict: 'keep',
    crop: { x: 0, y: 0, width: 799, height: 1200 },
  });
  await expect(cropper.analyse(photo)).rejects.toMatchObject({ code: 'USAGE' });
  await expect(cropper.rank(photo, [{ x: 0, y: 0, width: 9, height: 9 }])).rejects.toMatchObject({ code: 'USAGE' });
});

test('the rules find the dogs: the crop holds both heads and the analysis names a subject around them', async () => {
  await using cropper = await openCropper({ engine: 'rules' });
  const { crop, analysis } = await cropper.crop(photo);
  for (const [x, y] of [
    [350, 350], // the upper head
    [455, 625], // the lower one
  ] as const) {
    expect(x > crop.x && x < crop.x + crop.width && y > crop.y && y < crop.y + crop.height).toBe(true);
    expect(
      analysis.some(
        (element) =>
          'box' in element && x > element.box[0] && x < element.box[2] && y > element.box[1] && y < element.box[3],
      ),
    ).toBe(true);
  }
});
