import { expect, test } from 'vitest';
import { openCropper } from '../../src/index.js';
import { examplePhoto } from '../support/photos.js';

test('a size that is more than the crop has is told', async () => {
  await using cropper = await openCropper({ engine: 'centre' });
  const photo = examplePhoto('dogs');
  const { crop } = await cropper.crop(photo, { size: '100x100' });
  const asked = async (side: number) => (await cropper.crop(photo, { size: `${side}x${side}` })).notes;
  expect(await asked(4 * crop.width)).toEqual([
    `is enlarged 4.0 times: its crop has ${crop.width}x${crop.height} px, and ${4 * crop.width}x${4 * crop.height} are asked for`,
  ]);
  expect(await asked(crop.width)).toBeUndefined();
  expect(await asked(crop.width + 10)).toBeUndefined();
});
