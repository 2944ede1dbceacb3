import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FramewrightError } from '../../../src/base/errors.js';
import { checkExport } from '../../../src/train/export/check-export.js';
import { trainAdapter } from '../../../src/train/native/train-adapter.js';
import type { ChosenCrops } from '../../../src/train/prefs/chosen-crops.js';
import { tasteFigures, tasteText, type Judged } from '../../../src/train/taste/measure.js';
import { learnTaste, LEAST_CHOICES, type AdapterTrainer } from '../../../src/train/taste/taste.js';
import { rejection } from '../../photo/thrown.js';
import { writeScenes } from '../scenes.js';

describe('the figures', () => {
  const chosen = [0, 0, 100, 100] as const;
  const judged = (n: number, before: number, after: number): Judged[] =>
    Array.from({ length: n }, (_, i) => ({
      id: String(i),
      chosen,
      before: [0, 0, 100, before] as const,
      after: [0, 0, 100, after] as const,
    }));

  test('say that it helped where the gain is beyond doubt', () => {
    const figures = tasteFigures([...judged(18, 60, 80), ...judged(2, 60, 50)]);
    expect(figures).toMatchObject({ nPhotos: 20, verdict: 'helped', nearer: { rate: 0.9, nJudged: 20, nSame: 0 } });
    expect(figures.before).toBeCloseTo(0.6, 9);
    expect(figures.gain.value).toBeCloseTo(0.17, 9);
    expect(figures.gain.low).toBeGreaterThan(0);
    expect(tasteText(figures)).toMatch(
      /nearer to yours in 90 % of the 20 that changed \[70 %, 97 %\]\n.*0\.600 before, 0\.770 now: \+0\.170 \[.*\]\nThis helped/,
    );
  });

  test('say plainly where it did not, or made it worse', () => {
    expect(tasteText(tasteFigures([...judged(5, 60, 80), ...judged(5, 80, 60)]))).toMatch(/\nThis did not help/);
    expect(tasteText(tasteFigures(judged(10, 80, 60)))).toMatch(
      /nearer to yours in 0 % .*\n.*-0\.200.*\nThis made it worse/,
    );
    expect(tasteText(tasteFigures(judged(10, 80, 80)))).toMatch(/no crop changed\n.*\nThis did not help/);
  });
});

describe('the whole way', () => {
  let root: string;
  let crops: ChosenCrops;
  beforeAll(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'framewright-taste-'));
    const photos = await writeScenes(path.join(root, 'photos'), LEAST_CHOICES);
    crops = {
      chosen: photos.map(({ name, path: file, size: { width, height } }) => ({
        id: name,
        path: file,
        box: [0, 0, Math.round(width * 0.6), Math.round(height * 0.6)] as const,
        target: {},
      })),
      problems: [],
      nPhotos: photos.length,
    };
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  const model = { model: 'nano', gpu: 'cpu' } as const;
  const common = { model, seed: 0, heldOutShare: 0.2, parts: 1 };

  /** One step of the trainer within: enough for an adapter, not for a taste. */
  const oneStep: AdapterTrainer = async ({ kind, data, output, lora, seed }) => {
    await trainAdapter({
      kind,
      folder: data,
      output,
      model: 'nano',
      gpu: 'cpu',
      threads: 1,
      ...(lora === undefined ? {} : { lora }),
      settings: { nSteps: 1, batchSize: 1, seed, every: 1000, ...(kind === 'sft' && { rank: 2 }) },
    });
  };

  // Twenty photos through the nano, and forty pairs of answers: half a minute where two others are at work.
  test('leaves an adapter, its data and figures of choices it was not trained on', { timeout: 300_000 }, async () => {
    const out = path.join(root, 'taste');
    const { figures, facts } = await learnTaste({ ...common, crops, out, train: oneStep });
    expect((await readdir(out)).sort()).toEqual(
      expect.arrayContaining(['data', 'sft.gguf', 'taste.gguf', 'taste.json']),
    );
    expect(figures.nPhotos).toBe(4);
    const { judged } = JSON.parse(await readFile(path.join(out, 'taste.json'), 'utf8')) as { judged: Judged[] };
    const heldOut = facts.photos.filter(({ split }) => split === 'heldout').map(({ id }) => id);
    expect(judged.map(({ id }) => id).sort()).toEqual([...heldOut].sort());
    const { dpo } = await checkExport(path.join(out, 'data'));
    expect(dpo.train.length).toBeGreaterThan(16);
  });

  test('leaves nothing where the training fails, or there are too few choices', { timeout: 120_000 }, async () => {
    const out = path.join(root, 'failed');
    const failing: AdapterTrainer = () => Promise.reject(new FramewrightError('MODEL_TOO_LARGE', 'too large'));
    expect(await rejection(learnTaste({ ...common, crops, out, train: failing }))).toMatchObject({
      code: 'MODEL_TOO_LARGE',
    });
    const few = { ...crops, chosen: crops.chosen.slice(1) };
    expect(await rejection(learnTaste({ ...common, crops: few, out, train: failing }))).toMatchObject({
      code: 'DATASET_INVALID',
      message: expect.stringMatching(/19 choices are too few/) as string,
    });
    expect((await readdir(root)).filter((name) => name !== 'photos' && name !== 'taste')).toEqual([]);
  });
});
