import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runBatch, type BatchOptions } from '../../../src/index.js';
import { examplePhoto } from '../../support/photos.js';

let folder: string;
const at = (...names: readonly string[]): string => path.join(folder, ...names);
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-mirrored-'));
  for (const [dir, name] of [
    ['in', 'a.jpg'],
    ['in/x', 'a.jpg'],
    ['in/x/y', 'a.jpg'],
  ] as const) {
    mkdirSync(at(dir), { recursive: true });
    copyFileSync(examplePhoto('dogs'), at(dir, name));
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

const made = (): string[] =>
  (readdirSync(at('out'), { recursive: true }) as string[])
    .filter((name) => /\.\w+$/.test(name) && !/(^|\/)\./.test(name))
    .sort();

const options = (more: Partial<BatchOptions> = {}): BatchOptions => ({
  inputs: [at('in')],
  recursive: true,
  output: at('out'),
  cropper: { engine: 'full' },
  ...more,
});

test('folders below the one given come again below the output folder', async () => {
  await runBatch(options());
  expect(made()).toEqual(['a-crop.jpg', 'x/a-crop.jpg', 'x/y/a-crop.jpg']);
  expect(await runBatch(options({ resume: true }))).toMatchObject({ nEarlier: 3 });
});

test('{dir} is where a photo lies below that folder; a template without it makes none', async () => {
  await runBatch(options({ name: '{aspect}/{dir}/{name}' }));
  expect(made()).toEqual(['crop/a.jpg', 'crop/x/a.jpg', 'crop/x/y/a.jpg']);
  await expect(runBatch(options({ name: '{name}-2' }))).rejects.toMatchObject({ code: 'USAGE' });
});

test('photos that differ by their extension alone are told apart where their crops would not be', async () => {
  rmSync(at('in', 'x'), { recursive: true });
  const picture = sharp(examplePhoto('pagoda')).resize(64);
  await picture.clone().gif().toFile(at('in', 'a.gif'));
  await picture.clone().png().toFile(at('in', 'a.png'));
  await runBatch(options());
  expect(made()).toEqual(['a-crop.jpg', 'a-crop.png', 'a-gif-crop.png']);
  rmSync(at('out'), { recursive: true });
  await runBatch(options({ format: 'jpeg' }));
  expect(made()).toEqual(['a-crop.jpg', 'a-gif-crop.jpg', 'a-png-crop.jpg']);
});

test('what lies below the folders of a pattern does as well', async () => {
  await runBatch(options({ recursive: false, inputs: [at('in', '**', '*.jpg')] }));
  expect(made()).toEqual(['a-crop.jpg', 'x/a-crop.jpg', 'x/y/a-crop.jpg']);
});
