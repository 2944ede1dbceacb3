import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aggregate } from '../../src/eval/aggregate.js';
import type { DatasetOfKind } from '../../src/eval/datasets/types.js';
import { readOwn } from '../../src/eval/datasets/own.js';
import { Journal } from '../../src/eval/journal.js';
import { centreMethod, fullMethod } from '../../src/eval/methods/floors.js';
import type { Method } from '../../src/eval/methods/types.js';
import { runEvaluation, type RunProgress } from '../../src/eval/run.js';
import { figuresCsv, photosCsv, photosCsvPath } from '../../src/eval/tables.js';
import { FramewrightError } from '../../src/base/errors.js';
import type { Box } from '../../src/base/geometry.js';

const N_PHOTOS = 12;
let root: string;
let dataset: DatasetOfKind<'boxes'>;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'framewright-run-'));
  await mkdir(join(root, 'photos'));
  const lines: object[] = [{ photo: 'photos/gone.jpg', boxes: [[0, 0, 5, 5]], split: 'test' }];
  for (let i = 0; i < N_PHOTOS; i++) {
    const background = { r: 20 * i, g: 100, b: 255 - 20 * i };
    await sharp({ create: { width: 60 + i, height: 40, channels: 3, background } })
      .jpeg()
      .toFile(join(root, `photos/${i}.jpg`));
    const boxes = [
      [i, 0, 50, 40],
      [2, 3, 40, 30],
    ];
    lines.push({ photo: `photos/${i}.jpg`, boxes, split: i < 8 ? 'test' : 'train' });
  }
  await writeFile(join(root, 'labels.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'));
  dataset = (await readOwn(root)) as DatasetOfKind<'boxes'>;
});
afterAll(() => rm(root, { recursive: true }));

/** Reads the photo, as a model would, and answers by its mean colour; counts how often it was asked. */
function pixelMethod(name = 'pixels', key = 'pixels 1'): Method & { calls: string[] } {
  const calls: string[] = [];
  return {
    name,
    key,
    needsPixels: true,
    calls,
    crop: async (photo) => {
      calls.push(photo.id);
      const { channels } = await sharp(photo.path).stats();
      const share = channels[0]!.mean / 255;
      return [[share * 10, 0, photo.size.width - share, photo.size.height]] as Box[];
    },
  };
}

describe('runEvaluation', () => {
  test('gives the same figures whatever the number of jobs', async () => {
    const methods = (): Method[] => [fullMethod(), pixelMethod()];
    const one = aggregate(await runEvaluation(dataset, methods(), { jobs: 1 }), { resamples: 50 });
    const four = aggregate(await runEvaluation(dataset, methods(), { jobs: 4 }), { resamples: 50 });
    expect(four.photos).toEqual(one.photos);
    expect(four.methods.map(({ figures }) => figures)).toEqual(one.methods.map(({ figures }) => figures));
    expect(one.dataset).toMatchObject({ nPhotos: N_PHOTOS, missing: [{ id: 'photos/gone.jpg' }] });
  });

  test('takes the split and the first photos asked for, counting the missing ones of that split only', async () => {
    const run = await runEvaluation(dataset, [pixelMethod()], { split: 'train', limit: 2 });
    expect(run.photos.map(({ id }) => id)).toEqual(['photos/8.jpg', 'photos/9.jpg']);
    expect(run.missing).toEqual([]);
    await expect(runEvaluation(dataset, [pixelMethod()], { split: 'val' })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('it has: test, train') as string,
    });
  });

  test('asks nothing twice that the journal holds, until photo, key or boxes differ', async () => {
    const path = join(root, 'journal.jsonl');
    const first = pixelMethod();
    {
      await using journal = await Journal.open(path);
      await runEvaluation(dataset, [first], { journal, jobs: 3 });
    }
    await using journal = await Journal.open(path);
    const again = pixelMethod();
    const otherKey = pixelMethod('other', 'pixels 2');
    const run = await runEvaluation(dataset, [again, otherKey], { journal });
    expect([first.calls.length, again.calls.length, otherKey.calls.length]).toEqual([N_PHOTOS, 0, N_PHOTOS]);
    expect(run.outcomes[0]!.every(({ isReused }) => isReused)).toBe(true);

    const photo = dataset.photos.find(({ id }) => id === 'photos/3.jpg')!;
    await sharp({ create: { width: 63, height: 40, channels: 3, background: '#fff' } })
      .jpeg()
      .toFile(photo.path!);
    const afterChange = pixelMethod();
    await runEvaluation(dataset, [afterChange], { journal });
    expect(afterChange.calls).toEqual(['photos/3.jpg']);
  });

  test('aborted and resumed, the result equals that of an uninterrupted run', async () => {
    const whole = aggregate(await runEvaluation(dataset, [pixelMethod(), fullMethod()]), { resamples: 50 });
    const path = join(root, 'aborted.jsonl');
    const abort = new AbortController();
    const interrupted = pixelMethod();
    {
      await using journal = await Journal.open(path);
      const onProgress = ({ nDone }: RunProgress): void => {
        if (nDone === 9) abort.abort(new Error('stop here'));
      };
      const run = runEvaluation(dataset, [interrupted, fullMethod()], { journal, signal: abort.signal, onProgress });
      await expect(run).rejects.toThrow('stop here');
    }
    await using journal = await Journal.open(path);
    expect(journal.size).toBe(5);
    const rest = pixelMethod();
    const resumed = aggregate(await runEvaluation(dataset, [rest, fullMethod()], { journal }), { resamples: 50 });
    expect(rest.calls).toHaveLength(N_PHOTOS - 5);
    expect(resumed.photos).toEqual(whole.photos);
    expect(resumed.paired).toEqual(whole.paired);
  });

  test('a photo a method fails on scores the worst, is listed, is tried again next time', async () => {
    const path = join(root, 'failing.jsonl');
    const failing = (): Method & { calls: string[] } => {
      const method = pixelMethod('failing', 'failing');
      const { crop } = method;
      return {
        ...method,
        crop: (photo, options) => {
          if (photo.id === 'photos/1.jpg') throw new FramewrightError('DECODE', 'out of luck');
          if (photo.id === 'photos/2.jpg') throw new FramewrightError('ANSWER_INVALID', 'no box in the answer');
          if (photo.id === 'photos/4.jpg') return Promise.resolve([]);
          if (photo.id === 'photos/5.jpg') return Promise.resolve([[5, 5, 5, NaN]]);
          return crop!(photo, options);
        },
      };
    };
    {
      await using journal = await Journal.open(path);
      const result = aggregate(await runEvaluation(dataset, [failing()], { journal }), { resamples: 50 });
      expect(result.methods[0]!.nUnusable).toBe(4);
      expect(result.errors).toEqual([
        { photo: 'photos/1.jpg', method: 'failing', code: 'DECODE', message: 'out of luck' },
      ]);
      const scoreOf = (id: string): number | null | undefined =>
        result.photos.find((photo) => photo.id === id)!.predictions[0]!.scores.bestIou;
      expect([1, 2, 4, 5].map((i) => scoreOf(`photos/${i}.jpg`))).toEqual([0, 0, 0, 0]);
    }
    await using journal = await Journal.open(path);
    // An answer that cannot be used is an answer; only the failure is worth another try.
    expect(journal.size).toBe(N_PHOTOS - 1);
  });

  test('what no photo can survive ends the run', async () => {
    const broken: Method = {
      ...pixelMethod(),
      crop: () => Promise.reject(new FramewrightError('MODEL_LOAD', 'no such weights')),
    };
    await expect(runEvaluation(dataset, [broken], { jobs: 3 })).rejects.toMatchObject({ code: 'MODEL_LOAD' });
  });

  test('methods hear when a photo is done, also when one of them failed', async () => {
    const done: string[] = [];
    const method: Method = {
      ...pixelMethod(),
      crop: () => Promise.reject(new Error('always')),
      photoDone: (photo) => {
        done.push(photo.id);
        return Promise.resolve();
      },
    };
    await runEvaluation(dataset, [method], { limit: 3 });
    expect(done).toEqual(['photos/0.jpg', 'photos/1.jpg', 'photos/2.jpg']);
  });

  test('refuses methods that cannot do the task, none, and two of one name', async () => {
    const ranker: Method = { name: 'ranker', key: 'r', needsPixels: false, rank: () => Promise.resolve([]) };
    for (const methods of [[ranker], [], [fullMethod(), fullMethod()]]) {
      await expect(runEvaluation(dataset, methods)).rejects.toMatchObject({ code: 'USAGE' });
    }
  });

  test('without any photo it says what is missing', async () => {
    const bare = { ...dataset, photos: dataset.photos.map((photo) => ({ ...photo, path: undefined })) };
    await expect(runEvaluation(bare, [pixelMethod()])).rejects.toMatchObject({
      code: 'DATASET_INVALID',
      message: expect.stringContaining('put the photos into') as string,
    });
    const run = await runEvaluation(bare, [fullMethod()]);
    expect(run.photos).toHaveLength(N_PHOTOS);
  });
});

describe('the tables', () => {
  test('name every method, measure and photo, quoting what needs it', async () => {
    const odd: Method = { ...fullMethod(), name: 'full, "quoted"' };
    const result = aggregate(await runEvaluation(dataset, [odd, centreMethod()]), { resamples: 50 });
    const figures = figuresCsv(result).split('\n');
    expect(figures[0]).toBe('method,measure,value,low,high,photos,unusable');
    expect(figures[1]).toMatch(/^"full, ""quoted""",bestIou,0\.\d+,0\.\d+,0\.\d+,12,0$/);
    expect(figures).toHaveLength(1 + 2 * 4 + 1);
    expect(photosCsv(result).trim().split('\n')).toHaveLength(1 + N_PHOTOS * 2 * 4);
    expect(photosCsvPath('a/b.csv')).toBe('a/b.photos.csv');
    expect(JSON.parse(JSON.stringify(result))).toMatchObject({ schemaVersion: 1, paired: [{ method: 'centre' }] });
  });

  test('the interval of a paired difference is tighter than its parts when methods agree', async () => {
    const result = aggregate(await runEvaluation(dataset, [fullMethod(), centreMethod(0.98)]));
    const width = ({ low, high }: { low: number | null; high: number | null }): number => high! - low!;
    const difference = result.paired[0]!.differences.meanIou!;
    expect(difference.value).toBeCloseTo(
      result.methods[1]!.figures.meanIou!.value! - result.methods[0]!.figures.meanIou!.value!,
      12,
    );
    expect(width(difference)).toBeLessThan(width(result.methods[0]!.figures.meanIou!));
  });
});
