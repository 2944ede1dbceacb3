import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FramewrightError } from '../../../src/base/errors.js';
import { checkExport } from '../../../src/train/export/check-export.js';
import { openCropper } from '../../../src/cropper/cropper.js';
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

  test('leave more to doubt than a bootstrap of few choices would', () => {
    // Six gains whose middle 95 % of resampled means is above 0, and whose t interval is not.
    const figures = tasteFigures([...judged(4, 50, 60), ...judged(1, 50, 90), ...judged(1, 60, 55)]);
    expect(figures.gain.low).toBeLessThan(0);
    expect(figures).toMatchObject({ verdict: 'cannot tell' });
  });

  test('say plainly where it made it worse, or cannot be told', () => {
    expect(tasteText(tasteFigures([...judged(5, 60, 80), ...judged(5, 80, 60)]))).toMatch(
      /\nFrom 10 choices it cannot be told whether this helped/,
    );
    expect(tasteText(tasteFigures(judged(10, 80, 60)))).toMatch(
      /nearer to yours in 0 % .*\n.*-0\.200.*\nThis made it worse/,
    );
    expect(tasteText(tasteFigures(judged(10, 80, 80)))).toMatch(/no crop changed\n.*\nFrom 10 choices/);
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
  const common = { model, seed: 0, folds: 2, parts: 1 };

  /** One step of the trainer within: enough for an adapter, not for a taste. */
  const oneStep =
    (leftOut: ReadonlySet<string>[]): AdapterTrainer =>
    async ({ data, leaveOut, output, shared, seed }) => {
      leftOut.push(leaveOut);
      await trainAdapter({
        kind: 'sft',
        folder: data,
        leaveOut,
        output,
        embeddings: shared,
        model: 'nano',
        gpu: 'cpu',
        threads: 1,
        numbers: 'median',
        settings: { nSteps: 1, batchSize: 1, seed, every: 1000, rank: 2, spread: 4 },
      });
    };

  // Twenty photos through the nano, and their parts.
  test(
    'leaves an adapter that learned from all, and figures of each by one that did not',
    { timeout: 300_000 },
    async () => {
      const out = path.join(root, 'taste');
      const leftOut: ReadonlySet<string>[] = [];
      const { figures, facts } = await learnTaste({ ...common, crops, out, train: oneStep(leftOut) });
      expect((await readdir(out)).sort()).toEqual(['data', 'taste-training', 'taste.gguf', 'taste.json']);
      expect(figures.nPhotos).toBe(LEAST_CHOICES);
      const { judged } = JSON.parse(await readFile(path.join(out, 'taste.json'), 'utf8')) as { judged: Judged[] };
      expect(judged.map(({ id }) => id).sort()).toEqual(crops.chosen.map(({ id }) => id).sort());
      const { sft } = await checkExport(path.join(out, 'data'));
      expect(sft.train.length).toBeGreaterThan(LEAST_CHOICES);

      // Each photo with its parts is left out of one of the parts, and of the last run none.
      expect(leftOut).toHaveLength(3);
      expect(leftOut[2]!.size).toBe(0);
      const idsOf = (images: ReadonlySet<string>): string[] => [
        ...new Set(facts.photos.filter(({ image }) => images.has(image)).map(({ id }) => id)),
      ];
      const [one, other] = leftOut.slice(0, 2).map(idsOf);
      expect([...one!, ...other!].sort()).toEqual(crops.chosen.map(({ id }) => id).sort());
      expect(leftOut[0]!.size + leftOut[1]!.size).toBe(facts.photos.length);

      await using cropper = await openCropper({ ...model, loras: [{ path: path.join(out, 'taste.gguf') }] });
      expect(cropper.model?.use.numbers).toBe('median');
    },
  );

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
