import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCropper, type EngineName } from '../../src/index.js';
import type { EngineAnswer, FiguresAnswer } from '../../src/studio/learn/api.js';
import { curvesCsv } from '../../src/train/native/curves.js';
import { projectFile } from '../support/photos.js';
import { makeLibrary, photoCalled, useStudio } from './opened.js';

describe('a photo by each engine', () => {
  const studio = useStudio();

  test.each<EngineName>(['rules', 'saliency', 'centre', 'full'])('%s crops it as it does alone', async (engine) => {
    const { id } = await photoCalled(studio(), 'dogs.jpg');
    const asked = `learn/${id}?engine=${engine}&aspect=1:1`;
    const { result, elements } = await studio().json<EngineAnswer>('GET', asked);
    await using cropper = await openCropper({ engine });
    const { timingsMs: _, ...alone } = await cropper.crop(studio().at('dogs.jpg'), { aspect: '1:1' });
    expect({ ...result, timingsMs: undefined }).toEqual({ ...alone, timingsMs: undefined });
    expect(elements.map(({ kind }) => kind)).toEqual(alone.analysis.map(({ type }) => type));
  });

  test('that of a model is not asked for where the studio has none', async () => {
    const problem = await studio().json<{ detail: string }>('GET', 'learn/example-dogs?engine=vlm');
    expect(problem).toMatchObject({ status: 400, code: 'USAGE' });
    expect(problem.detail).toContain('the engine rules, which has no model');
  });

  test.each(['learn/example-dogs?engine=magic', 'learn/example-dogs', 'learn/example-dogs?engine=rules&aspect=wide'])(
    '%s is refused',
    async (asked) => {
      expect(await studio().json('GET', asked)).toMatchObject({ status: 400, code: 'USAGE' });
    },
  );

  test('nothing is told of figures where no file was named', async () => {
    expect(await studio().json('GET', 'learn')).toEqual({ evaluations: [], trainings: [] });
  });
});

describe('figures', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'framewright-figures-'));
  const at = (...names: string[]): string => path.join(folder, ...names);
  const studio = useStudio({
    evaluations: [at('own.json'), at('other.json'), at('missing.json')],
    trainings: [at('taste-training'), at('other-training'), at('none')],
  });
  beforeAll(async () => {
    const photos = await makeLibrary();
    const labels = { photo: 'dogs.jpg', boxes: [[10, 10, 200, 300]] };
    writeFileSync(path.join(photos, 'labels.jsonl'), `${JSON.stringify(labels)}\n`);
    const args = ['eval', 'own', photos, '--engine', 'rules,centre', '--no-journal', '--resamples', '50'];
    await promisify(execFile)(process.execPath, [
      projectFile('dist', 'src', 'cli', 'main.js'),
      ...args,
      ...['--out', at('own.json')],
    ]);
    rmSync(photos, { recursive: true });
    writeFileSync(at('other.json'), '{"schemaVersion": 1}');
    mkdirSync(at('taste-training'));
    mkdirSync(at('other-training'));
    const before = { loss: 0.6931, accuracy: 0, margin: 0, preferred: 0.5 };
    const row = { step: 1, epoch: 0.5, learningRate: 1e-5, loss: 0.7, accuracy: 0.5, gradientNorm: 1 };
    const heldOut = { loss: 0.6, accuracy: 0.75, margin: 0.2, preferred: 0.75 };
    const rows = [{ ...row, margin: 0.01, nTokens: 100, seconds: 2, heldOut }];
    writeFileSync(at('taste-training', 'curves.csv'), curvesCsv(before, rows));
    writeFileSync(at('other-training', 'curves.csv'), 'a,b\n1,2\n');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('of an evaluation are those of its file, without its photos', async () => {
    const { evaluations } = await studio().json<FiguresAnswer>('GET', 'learn');
    const [own, other, missing] = evaluations;
    expect(own!.name).toBe('own.json');
    expect(own!.result!.methods.map(({ name }) => name)).toEqual(['rules', 'centre']);
    const [measure] = own!.result!.measures;
    expect(own!.result!.methods[0]!.figures[measure!.id]!.value).toBeGreaterThan(0);
    expect(own!.result).not.toHaveProperty('photos');
    expect(other!.problem).toContain('framewright eval writes one with --out');
    expect(missing!.problem).toContain('does not exist');
  });

  test('of a training run are those of its curves', async () => {
    const { trainings } = await studio().json<FiguresAnswer>('GET', 'learn');
    const [run, other, none] = trainings;
    const nothing = { loss: null, accuracy: null, margin: null };
    expect(run).toEqual({
      name: 'taste-training',
      rows: [
        { step: 0, ...nothing, heldOutLoss: 0.6931, heldOutMargin: 0, heldOutPreferred: 0.5 },
        {
          step: 1,
          loss: 0.7,
          accuracy: 0.5,
          margin: 0.01,
          heldOutLoss: 0.6,
          heldOutMargin: 0.2,
          heldOutPreferred: 0.75,
        },
      ],
    });
    expect(other!.problem).toContain('other columns');
    expect(none!.problem).toContain('does not exist');
  });
});
