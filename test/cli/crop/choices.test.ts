import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fromRaster, plain } from '../../photo/fixtures.js';
import { framewright, type Finished } from '../run.js';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-choices-'));
  const photo = await fromRaster(plain({ width: 120, height: 80 }, [90, 60, 30]))
    .jpeg()
    .toBuffer();
  for (const name of ['a.jpg', 'b.jpg']) writeFileSync(at(name), photo);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (...names: readonly string[]): string => path.join(folder, ...names);
function choose(...choices: readonly (readonly [photo: string, aspect: string])[]): void {
  const lines = choices.map(([photo, aspect]) => JSON.stringify({ path: photo, aspect, box: [0, 0, 60, 60] }));
  writeFileSync(at('c.jsonl'), lines.join('\n'));
}
const run = (...args: readonly string[]): Promise<Finished> =>
  framewright(['--choices', 'c.jsonl', ...args], { cwd: folder });

describe('the crops of several ratios', () => {
  test('are planned together: a folder needs no slash, and overlays are told apart', async () => {
    choose(['a.jpg', '1:1'], ['a.jpg', '2:1']);
    expect((await run('-o', 'crops')).stdout).toBe('crops/a-1x1.jpg\ncrops/a-2x1.jpg\n');
    expect((await run('-o', 'drawn', '--overlay')).stdout.trimEnd().split('\n')).toEqual([
      ...['drawn/a-1x1.jpg', 'drawn/a-1x1-overlay.jpg'],
      ...['drawn/a-2x1.jpg', 'drawn/a-2x1-overlay.jpg'],
    ]);
  });

  test('count their photos through', async () => {
    choose(['a.jpg', '1:1'], ['b.jpg', '2:1'], ['a.jpg', '2:1']);
    const { code, stdout } = await run('--name', '{index}-{aspect}{ext}', '-o', 'out/');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'out/1-1x1.jpg\nout/2-2x1.jpg\nout/1-2x1.jpg\n' });
  });

  test('go into the sidecars of different photos', async () => {
    choose(['a.jpg', '1:1'], ['b.jpg', '2:1']);
    expect(await run('--xmp')).toMatchObject({ code: 0, stdout: 'a.xmp\nb.xmp\n' });
  });
});

describe('the photos', () => {
  test('are also found beside the list, and first where the run stood that offered the crops', async () => {
    mkdirSync(at('here'));
    const line = { path: 'a.jpg', aspect: '1:1', box: [0, 0, 60, 60] };
    writeFileSync(at('c.jsonl'), JSON.stringify(line));
    const crop = () => framewright(['--choices', '../c.jsonl', '--force', '-o', 'out/'], { cwd: at('here') });
    expect(await crop()).toMatchObject({ code: 0, stdout: 'out/a-1x1.jpg\n' });
    mkdirSync(at('there'));
    writeFileSync(at('there', 'a.jpg'), 'no photo');
    writeFileSync(at('c.jsonl'), JSON.stringify({ ...line, folder: at('there') }));
    expect(await crop()).toMatchObject({ code: 4, stderr: expect.stringContaining(at('there', 'a.jpg')) as string });
    writeFileSync(at('c.jsonl'), JSON.stringify({ ...line, path: 'z.jpg' }));
    expect(await crop()).toMatchObject({ code: 4, stderr: expect.stringContaining('z.jpg') as string });
  });

  test('of one name keep their folders', async () => {
    for (const name of ['x', 'y']) {
      mkdirSync(at(name));
      copyFileSync(at('a.jpg'), at(name, 'a.jpg'));
    }
    choose(['x/a.jpg', '1:1'], ['y/a.jpg', '1:1']);
    expect(await run('-o', 'out/')).toMatchObject({ code: 0, stdout: 'out/x/a-1x1.jpg\nout/y/a-1x1.jpg\n' });
    writeFileSync(at('h.jsonl'), ['x', 'y'].map((name) => JSON.stringify({ path: `${name}/a.jpg` })).join('\n'));
    const hinted = await framewright(['--hints', 'h.jsonl', '--engine', 'centre', '-o', 'hinted/'], { cwd: folder });
    expect(hinted).toMatchObject({ code: 0, stdout: 'hinted/x/a-crop.jpg\nhinted/y/a-crop.jpg\n' });
  });
});

test('a choice for the photo on stdin is refused', async () => {
  choose(['-', '1:1']);
  expect(await run('-o', 'out/')).toMatchObject({
    code: 2,
    stdout: '',
    stderr: 'framewright: c.jsonl:1: a choice is for a file; name it in place of - [USAGE]\n',
  });
});

describe('beside --choices', () => {
  test.each([
    ['--resume'],
    ['--journal', 'j.jsonl'],
    ['--hints', 'missing.jsonl'],
    ['--min-confidence', '0.5'],
    ['--review-list', 'r.jsonl'],
    ['--keep', '0,0,9,9'],
    ['--instruct', 'more sky'],
    ['--top', '2'],
    ['--engine', 'rules'],
    ['--no-plan'],
  ])('%s is refused', async (...args) => {
    choose(['a.jpg', '1:1']);
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(
      `framewright: --choices c.jsonl says itself where to crop, and ${args[0]} changes nothing about it; leave it out [USAGE]\n`,
    );
  });

  test('what says how crops are written is taken, and what a config file says of other runs', async () => {
    choose(['a.jpg', '1:1']);
    writeFileSync(at('framewright.config.json'), JSON.stringify({ engine: 'rules', 'min-confidence': 0.5 }));
    const { code, stdout } = await run('--no-journal', '--format', 'png', '--json', '--max-pixels', '10000');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ engine: 'chosen', output: ['a-1x1.png'] });
    expect(readFileSync(at('a-1x1.png')).subarray(1, 4).toString()).toBe('PNG');
    expect(readdirSync(folder)).not.toContain('review.jsonl');
  });
});
