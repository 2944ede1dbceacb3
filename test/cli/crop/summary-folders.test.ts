import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fromRaster, plain } from '../../photo/fixtures.js';
import { framewright, type Finished } from '../run.js';
import { declareWhere } from '../../support/system-tools.js';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-summaries-'));
  mkdirSync(at('in'));
  await fromRaster(plain({ width: 120, height: 80 }, [90, 60, 30])).toFile(at('in', 'a.jpg'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (...names: readonly string[]): string => path.join(folder, ...names);
const run = (...args: readonly string[]): Promise<Finished> =>
  framewright(['--engine', 'centre', '--dry-run', ...args], { cwd: folder });

test('the folders of a report and a contact sheet are made', async () => {
  const { code, stderr } = await run('--report', 'new/deep/r.html', '--contact-sheet', 'other/sheet.png', 'in');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(readFileSync(at('new', 'deep', 'r.html'), 'utf8')).toContain('in/a.jpg');
  expect((await sharp(at('other', 'sheet.png')).metadata()).format).toBe('png');
});

test('a folder that cannot be made is said before any work', async () => {
  writeFileSync(at('file'), '');
  const { code, stdout, stderr } = await run('--report', 'file/below/r.html', 'in');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/file\/below.*\[OUTPUT_WRITE\]\n$/);
});

declareWhere(process.platform === 'linux', 'a folder that takes no files, even of root', 'Linux', () => {
  test('one that takes no files, even of root, too', async () => {
    const { code, stdout, stderr } = await run('--contact-sheet', '/proc/sys/new/sheet.jpg', 'in');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^framewright: cannot write \/proc\/sys\/new\/sheet\.jpg: no permission in \/proc\/sys: .*\[OUTPUT_WRITE\]\n$/,
    );
  });
});
