import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeToyPair } from '../../../gguf/index.js';
import type { CropResult } from '../../../src/index.js';
import { examplePhoto, projectFile } from '../../support/photos.js';
import { framewright } from '../run.js';

/** Files alone make the model: a pair of random weights beside what the example says of it. */
let root: string;
const models: Record<string, string> = {};
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'framewright-one-box-'));
  for (const name of ['shuttermuse', 'framelite']) {
    const folder = path.join(root, name);
    await cp(projectFile('examples', 'models', name), folder, { recursive: true });
    const pair = await writeToyPair(folder, { seed: 3, family: name === 'framelite' ? 'qwen35' : 'qwen3vl' });
    await rename(pair.textPath, path.join(folder, `${name}.gguf`));
    await rename(pair.mmprojPath, path.join(folder, `${name}-mmproj.gguf`));
    models[name] = folder;
  }
});
afterAll(() => rm(root, { recursive: true }));

describe.each(['shuttermuse', 'framelite'])('the model %s that its files describe', (name) => {
  const asked = (): string[] => ['--model', models[name]!, '--gpu', 'cpu'];

  test('crops at 4:5 and in any shape, its one box kept to what was asked', async () => {
    for (const ratio of [['--aspect', '4:5'], []]) {
      const output = path.join(root, `${name}-${ratio.length}.jpg`);
      const run = await framewright([...asked(), ...ratio, '--json', '-o', output, examplePhoto('dogs')]);
      expect(run.code, run.stderr).toBe(0);
      const result = JSON.parse(run.stdout) as CropResult;
      expect(result.candidates).toHaveLength(1);
      expect(result.confidence).toBeUndefined();
      const { crop, photo } = result;
      if (ratio.length > 0) expect(crop.width * 5).toBe(crop.height * 4);
      expect(crop.width * crop.height).toBeGreaterThanOrEqual(0.1 * photo.widthPx * photo.heightPx);
      const { width, height } = await sharp(await readFile(output)).metadata();
      expect({ width, height }).toEqual({ width: crop.width, height: crop.height });
    }
  });

  test('is found sound by model verify and doctor, and planned for', async () => {
    const verified = await framewright(['model', 'verify', models[name]!]);
    expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining(`${name}: sound`)]);
    const doctor = await framewright(['doctor', '--gpu', 'cpu', '--model', models[name]!]);
    expect(doctor.stdout).toContain(`model ${name} on cpu cropped a test photo`);
    const plan = await framewright(['model', 'plan', '--verbose', '--gpu', 'cpu', models[name]!]);
    expect([plan.code, plan.stdout]).toEqual([0, expect.stringMatching(/4096 cells/) as string]);
  });

  test('has no composition to analyse, and no stage to evaluate without', async () => {
    const analysed = await framewright(['analyse', ...asked(), examplePhoto('dogs')]);
    expect(analysed.code).not.toBe(0);
    expect(analysed.stderr).toContain(`the model ${name} names no composition: it is not asked for any`);
    const folder = path.join(root, `labels-${name}`);
    await cp(examplePhoto('pagoda'), path.join(folder, 'pagoda.jpg'));
    await writeFile(path.join(folder, 'labels.jsonl'), '{"photo": "pagoda.jpg", "boxes": [[10, 10, 400, 300]]}\n');
    const evaluate = (...more: string[]): ReturnType<typeof framewright> =>
      framewright(['eval', 'own', folder, '--engine', 'vlm', ...asked(), '--json', ...more]);
    const plain = await evaluate();
    expect(plain.code, plain.stderr).toBe(0);
    const { methods } = JSON.parse(plain.stdout) as { methods: { figures: Record<string, { value: number }> }[] };
    expect(methods).toHaveLength(1);
    for (const [more, message] of [
      [['--ablate', 'all'], 'it can do without none'],
      [['--ablate', 'proposal'], 'there is no stage proposal, to do without'],
      [['--sweep', 'votes=1,3'], 'answers with one box: there are no candidates or votes to sweep'],
    ] as const) {
      const refused = await evaluate(...more);
      expect([refused.code === 0, refused.stderr]).toEqual([false, expect.stringContaining(message) as string]);
    }
  });
});

test('a profile that cannot be is said by its file and place, by every command that meets it', async () => {
  const folder = path.join(root, 'broken');
  await cp(models.framelite!, folder, { recursive: true });
  await writeFile(path.join(folder, 'crop.md'), 'The best {{kind}} of crop?');
  const message = `the prompt ${path.join(folder, 'crop.md')} asks for {{kind}}, which is not given`;
  const verified = await framewright(['model', 'verify', folder]);
  expect([verified.code, verified.stdout]).toEqual([3, expect.stringContaining(message) as string]);
  const doctor = await framewright(['doctor', '--gpu', 'cpu', '--model', folder]);
  expect([doctor.code === 0, doctor.stdout]).toEqual([false, expect.stringContaining(message) as string]);
  const crop = await framewright(['--model', folder, '--gpu', 'cpu', '--dry-run', examplePhoto('dogs')]);
  expect([crop.code, crop.stderr]).toEqual([verified.code, expect.stringContaining(message) as string]);
});

test('training data is not made for a model that answers with one box', async () => {
  const folder = path.join(root, 'labels-for-training');
  await cp(examplePhoto('pagoda'), path.join(folder, 'pagoda.jpg'));
  await writeFile(path.join(folder, 'labels.jsonl'), '{"photo": "pagoda.jpg", "boxes": [[10, 10, 400, 300]]}\n');
  const run = await framewright([
    ...['train', 'export', 'own', path.join(folder, 'labels.jsonl'), '-o', path.join(root, 'data')],
    ...['--for', models.framelite!],
  ]);
  expect([run.code === 0, run.stderr]).toEqual([
    false,
    expect.stringContaining(
      'the prompt profile framelite answers with one box; training data is made for models',
    ) as string,
  ]);
});
