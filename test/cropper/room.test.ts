import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCropper, type Cropper, type CropResult } from '../../src/index.js';
import { examplePhoto } from '../support/photos.js';

// What is asked at once may be more than the cache has cells or sequences for: then some of it comes after the others.

let cropper: Cropper;
beforeAll(async () => {
  cropper = await openCropper({ gpu: 'cpu', threads: 1, parallel: 1 });
});
afterAll(() => cropper.dispose());

const photo = examplePhoto('dogs');

test('has room for all ratios and votes there may be, some after the others', async () => {
  const most = { candidates: 20, votes: 20 };
  const { candidates } = await cropper.crop(photo, most);
  expect(candidates).toHaveLength(20);
  expect(candidates.reduce((sum, { modelScore }) => sum + modelScore, 0)).toBeCloseTo(1, 5);
  const aspects = ['1:1', '4:5', '16:9'];
  const results: CropResult[] = [];
  for await (const result of cropper.cropAll([photo], { ...most, aspects })) results.push(result);
  expect(results.map(({ target }) => target.aspect)).toEqual(aspects);
  for (const { candidates: proposed } of results) {
    expect(proposed).toHaveLength(20);
    expect(proposed.reduce((sum, { modelScore }) => sum + modelScore, 0)).toBeCloseTo(1, 5);
  }
});

test('rank takes more boxes than there are sequences', async () => {
  const boxes = Array.from({ length: 90 }, (_, i) => ({ x: i, y: 2 * i, width: 400 + i, height: 500 }));
  const ranked = await cropper.rank(photo, boxes);
  expect(ranked).toHaveLength(90);
  expect(ranked.every(Number.isFinite)).toBe(true);
});

test('more variants than fit one conversation make room for each other', async () => {
  await using cropper = await openCropper({ gpu: 'cpu', threads: 1, parallel: 2 });
  await using held = await cropper.hold(photo);
  await held.crop({ candidates: 2, without: ['decision'] });
  for (const stages of [[], ['analysis'], ['enhancement']] as const) {
    for (let candidates = 12; candidates <= 20; candidates++) {
      const { candidates: proposed } = await held.crop({ candidates, without: [...stages, 'decision'] });
      expect(proposed).toHaveLength(candidates);
    }
  }
  // The first proposals are gone by now, and made once more.
  const before = cropper.counters().nTokensDecoded;
  expect((await held.crop({ candidates: 2 })).candidates).toHaveLength(2);
  expect(cropper.counters().nTokensDecoded - before).toBeGreaterThan(40);
});
