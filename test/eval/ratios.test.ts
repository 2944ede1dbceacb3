import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Box } from '../../src/base/geometry.js';
import { aggregate, type EvaluationResult } from '../../src/eval/aggregate.js';
import { DATASET_READERS } from '../../src/eval/datasets/index.js';
import { fullMethod } from '../../src/eval/methods/floors.js';
import { MODEL_FREE_METHODS } from '../../src/eval/methods/registry.js';
import type { Method } from '../../src/eval/methods/types.js';
import { RATIO_NAMES, RATIOS, type Ratio } from '../../src/eval/ratio-window.js';
import { runEvaluation } from '../../src/eval/run.js';

interface Fixture {
  readonly photos: readonly {
    readonly width: number;
    readonly height: number;
    /** y, first and last but one x of each row of the subject, of 256. */
    readonly runs: readonly [y: number, from: number, to: number][];
    readonly judgement: {
      readonly best: number;
      readonly second: number;
      readonly bad: number[];
      readonly same: boolean;
    };
    readonly crops: Readonly<Record<Ratio, Box>>;
    readonly isMeasured: boolean;
  }[];
  readonly byRatio: Readonly<Record<Ratio, Record<string, number>>>;
  readonly all: Readonly<Record<string, number>>;
}

const MASK = 256;
let root: string;
let fixture: Fixture;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'framewright-ratios-'));
  const text = await readFile(new URL('../fixtures/eval/ratios.json', import.meta.url), 'utf8');
  fixture = JSON.parse(text) as Fixture;
  await mkdir(join(root, 'masks'));
  const lines: object[] = [];
  for (const [i, { width, height, runs, judgement }] of fixture.photos.entries()) {
    await sharp({ create: { width, height, channels: 3, background: { r: 10 * i, g: 90, b: 120 } } })
      .jpeg()
      .toFile(join(root, `${i}.jpg`));
    const mask = new Uint8Array(MASK * MASK);
    for (const [y, from, to] of runs) mask.fill(255, y * MASK + from, y * MASK + to);
    await sharp(mask, { raw: { width: MASK, height: MASK, channels: 1 } })
      .png()
      .toFile(join(root, 'masks', `${i}.png`));
    for (const aspect of RATIO_NAMES) lines.push({ file: `${i}.jpg`, aspect, ...judgement });
  }
  await writeFile(join(root, 'places.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'));
});
afterAll(() => rm(root, { recursive: true }));

/** Answers with the crops of the fixture. */
function fixtureMethod(): Method {
  return {
    name: 'fixture',
    key: 'fixture',
    needsPixels: false,
    crop: (photo, { aspect }) => {
      const name = photo.id.split(/\.jpg| /)[0]!;
      return Promise.resolve([fixture.photos[Number(name)]!.crops[aspect!]]);
    },
  };
}

async function figuresOf(name: 'subjects' | 'places'): Promise<EvaluationResult['methods'][number]['figures']> {
  const run = await runEvaluation(await DATASET_READERS[name](root), [fixtureMethod()]);
  return aggregate(run, { resamples: 20 }).methods[0]!.figures;
}

describe('fixed ratios', () => {
  test('what crops do to subjects is what numpy makes of the same masks, in all and at each ratio', async () => {
    const figures = await figuresOf('subjects');
    for (const id of ['cut', 'lost', 'size']) {
      expect(figures[id]!.value, id).toBeCloseTo(fixture.all[id]!, 9);
      for (const ratio of RATIO_NAMES) {
        expect(figures[`${id}.${ratio}`]!.value, `${id} ${ratio}`).toBeCloseTo(fixture.byRatio[ratio][id]!, 9);
      }
    }
  });

  test('where crops lie against judged places is what numpy makes of them', async () => {
    const figures = await figuresOf('places');
    for (const id of ['bad', 'off', 'best']) {
      expect(figures[id]!.value, id).toBeCloseTo(fixture.all[id]!, 9);
      for (const ratio of RATIO_NAMES) {
        expect(figures[`${id}.${ratio}`]!.value, `${id} ${ratio}`).toBeCloseTo(fixture.byRatio[ratio][id]!, 9);
      }
    }
  });

  test('a photo whose subject is a speck or most of it is left out, and told', async () => {
    const { photos, repairs } = await DATASET_READERS.subjects(root);
    const measured = fixture.photos.filter(({ isMeasured }) => isMeasured).length;
    expect(measured).toBeLessThan(fixture.photos.length);
    expect(photos).toHaveLength(measured * RATIO_NAMES.length);
    expect(repairs).toEqual([
      `left out ${fixture.photos.length - measured} photos whose subject is next to nothing or most of them`,
    ]);
  });

  test('an engine is asked for each ratio, and gives crops of it', async () => {
    const dataset = await DATASET_READERS.subjects(root);
    const run = await runEvaluation(dataset, [fullMethod(), ...MODEL_FREE_METHODS.rules()], {
      split: '9:16',
      limit: 2,
    });
    expect(run.photos.map(({ split }) => split)).toEqual(['9:16', '9:16']);
    for (const [outcome] of run.outcomes) {
      const { prediction } = outcome!;
      if (!('boxes' in prediction)) throw new Error('no crop');
      const [x1, y1, x2, y2] = prediction.boxes[0]!;
      expect((x2 - x1) / (y2 - y1)).toBeCloseTo(RATIOS['9:16'], 1);
    }
  });

  test('a photo asked for at four ratios is held until the last of them', async () => {
    const events: string[] = [];
    const method: Method = {
      ...fixtureMethod(),
      crop: (photo, { aspect }) => {
        events.push(aspect!);
        return fixtureMethod().crop!(photo, { aspect: aspect! });
      },
      photoDone: () => {
        events.push('done');
        return Promise.resolve();
      },
    };
    await runEvaluation(await DATASET_READERS.subjects(root), [method], { limit: 8 });
    expect(events).toEqual([...RATIO_NAMES, 'done', ...RATIO_NAMES, 'done']);
  });

  test('no crop at all counts as everything lost and undeliverable', async () => {
    const none: Method = { name: 'none', key: 'none', needsPixels: false, crop: () => Promise.resolve([]) };
    const figures = async (name: 'subjects' | 'places'): Promise<Record<string, number | null>> => {
      const run = await runEvaluation(await DATASET_READERS[name](root), [none]);
      const [method] = aggregate(run, { resamples: 20 }).methods;
      return Object.fromEntries(Object.entries(method!.figures).map(([id, { value }]) => [id, value]));
    };
    expect(await figures('subjects')).toMatchObject({ cut: 1, lost: 1, size: 0 });
    expect(await figures('places')).toMatchObject({ bad: 1, off: 1, best: 0 });
  });

  test('a judged place that is none of the five is refused with file, line and key', async () => {
    const folder = join(root, 'wrong');
    await mkdir(folder);
    await writeFile(
      join(folder, 'places.jsonl'),
      '{"file": "0.jpg", "aspect": "1:1", "best": 0.3, "second": 0, "bad": [], "same": false}',
    );
    await expect(DATASET_READERS.places(folder)).rejects.toMatchObject({
      code: 'DATASET_INVALID',
      message: expect.stringMatching(/places\.jsonl:1, at best/) as string,
    });
  });
});
