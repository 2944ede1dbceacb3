import { createHash } from 'node:crypto';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { framewright, type Finished, type RunOptions } from '../run.js';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-resume-'));
  mkdirSync(at('in'));
  for (let i = 0; i < 6; i++) {
    const colour = { r: 40 * i, g: 255 - 40 * i, b: 90 };
    await sharp({ create: { width: 60 + i, height: 40, channels: 3, background: colour } })
      .png()
      .toFile(at('in', `${i}.png`));
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const JOURNAL = '.framewright-journal.jsonl';
const at = (...names: readonly string[]): string => path.join(folder, ...names);

function run(args: readonly string[] = [], options: RunOptions = {}): Promise<Finished> {
  return framewright(['--engine', 'full', '-a', '1:1', '-o', 'out', ...args], { cwd: folder, ...options });
}

/** Name to content and time of everything in out/ but the journal. */
function state(name = 'out'): Record<string, string> {
  const files = readdirSync(at(name)).filter((file) => file !== JOURNAL);
  return Object.fromEntries(
    files.map((file) => [
      file,
      `${createHash('md5')
        .update(readFileSync(at(name, file)))
        .digest('hex')} ${statSync(at(name, file)).mtimeMs}`,
    ]),
  );
}

/** Of a state the contents without the times. */
function contents(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, value]) => [name, value.split(' ')[0]!]));
}

/** The lines of the journal as values. */
function journal(file = at('out', JOURNAL)): { what: string; photo: string }[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter(Boolean).map((line) => (JSON.parse(line) as [string, { what: string; photo: string }])[1]);
}

/** Cuts the journal after its nth line, as a kill at that moment leaves it. */
function cutJournal(nLines: number): void {
  const lines = readFileSync(at('out', JOURNAL), 'utf8').split('\n');
  writeFileSync(at('out', JOURNAL), lines.slice(0, nLines + 1).join('\n'));
}

describe('--resume', () => {
  test('does nothing that is done again, and stdout says all there is', async () => {
    const first = await run(['--json', 'in']);
    expect(first.code).toBe(0);
    const before = state();
    unlinkSync(at('out', '4-1x1.png'));
    const again = await run(['--json', '--resume', 'in']);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stderr).toContain('5 of 6 photos were done earlier');
    const withoutTimes = (text: string): unknown[] =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => ({ ...(JSON.parse(line) as object), timingsMs: {} }));
    expect(withoutTimes(again.stdout)).toEqual(withoutTimes(first.stdout));
    const after = state();
    const made = Object.keys(after).filter((name) => after[name] !== before[name]);
    expect(made).toEqual(['4-1x1.png']);
    expect(after['4-1x1.png']!.split(' ')[0]).toBe(before['4-1x1.png']!.split(' ')[0]);
  });

  test('goes on from a journal cut off at any line, and from a line torn in the middle', async () => {
    await run(['in']);
    const whole = readFileSync(at('out', JOURNAL));
    const names = Object.keys(state());
    expect(journal().map(({ what }) => what)).toEqual(Array.from({ length: 6 }, () => ['writing', 'done']).flat());
    for (const nLines of [0, 3, 4, 7]) {
      writeFileSync(at('out', JOURNAL), whole);
      cutJournal(nLines);
      appendFileSync(at('out', JOURNAL), '\n["0123456789abcdef",{"version":1,"wh');
      // Of the photos without a line, none was begun.
      for (const name of names.slice(Math.ceil(nLines / 2))) unlinkSync(at('out', name));
      const before = state();
      const nDone = Math.floor(nLines / 2);
      const { code, stderr } = await run(['--resume', 'in']);
      expect({ code, stderr }, `cut after ${nLines}`).toEqual({
        code: 0,
        stderr: `framewright: ${nDone} of 6 photos ${nDone === 1 ? 'was' : 'were'} done earlier\n`,
      });
      const after = state();
      expect(Object.keys(after)).toEqual(names);
      for (const name of names.slice(0, Math.floor(nLines / 2))) expect(after[name]).toBe(before[name]);
    }
  });

  test('removes what a killed run left half written, and nothing else', async () => {
    await run(['in']);
    const [file] = (
      JSON.parse(readFileSync(at('out', JOURNAL), 'utf8').split('\n')[3]!) as [string, { files: { sha256: string }[] }]
    )[1].files;
    cutJournal(3);
    for (const name of Object.keys(state()).slice(1)) unlinkSync(at('out', name));
    const left = `.framewright-${file!.sha256.slice(0, 32)}.tmp`;
    writeFileSync(at('out', left), 'half');
    writeFileSync(at('out', '.framewright-of-another.tmp'), 'half');
    expect((await run(['--resume', 'in'])).code).toBe(0);
    expect(readdirSync(at('out')).filter((name) => name.endsWith('.tmp'))).toEqual(['.framewright-of-another.tmp']);
  });

  test("a file somebody has put in a crop's place meanwhile is kept", async () => {
    await run(['in']);
    cutJournal(5); // of photo 2 only the first line
    for (const i of [3, 4, 5]) unlinkSync(at('out', `${i}-1x1.png`));
    writeFileSync(at('out', '2-1x1.png'), 'my own');
    const { code, stderr } = await run(['--resume', 'in']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/out\/2-1x1\.png exists already; it is not what this run would go on from.*OUTPUT_EXISTS/);
    expect(readFileSync(at('out', '2-1x1.png'), 'utf8')).toBe('my own');
    writeFileSync(at('out', '0-1x1.png'), 'edited'); // done long ago: it is the owner's to change
    unlinkSync(at('out', '2-1x1.png'));
    expect((await run(['--resume', 'in'])).code).toBe(0);
    expect(readFileSync(at('out', '0-1x1.png'), 'utf8')).toBe('edited');
  });

  test('what was deleted is made anew, with what else the photo gave, but not over a file somebody has changed', async () => {
    const both = ['in', '--overlay', '--xmp', '--resume'];
    expect((await run(both)).code).toBe(0);
    const before = state();
    const sidecar = readFileSync(at('in', '1.xmp'), 'utf8');
    unlinkSync(at('out', '0-overlay.png'));
    unlinkSync(at('in', '1.xmp'));
    expect((await run(both)).code).toBe(0);
    expect(contents(state())).toEqual(contents(before));
    expect(readFileSync(at('in', '1.xmp'), 'utf8')).toBe(sidecar);
    expect(state()['2-overlay.png']).toBe(before['2-overlay.png']);

    unlinkSync(at('out', '3-overlay.png'));
    appendFileSync(at('out', '3-1x1.png'), 'mine');
    const refused = await run(both);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('3-1x1.png');
    expect(readFileSync(at('out', '3-1x1.png')).subarray(-4).toString()).toBe('mine');
  });

  test('a photo touched is not done again, one changed is, with --force', async () => {
    await run(['in']);
    utimesSync(at('in', '1.png'), 1, 1);
    expect((await run(['--resume', 'in'])).stderr).toContain('6 of 6');
    copyFileSync(at('in', '5.png'), at('in', '1.png'));
    const refused = await run(['--resume', 'in']);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('out/1-1x1.png exists');
    const before = state();
    expect((await run(['--resume', '--force', 'in'])).stderr).toContain('5 of 6');
    expect(Object.keys(before).filter((name) => before[name] !== state()[name])).toEqual(['1-1x1.png']);
  });

  test('other settings are other work', async () => {
    await run(['in']);
    const { stderr, code } = await run(['--resume', '--strip', 'in']);
    expect(code).toBe(2);
    expect(stderr).toContain('0 of 6 photos were done earlier');
    expect((await run(['--resume', '-a', '3:2', 'in'])).stderr).toContain('0 of 6');
  });

  test("files that hold another run's crops by now are not done, those that hold their own again are", async () => {
    const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const; // no two crops of it are the same
    for (let i = 0; i < 6; i++) {
      await sharp({ create: { width: 60, height: 40, channels: 3, background: 'black', noise } })
        .png()
        .toFile(at('in', `${i}.png`));
    }
    await run(['in']);
    const first = contents(state());
    await run(['--quality', '50', '--force', 'in']);
    expect(contents(state())).toEqual(first); // the same bytes under other settings are as good
    expect((await run(['--resume', 'in'])).stderr).toContain('6 of 6');

    await run(['--keep', '0,0,10,40', '--force', 'in']);
    expect(contents(state())).not.toEqual(first);
    const refused = await run(['--resume', 'in']);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/0 of 6 photos were done earlier\n.*OUTPUT_EXISTS/);
    expect((await run(['--resume', '--force', 'in'])).code).toBe(0);
    expect(contents(state())).toEqual(first);
    expect((await run(['--resume', 'in'])).stderr).toContain('6 of 6');
  });

  test('is refused at once where nothing is to be noted', async () => {
    const { code, stdout, stderr } = await run(['--resume', '--no-journal', 'in']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/--resume goes on from the journal, and --no-journal has none.*\[USAGE\]\n$/);
  });

  test('photos and crops may be moved together, and photos taken away', async () => {
    await run(['in']);
    mkdirSync(at('moved'));
    for (const name of ['in', 'out']) renameSync(at(name), at('moved', name));
    unlinkSync(at('moved', 'in', '0.png'));
    const { code, stderr } = await run(['--resume', 'in/0.png', 'in/1.png'], { cwd: at('moved') });
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'framewright: 2 of 2 photos were done earlier\n' });
  });

  test('photos that failed are tried again', async () => {
    const bytes = readFileSync(at('in', '3.png'));
    writeFileSync(at('in', '3.png'), bytes.subarray(0, 60));
    const failed = await run(['in']);
    expect(failed.code).toBe(4);
    expect(failed.stderr).toMatch(
      /in\/3\.png .*\[INPUT_CORRUPT\]\nframewright: 1 of 6 photos failed\n {2}in\/3\.png\n$/,
    );
    writeFileSync(at('in', '3.png'), bytes);
    expect(await run(['--resume', 'in'])).toMatchObject({ code: 0 });
    expect(Object.keys(state())).toHaveLength(6);
  });

  test('crops beside the photos are not taken for photos by the next run', async () => {
    const beside = (...args: string[]): Promise<Finished> =>
      framewright(['--engine', 'full', ...args], { cwd: at('in') });
    expect((await beside('.')).stdout.split('\n')).toHaveLength(7);
    copyFileSync(at('in', '0.png'), at('in', 'new.png'));
    const { code, stdout, stderr } = await beside('--resume', '.');
    expect(code).toBe(0);
    expect(stderr).toBe(
      'framewright: 6 pictures made here earlier are left out\nframewright: 6 of 7 photos were done earlier\n',
    );
    expect(stdout.trimEnd().split('\n')).toHaveLength(7);
    expect(readdirSync(at('in')).filter((name) => name.endsWith('-crop.png'))).toHaveLength(7);
  });

  test('--journal names another file, --no-journal and --dry-run leave none, nor does a refused run', async () => {
    await run(['--journal', 'notes.jsonl', 'in']);
    expect(journal(at('notes.jsonl'))).toHaveLength(12);
    expect(readdirSync(at('out'))).not.toContain(JOURNAL);
    expect((await run(['in'])).code).toBe(2);
    expect((await run(['--dry-run', 'in'])).code).toBe(0);
    expect((await run(['--force', '--no-journal', 'in'])).code).toBe(0);
    expect(readdirSync(at('out'))).toHaveLength(6);
  });
});

describe('two runs in one folder', () => {
  test('the second is refused while the first is at work, and not by a lock left behind', async () => {
    const lock = at('out', '.framewright-journal.lock');
    mkdirSync(at('out'));
    const holder = { host: (await import('node:os')).hostname(), since: 'now' };
    writeFileSync(lock, JSON.stringify({ ...holder, pid: process.pid }));
    const refused = await run(['in']);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(
      new RegExp(`another run is at work on .*out \\(process ${process.pid} .*OUTPUT_LOCKED`),
    );
    writeFileSync(lock, JSON.stringify({ ...holder, host: 'elsewhere', pid: 1 }));
    expect((await run(['in'])).stderr).toContain('process 1 on elsewhere');

    for (const left of [
      JSON.stringify({ ...holder, pid: 2 ** 22 - 3 }), // above any process number in use
      ...(process.platform === 'linux' ? [JSON.stringify({ ...holder, pid: process.pid, started: '1' })] : []),
      '',
    ]) {
      writeFileSync(lock, left);
      expect((await run(['--resume', 'in'])).code).toBe(0);
      expect(readdirSync(at('out'))).not.toContain('.framewright-journal.lock');
    }
  });

  test('started together, one does the work and the other says so', async () => {
    const both = await Promise.all([run(['in']), run(['in'])]);
    expect(both.filter(({ code }) => code === 0).length).toBeGreaterThanOrEqual(1);
    for (const { code, stderr } of both) if (code !== 0) expect(stderr).toMatch(/OUTPUT_(LOCKED|EXISTS)/);
    expect(journal().filter(({ what }) => what === 'done')).toHaveLength(6);
    expect(Object.keys(state())).toHaveLength(6);
  });
});
