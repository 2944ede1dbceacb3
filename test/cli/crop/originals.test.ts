import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fromRaster, plain } from '../../photo/fixtures.js';
import { framewright, type Finished } from '../run.js';

let folder: string;
let original: Buffer;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-originals-'));
  original = await fromRaster(plain({ width: 120, height: 80 }, [90, 60, 30]))
    .jpeg()
    .toBuffer();
  mkdirSync(at('photos'));
  for (const name of ['a.jpg', 'b.jpg']) writeFileSync(at('photos', name), original);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (...names: readonly string[]): string => path.join(folder, ...names);
const run = (...args: readonly string[]): Promise<Finished> =>
  framewright(['--engine', 'centre', '-a', '1:1', ...args], { cwd: folder });
const areWhole = (): boolean => ['a.jpg', 'b.jpg'].every((name) => readFileSync(at('photos', name)).equals(original));

describe('a photo is not written over, --force or not', () => {
  test.each([
    ['through a link to its folder', ['--name', '{name}{ext}', '-o', 'out/', 'photos/']],
    ['through a link to itself', ['-o', 'link.jpg', 'photos/a.jpg']],
    ['where it is given as a link', ['-o', 'photos/a.jpg', 'link.jpg']],
    ['by a report', ['--dry-run', '--report', 'link.jpg', 'photos/a.jpg']],
    ['by a contact sheet', ['--dry-run', '--contact-sheet', 'photos/a.jpg', 'photos/']],
    ['by a review list', ['--min-confidence', '1', '--review-list', 'photos/a.jpg', 'photos/']],
  ])('%s', async (_, args) => {
    symlinkSync('photos', at('out'));
    symlinkSync(path.join('photos', 'a.jpg'), at('link.jpg'));
    const { code, stdout, stderr } = await run('--force', ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/is one of the photos itself; name another file.* \[USAGE\]\n$/);
    expect(areWhole()).toBe(true);
  });

  test('a hard link to it is another file, which may be replaced', async () => {
    linkSync(at('photos', 'a.jpg'), at('other.jpg'));
    expect(await run('--force', '-o', 'other.jpg', 'photos/a.jpg')).toMatchObject({ code: 0, stdout: 'other.jpg\n' });
    expect(areWhole()).toBe(true);
  });
});

describe('two outputs are not written to one file', () => {
  test('where one photo is found by two names', async () => {
    symlinkSync('photos', at('again'));
    const { code, stderr } = await run('photos/a.jpg', 'again/a.jpg');
    expect(code).toBe(2);
    expect(stderr).toContain(
      `photos/a.jpg and again/a.jpg would both be written to ${path.join('again', 'a-1x1.jpg')}`,
    );
  });

  test('a crop and a contact sheet', async () => {
    const { code, stderr } = await run('-o', 'x.jpg', '--contact-sheet', './x.jpg', 'photos/a.jpg');
    expect(code).toBe(2);
    expect(stderr).toContain(
      './x.jpg (--contact-sheet) is what photos/a.jpg gives; name another file with --contact-sheet',
    );
  });
});
