import sharp from 'sharp';
import { expect, test } from 'vitest';
import { splitPhotos, type HashedPhoto } from '../../../src/train/split/split-photos.js';
import { perceptualHash } from '../../../src/train/split/perceptual-hash.js';
import { decodePhoto } from '../../../src/photo/decode.js';
import { seededRandom } from '../../../src/base/random.js';

test('the folds of a cross-validation hold out every photo once, and about as many each', async () => {
  const photos: HashedPhoto[] = await Promise.all(
    Array.from({ length: 13 }, async (_, i) => ({
      photo: { id: `${i}.png`, path: `/${i}.png`, crops: [], pairs: [] },
      hash: await perceptualHash(await decodePhoto(await patches(i))),
    })),
  );
  const folds = [1, 2, 3, 4].map((number) =>
    splitPhotos(photos, { heldOutShare: 0.1, fold: { number, of: 4 }, seed: 3 })
      .photos.filter(({ split }) => split === 'heldout')
      .map(({ photo }) => photo.id),
  );
  expect(folds.flat().sort()).toEqual(photos.map(({ photo }) => photo.id).sort());
  expect(folds.map((ids) => ids.length).sort()).toEqual([3, 3, 3, 4]);
});

/** A picture of sixteen squares that no other has. */
async function patches(seed: number): Promise<Uint8Array> {
  const random = seededRandom(seed + 1);
  const values = Uint8Array.from({ length: 16 }, () => 256 * random());
  return sharp(values, { raw: { width: 4, height: 4, channels: 1 } })
    .resize(128, 128, { kernel: 'nearest' })
    .png()
    .toBuffer();
}
