import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeToyPair } from '../../../gguf/index.js';
import { examplePhoto } from '../../support/photos.js';
import { framewright } from '../run.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-jobs-'));
  copyFileSync(examplePhoto('dogs'), path.join(folder, 'dogs.jpg'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]): ReturnType<typeof framewright> => framewright(args, { cwd: folder });

test('--jobs takes several photos at once, tells of them in order, and goes on past one that fails', async () => {
  for (const name of ['a.jpg', 'c.jpg']) copyFileSync(path.join(folder, 'dogs.jpg'), path.join(folder, name));
  writeFileSync(path.join(folder, 'b.jpg'), 'no photo');
  // Unquantised: in other batches, which differ from run to run, its numbers differ too little to tip a choice.
  const { textPath } = await writeToyPair(path.join(folder, 'toy'), { seed: 3 });
  const small = ['--model', textPath, '--candidates', '2'];
  const photos = ['a.jpg', 'b.jpg', 'c.jpg', 'dogs.jpg'];
  const { code, stdout, stderr } = await run('--jobs', '3', '-a', '1:1', ...small, ...photos);
  expect({ code, stdout }).toEqual({ code: 4, stdout: 'a-1x1.jpg\nc-1x1.jpg\ndogs-1x1.jpg\n' });
  expect(stderr).toContain('b.jpg');
  const [first, second] = await Promise.all(
    ['a', 'c'].map((name) =>
      sharp(path.join(folder, `${name}-1x1.jpg`))
        .raw()
        .toBuffer(),
    ),
  );
  expect(first!.equals(second!)).toBe(true);
});

test('left to itself it makes the files that --jobs 1 makes, and says the same of them', async () => {
  const names = ['dogs', 'pagoda', 'mountains', 'dandelion'] as const;
  for (const name of names)
    for (const copy of [1, 2, 3]) copyFileSync(examplePhoto(name), path.join(folder, `${name}${copy}.jpg`));
  const common = ['--json', '-a', '1:1', '.'];
  const auto = await run('-o', 'auto', ...common);
  const one = await run('--jobs', '1', '-o', 'one', ...common);
  expect([auto.code, one.code]).toEqual([0, 0]);
  const said = (stdout: string): unknown[] =>
    stdout
      .trim()
      .split('\n')
      .map((line) => ({ ...(JSON.parse(line) as object), timingsMs: undefined, output: undefined }));
  expect(said(auto.stdout)).toEqual(said(one.stdout));
  const files = readdirSync(path.join(folder, 'one')).filter((name) => name.endsWith('.jpg'));
  expect(files).toHaveLength(13);
  for (const name of files) {
    const [a, b] = ['auto', 'one'].map((way) => readFileSync(path.join(folder, way, name)));
    expect(a!.equals(b!)).toBe(true);
  }
});

test('what is neither a number nor auto is refused', async () => {
  const { code, stderr } = await run('--jobs', 'many', 'dogs.jpg');
  expect(code).toBe(2);
  expect(stderr).toContain('jobs is auto, or a whole number from 1 to 64');
});
