import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCropper, readHints } from '../../src/index.js';
import { parseBytes } from '../../src/base/bytes-text.js';
import { examplePhoto } from '../support/photos.js';
import { framewright } from './run.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-mistyped-'));
  copyFileSync(examplePhoto('dogs'), path.join(folder, 'a.jpg'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  [['doctr'], 2, /no file called doctr; did you mean "framewright doctor"\?/],
  [['modell', 'list'], 2, /did you mean "framewright model"\?/],
  [['zzzzzz'], 2, /framewright --help lists the commands/],
  [['--vram', '6', 'a.jpg'], 2, /size with its unit/],
  [['model', 'pull', 'nano'], 3, /nano comes with the package: there is nothing to download/],
  [['model', 'pull', 'qwen2.5-vl-7'], 3, /did you mean qwen2\.5-vl-7b\?/],
  [['--instruct', 'more sky', 'a.jpg'], 4, /takes no instruction in words; choose a Qwen-VL with --model/],
])('%j is told what was meant', async (args, exit, message) => {
  const { code, stderr, stdout } = await framewright(args, { cwd: folder });
  expect(stderr).toMatch(message);
  expect([code, stdout]).toEqual([exit, '']);
});

test('without a word the command says how it is used', async () => {
  const { code, stdout, stderr } = await framewright([], { cwd: folder });
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^Usage: framewright/m);
  expect(stderr).toMatch(/doctor/);
});

test('help of a command inside another shows that command’s page', async () => {
  const { code, stdout } = await framewright(['help', 'model', 'pull']);
  expect([code, stdout.split('\n')[0]]).toEqual([0, 'Usage: framewright model pull [options] <models...>']);
  expect((await framewright(['help', 'model'])).stdout).toMatch(/^Usage: framewright model /);
});

test('a size without a unit is none', () => {
  expect(['6', '1e9', '6GB', '512 MiB', '8e9 B', '6g'].map(parseBytes)).toEqual([
    ...[undefined, undefined, 6e9],
    ...[512 * 2 ** 20, 8e9, 6e9],
  ]);
});

test('gigabytes given as bytes are refused by the library', async () => {
  for (const options of [{ vramBytes: 6 }, { memoryBytes: 16 }]) {
    await expect(openCropper(options)).rejects.toMatchObject({ code: 'USAGE' });
  }
});

test('a download says that it connects, and each time that it is asked again', async () => {
  const env = { FRAMEWRIGHT_MODEL_BASE_URL: 'http://127.0.0.1:9', FRAMEWRIGHT_MODELS: path.join(folder, 'models') };
  const told: string[] = [];
  await framewright(['model', 'pull', 'qwen2.5-vl-3b'], {
    env,
    onStderr: (text, kill) => {
      told.push(text);
      if (told.join('').includes('attempt 3')) kill('SIGTERM');
    },
  });
  expect(told.join('')).toMatch(/connecting, for about a minute/);
  expect(told.join('')).toMatch(/127\.0\.0\.1:9 failed \(.+\); attempt 2 of 8 in/);
});

test('an output without an extension is a folder, also of one photo', async () => {
  const { code, stdout } = await framewright(['--engine', 'full', '-o', 'out', 'a.jpg'], { cwd: folder });
  expect([code, stdout]).toEqual([0, `${path.join('out', 'a-crop.jpg')}\n`]);
  expect(readdirSync(path.join(folder, 'out'))).toEqual(['a-crop.jpg']);
});

test('a hint takes a focus in the words of --focus', async () => {
  const file = path.join(folder, 'hints.jsonl');
  writeFileSync(file, '{"path": "a.jpg", "focus": "50%,30%"}\n{"path": "b.jpg", "focus": "4,5"}\n');
  const hints = await readHints(file);
  expect([...hints.values()].map(({ wishes }) => wishes.focus)).toEqual([{ x: 0.5, y: 0.3 }, [4, 5]]);
  writeFileSync(file, '{"path": "a.jpg", "focus": "150%,30%"}\n');
  await expect(readHints(file)).rejects.toMatchObject({ code: 'USAGE' });
});
