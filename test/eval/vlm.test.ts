import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aggregate } from '../../src/eval/aggregate.js';
import { photoSize } from '../../src/eval/datasets/photos.js';
import type { Dataset } from '../../src/eval/datasets/types.js';
import { vlmMethod } from '../../src/eval/methods/vlm.js';
import type { PresentPhoto } from '../../src/eval/methods/types.js';
import { runEvaluation } from '../../src/eval/run.js';
import type { Box, Size } from '../../src/base/geometry.js';
import { openCropper, type Cropper, type CropperOptions, type HeldPhoto } from '../../src/index.js';
import { readManifest, type Manifest } from '../../src/model/manifest.js';
import { examplePhoto, projectFile } from '../support/photos.js';

const path = examplePhoto('pagoda');
let cropper: Cropper;
let size: Size;

beforeAll(async () => {
  cropper = await openCropper({ gpu: 'cpu', threads: 1 });
  size = await photoSize(path);
});
afterAll(() => cropper.dispose());

/** What the model says of the photo when it is held, as a method holds it: in the same state, so to the same bytes. */
async function ofHeld<R>(ask: (held: HeldPhoto) => Promise<R>): Promise<R> {
  await using held = await cropper.hold(path);
  return await ask(held);
}

/** The photo with labels made on a copy of half its width and a third of its height. */
function scaledPhoto(): PresentPhoto {
  return { id: 'pagoda', path, split: undefined, size: { width: size.width / 2, height: size.height / 3 } };
}

test('crops and elements come back in label space, the chosen crop first', async () => {
  const method = await vlmMethod(cropper, { candidates: 3 });
  const result = await ofHeld((held) => held.crop({ candidates: 3 }));
  const crops = await method.crop!(scaledPhoto(), {});
  result.candidates[result.best]!.box.forEach((edge, i) => {
    expect(crops[0]![i]).toBeCloseTo(edge / (i % 2 === 0 ? 2 : 3), 6);
  });
  expect(crops).toHaveLength(result.candidates.length);

  const [inPhoto] = await ofHeld((held) => held.analyse());
  const [inLabels] = await method.analyse!(scaledPhoto(), {});
  expect(inLabels?.type).toBe(inPhoto?.type);
  const numbers = (element: object | undefined): number[] =>
    JSON.stringify(element)
      .match(/-?\d+(\.\d+)?/g)!
      .map(Number);
  numbers(inLabels).forEach((value, i) => {
    expect(value).toBeCloseTo(numbers(inPhoto)[i]! / (i % 2 === 0 ? 2 : 3), 6);
  });
});

test('asked for ratios, it answers with crops of them, from one analysis of the photo', async () => {
  const method = await vlmMethod(cropper);
  const judgement = { best: 0.5, second: 0.25, bad: [1], isSame: false };
  const aspects = ['1:1', '9:16'] as const;
  const photos = aspects.map((aspect) => ({ id: aspect, path, split: aspect, size, aspect, judgement }));
  const dataset: Dataset = { kind: 'places', name: 'one', folder: '.', photos, missing: [], repairs: [] };
  const { outcomes } = await runEvaluation(dataset, [method]);
  const crops = outcomes[0]!.map(({ prediction }) => ('boxes' in prediction ? prediction.boxes[0]! : undefined));
  const results = await ofHeld(async (held) => [
    await held.crop({ aspect: '1:1' }),
    await held.crop({ aspect: '9:16' }),
  ]);
  expect(crops).toEqual(results.map(({ candidates, best }) => candidates[best]!.box));
  expect(results.map(({ crop }) => crop.width / crop.height)).toEqual([1, expect.closeTo(9 / 16, 2) as number]);
});

test('boxes of label space are ranked as the pixels of the photo they stand for', async () => {
  const method = await vlmMethod(cropper);
  const rects = [
    { x: 0, y: 0, width: size.width, height: size.height },
    { x: 20, y: 30, width: 300, height: 240 },
  ];
  const boxes = rects.map(({ x, y, width, height }): Box => [x / 2, y / 3, (x + width) / 2, (y + height) / 3]);
  const inPhoto = await ofHeld((held) => held.rank(rects));
  const inLabels = await method.rank!(scaledPhoto(), boxes, {});
  expect(inLabels).toEqual(inPhoto);
  expect(Math.abs(inPhoto[0]! / inPhoto[1]! - 1)).toBeGreaterThan(0.1);
});

test('a ranking data set is evaluated from end to end', async () => {
  const crops = [0, 40, 80].map((x, i) => ({ box: [x, 0, x + 200, 200] as Box, mos: i }));
  const photo = { id: 'pagoda', path, split: 'test', size, crops };
  const dataset: Dataset = { kind: 'ranking', name: 'one', folder: '.', photos: [photo], missing: [], repairs: [] };
  const result = aggregate(await runEvaluation(dataset, [await vlmMethod(cropper)]), { resamples: 10 });
  expect(result.errors).toEqual([]);
  expect(result.methods[0]!.nUnusable).toBe(0);
});

test('the key is that of the files and options, and of nothing else', async () => {
  const keys = await Promise.all(
    [{}, { name: 'another name' }, { candidates: 4 }, { votes: 2 }].map(
      async (options) => (await vlmMethod(cropper, options)).key,
    ),
  );
  expect(keys[0]).toBe(keys[1]);
  expect(new Set(keys).size).toBe(3);
  expect(keys[0]).toContain(cropper.model?.sha256);
});

describe('the key tells apart', () => {
  const nano = projectFile('gguf', 'nano');
  let folder: string;
  let manifest: Manifest;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'framewright-key-'));
    manifest = await readManifest(join(nano, 'manifest.json'));
    await cp(nano, folder, { recursive: true });
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Of the bundled model with another manifest, opened otherwise. */
  async function keyOf(change: Partial<Manifest>, options: CropperOptions = {}): Promise<string> {
    await writeFile(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, ...change }));
    await using opened = await openCropper({ model: folder, gpu: 'cpu', threads: 1, ...options });
    return (await vlmMethod(opened)).key;
  }

  test('every way to use the same files, and nothing else of the manifest', async () => {
    const { preprocess, overlay, contextCells, pixelBudget } = manifest;
    const keys = [
      await keyOf({}),
      await keyOf({ preprocess: { positionRamps: !preprocess.positionRamps } }),
      await keyOf({ overlay: { labels: !overlay.labels } }),
      await keyOf({ contextCells: contextCells + 256 }),
      await keyOf({ pixelBudget: { ...pixelBudget, max: pixelBudget.max - 28 * 28 } }),
      await keyOf({}, { kvType: 'f32' }),
      await keyOf({}, { kvType: 'q8_0' }),
      await keyOf({}, { flashAttention: true }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys[0]).toBe((await vlmMethod(cropper)).key);
    expect(await keyOf({ name: 'renamed', notes: { of: 'people' } }, { kvType: 'f16', flashAttention: false })).toBe(
      keys[0],
    );
  });
});
