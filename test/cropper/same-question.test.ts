import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeToyPair } from '../../gguf/index.js';
import { openCropper, type Cropper, type CropResult } from '../../src/index.js';
import { examplePhoto } from '../support/photos.js';
import { greatestDifference, NATS_APART } from '../support/reproducibility.js';

// What docs/reproducibility.md promises of photos that are not held; hold.test.ts has the others.

let cropper: Cropper;
beforeAll(async () => {
  cropper = await openCropper({ gpu: 'cpu', threads: 1 });
});
afterAll(() => cropper.dispose());

const photo = examplePhoto('dogs'); // 799 x 1200
const withoutTimings = ({ timingsMs: _, ...rest }: CropResult): string => JSON.stringify(rest);

test('a crop is the same byte for byte again, also in a new cropper', async () => {
  const first = withoutTimings(await cropper.crop(photo, { votes: 3 }));
  expect(withoutTimings(await cropper.crop(photo, { votes: 3 }))).toBe(first);
  await using other = await openCropper({ gpu: 'cpu', threads: 1 });
  expect(withoutTimings(await other.crop(photo, { votes: 3 }))).toBe(first);
});

test('averages votes over rotated lists and still sums to 1', async () => {
  const one = await cropper.crop(photo, { votes: 1 });
  const five = await cropper.crop(photo, { votes: 5 });
  expect(five.candidates.map(({ box }) => box)).toEqual(one.candidates.map(({ box }) => box));
  expect(five.candidates.map(({ modelScore }) => modelScore)).not.toEqual(
    one.candidates.map(({ modelScore }) => modelScore),
  );
  expect(five.candidates.reduce((sum, { modelScore }) => sum + modelScore, 0)).toBeCloseTo(1, 5);
});

test('draws other answers at a temperature, the same ones for the same seed', async () => {
  const draw = (seed: number): Promise<CropResult> => cropper.crop(photo, { temperature: 2, seed });
  expect(withoutTimings(await draw(1))).toBe(withoutTimings(await draw(1)));
  expect((await draw(1)).candidates).not.toEqual((await draw(2)).candidates);
});

test('photos and ratios that share batches give the crops they give alone', async () => {
  // Unquantised: in other batches, which differ from run to run, its numbers differ too little to tip a choice.
  const folder = await mkdtemp(path.join(tmpdir(), 'framewright-crop-'));
  try {
    const { textPath } = await writeToyPair(folder, { seed: 3 });
    const open = (parallel: number): Promise<Cropper> =>
      openCropper({ model: textPath, gpu: 'cpu', threads: 1, parallel, imageTokens: 64, kvType: 'f32' });
    await using parallel = await open(3);
    await using inTurn = await open(1);
    const photos = [photo, examplePhoto('pagoda'), examplePhoto('mountains'), examplePhoto('dandelion')];
    const together = await collect(parallel.cropAll(photos, { candidates: 2 }));
    const alone = await collect(inTurn.cropAll(photos, { candidates: 2 }));
    expect(together.map(({ candidates }) => candidates.map(({ box }) => box))).toEqual(
      alone.map(({ candidates }) => candidates.map(({ box }) => box)),
    );
    expect(new Set(alone.map(({ crop }) => JSON.stringify(crop))).size).toBe(4);
    const aspects = ['1:1', '16:9'];
    const beside = await collect(parallel.cropAll([photo], { candidates: 2, aspects }));
    for (const [i, aspect] of aspects.entries()) {
      expect(beside[i]!.crop).toEqual((await inTurn.crop(photo, { candidates: 2, aspect })).crop);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe('encoding ahead', () => {
  const photos = [photo, 'missing.jpg', examplePhoto('pagoda'), examplePhoto('mountains')];
  const open = (encodeAhead: boolean): Promise<Cropper> => openCropper({ gpu: 'cpu', threads: 1, encodeAhead });

  test('changes nothing but who waits, and encodes no image twice', async () => {
    await using ahead = await open(true);
    await using inTurn = await open(false);
    const [a, b] = await Promise.all(
      [ahead, inTurn].map((each) => collect(each.cropAll(photos, { onError: () => undefined }))),
    );
    expect(a!.map(withoutTimings)).toEqual(b!.map(withoutTimings));
    expect(a).toHaveLength(3);
    expect(ahead.counters()).toMatchObject({ nImages: 6, nAhead: 3 });
    expect(inTurn.counters()).toMatchObject({ nImages: 6, nAhead: 0 });
  });

  test('a photo given up while its image is encoded ahead leaves nothing behind', async () => {
    await using ahead = await open(true);
    for await (const _ of ahead.cropEach([photo, photo, photo])) break;
    expect(withoutTimings(await ahead.crop(photo))).toBe(withoutTimings(await cropper.crop(photo)));
  });
});

describe('analyse and rank', () => {
  test('analyse gives the elements crop reports', async () => {
    expect(await cropper.analyse(photo)).toEqual((await cropper.crop(photo)).analysis);
  });

  test('rank gives each box its log-likelihood, the same alone as among others', async () => {
    const boxes = [
      { x: 0, y: 0, width: 799, height: 1200 },
      { x: 100, y: 100, width: 500, height: 700 },
      { x: 40, y: 300, width: 600, height: 800 },
    ];
    const together = await cropper.rank(photo, boxes);
    expect(together).toHaveLength(3);
    for (const [i, box] of boxes.entries()) {
      expect(together[i]).toBeLessThan(0);
      expect(greatestDifference(await cropper.rank(photo, [box]), [together[i]!])).toBeLessThan(NATS_APART.nano);
    }
    expect(new Set(together).size).toBe(3);
  });
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
