import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expandGlob, isGlob } from '../../src/batch/glob.js';
import { expandInputs } from '../../src/batch/inputs.js';
import { examplePhoto } from '../support/photos.js';
import { framewright } from '../cli/run.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-inputs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function make(...names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), '');
  }
}

const relative = (names: readonly string[]): string[] => names.map((name) => path.relative(folder, name));

describe('patterns', () => {
  const FILES = ['a.jpg', 'c1.png', 'c2.png', 'notes.txt', '.hidden.jpg', 'in/d.jpg', 'in/deep/e.jpg', 'x+y.jpg'];

  test.each([
    ['*.jpg', ['a.jpg', 'x+y.jpg']],
    ['?[12].png', ['c1.png', 'c2.png']],
    ['c[!1].png', ['c2.png']],
    ['c[1-2].png', ['c1.png', 'c2.png']],
    ['{a,c{1,2}}.*', ['a.jpg', 'c1.png', 'c2.png']],
    ['.*.jpg', ['.hidden.jpg']],
    ['x+y.*', ['x+y.jpg']],
    ['*/*.jpg', ['in/d.jpg']],
    ['**/*.jpg', ['a.jpg', 'in/d.jpg', 'in/deep/e.jpg', 'x+y.jpg']],
    ['in/**', ['in/d.jpg', 'in/deep/e.jpg']],
    ['**/deep/?.jpg', ['in/deep/e.jpg']],
    ['no/**/*.jpg', []],
    ['[z-a].jpg', []],
  ])('%s matches what a shell would', async (pattern, expected) => {
    make(...FILES);
    expect(isGlob(pattern)).toBe(true);
    expect(relative(await expandGlob(`${folder}/${pattern}`))).toEqual(expected);
  });

  test.each([
    ['p (*).jpg', ['p (1).jpg', 'p (2).jpg']],
    ['*(1).jpg', ['p (1).jpg']],
    ['!b*', ['!b.jpg']],
    ['@*', ['@(a).jpg']],
    ['{p (1),!b}.*', ['!b.jpg', 'p (1).jpg']],
    ['we[i]rd/*', ['we[i]rd/a$^+.jpg']],
    ['*/a$^+.j*', ['we[i]rd/a$^+.jpg']],
  ])('%s takes no other character for a sign', async (pattern, expected) => {
    make('p (1).jpg', 'p (2).jpg', 'p 1.jpg', '!b.jpg', '@(a).jpg', 'we[i]rd/a$^+.jpg');
    expect(relative(await expandGlob(`${folder}/${pattern}`))).toEqual(expected);
  });

  test('links to photos are found, also those that lead nowhere; ** goes into no folder by its link', async () => {
    make('a.jpg', 'in/b.jpg');
    for (const [target, link] of [
      ['a.jpg', 'link.jpg'],
      ['gone.jpg', 'broken.jpg'],
      ['in', 'other'],
      ['.', 'in/cycle'],
    ] as const) {
      symlinkSync(path.join(folder, target), path.join(folder, link));
    }
    expect(relative(await expandGlob(`${folder}/*.jpg`))).toEqual(['a.jpg', 'broken.jpg', 'link.jpg']);
    expect(relative(await expandGlob(`${folder}/o*/*.jpg`))).toEqual(['other/b.jpg']);
    expect(relative(await expandGlob(`${folder}/**/*.jpg`))).toEqual(['a.jpg', 'broken.jpg', 'in/b.jpg', 'link.jpg']);
  });

  test('a pattern relative to the current folder gives relative paths', async () => {
    expect(await expandGlob('test/batch/inp*.test.ts')).toEqual([path.join('test', 'batch', 'inputs.test.ts')]);
  });
});

describe('what a command line means', () => {
  test('folders are sorted, hidden and non-photos left out, no photo comes twice, links are followed', async () => {
    make('b.jpg', 'a.png', '._a.png', 'notes.txt', '.cache/t.jpg', 'in/c.webp', 'outside/real.tif');
    symlinkSync(path.join(folder, 'outside', 'real.tif'), path.join(folder, 'in', 'link.tif'));
    symlinkSync(path.join(folder, 'outside'), path.join(folder, 'in', 'folder.jpg'));
    const here = await expandInputs([path.join(folder, 'b.jpg'), folder], false);
    expect(relative(here.photos)).toEqual(['b.jpg', 'a.png']);
    const below = await expandInputs([folder], true);
    expect(relative(below.photos)).toEqual(['a.png', 'b.jpg', 'in/c.webp', 'in/link.tif', 'outside/real.tif']);
    expect(below.notes).toEqual([]);
  });

  test('HEIC in a folder are photos, RAW are left out and told, named themselves they stay for their own error', async () => {
    make('a.jpg', 'b.HEIC', 'c.nef');
    const { photos, notes } = await expandInputs([folder], false);
    expect(relative(photos)).toEqual(['a.jpg', 'b.HEIC']);
    expect(notes).toEqual([expect.stringMatching(/^1 RAW photo in .* is left out .*: convert it to JPEG or TIFF$/)]);
    expect((await expandInputs([path.join(folder, 'c.nef')], false)).photos).toHaveLength(1);
    expect((await expandInputs([path.join(folder, '*.nef')], false)).photos).toHaveLength(1);
    expect(relative((await expandInputs([path.join(folder, '*')], false)).photos)).toEqual(['a.jpg', 'b.HEIC']);
  });

  test('raw files in which a preview may be found are photos where these are taken', async () => {
    make('a.jpg', 'c.NEF', 'd.raf');
    const { photos, notes } = await expandInputs([folder], false, undefined, true);
    expect(relative(photos)).toEqual(['a.jpg', 'c.NEF']);
    expect(notes).toEqual([expect.stringMatching(/^1 RAW photo in .*d\.raf/)]);
  });

  test('a file whose name looks like a pattern is that file', async () => {
    make('a[1].jpg', 'a1.jpg');
    expect(relative((await expandInputs([path.join(folder, 'a[1].jpg')], false)).photos)).toEqual(['a[1].jpg']);
  });

  test('a pattern or folder without a photo is refused', async () => {
    make('notes.txt');
    for (const item of [folder, path.join(folder, '*.jpg'), path.join(folder, '*')]) {
      await expect(expandInputs([item], true)).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' });
    }
  });
});

describe('a photo on stdin', () => {
  const full = (args: readonly string[], stdin?: Uint8Array): ReturnType<typeof framewright> =>
    framewright(['--engine', 'full', ...args], { cwd: folder, ...(stdin ? { stdin } : {}) });

  test('its crop goes to stdout, bytes and nothing else', async () => {
    const { code, stdoutBytes, stderr } = await full(['-a', '1:1', '-'], await readFile(examplePhoto('dogs')));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { width, height, format } = await sharp(stdoutBytes).metadata();
    expect({ width, height, format }).toEqual({ width: 799, height: 799, format: 'jpeg' });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('--output names a file, or a folder where it is called stdin', async () => {
    const png = await sharp({ create: { width: 30, height: 20, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    expect((await full(['-o', 'a.webp', '-'], png)).stdout).toBe('a.webp\n');
    expect((await full(['-o', 'out/', '-a', '1:1', '-a', '3:2', '-'], png)).stdout).toBe(
      'out/stdin-1x1.png\nout/stdin-3x2.png\n',
    );
  });

  test('--output - sends the crop of a file to stdout', async () => {
    copyFileSync(examplePhoto('dogs'), path.join(folder, 'dogs.jpg'));
    const { stdoutBytes } = await full(['-o', '-', '--format', 'png', 'dogs.jpg']);
    expect((await sharp(stdoutBytes).metadata()).format).toBe('png');
    expect(readdirSync(folder)).toEqual(['dogs.jpg']);
  });

  test('with --json or several crops it needs a place, --dry-run needs none', async () => {
    const photo = await readFile(examplePhoto('dogs'));
    for (const args of [['--json'], ['--overlay'], ['-a', '1:1', '-a', '4:5'], ['--top', '2'], ['dogs.jpg']]) {
      const { code, stdout, stderr } = await full([...args, '-'], photo);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/--output/);
    }
    const { stdout } = await full(['--json', '--dry-run', '-'], photo);
    expect(JSON.parse(stdout)).toMatchObject({ photo: { widthPx: 799, heightPx: 1200 } });
  });

  test('what is no photo is told by name', async () => {
    for (const [bytes, code] of [
      [Buffer.from('text'), 'INPUT_UNSUPPORTED'],
      [Buffer.alloc(0), 'INPUT_UNSUPPORTED'],
    ] as const) {
      const finished = await full(['-'], bytes);
      expect(finished).toMatchObject({ code: 4, stdout: '' });
      expect(finished.stderr).toMatch(new RegExp(`^framewright: stdin .* \\[${code}\\]$`, 'm'));
    }
  });
});
