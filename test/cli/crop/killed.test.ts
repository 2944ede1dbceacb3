import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { examplePhoto } from '../../support/photos.js';
import { framewright, type Finished, type RunOptions } from '../run.js';

/** bench/killed.mjs does this with 60 photos, at random moments, many times over. */
const JOURNAL = '.framewright-journal.jsonl';
let folder: string;
let whole: ReadonlyMap<string, MadeFile>;

interface MadeFile {
  readonly hash: string;
  readonly identity: string;
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-killed-'));
  mkdirSync(at('in'));
  const photo = sharp(examplePhoto('pagoda')).resize(240);
  await photo.clone().withMetadata({ orientation: 6 }).toFile(at('in', '0.jpg'));
  await photo.clone().toColourspace('rgb16').toFile(at('in', '1.png'));
  await photo.clone().toColourspace('cmyk').toFile(at('in', '2.tif'));
  await photo.clone().toFile(at('in', '3.webp'));
  await photo.clone().gif().toFile(at('in', '4.gif'));
  await photo.clone().withIccProfile('p3').toFile(at('in', '5.jpg'));
  writeFileSync(at('in', '6.jpg'), readFileSync(at('in', '5.jpg')).subarray(0, 4000));
  writeFileSync(at('in', '7.jpg'), '');
  expect((await run('whole')).code).toBe(4);
  whole = filesIn('whole');
  expect(whole.size).toBe(12);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (...names: readonly string[]): string => path.join(folder, ...names);
const run = (out: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Finished> =>
  framewright(['--engine', 'full', '-a', '1:1', '-a', '4:5', '-o', out, ...args, 'in'], { cwd: folder, ...options });

function filesIn(out: string): Map<string, MadeFile> {
  const names = readdirSync(at(out)).filter((name) => !name.startsWith('.'));
  return new Map(
    names.map((name) => {
      const { ino, mtimeMs } = statSync(at(out, name));
      const hash = createHash('sha256')
        .update(readFileSync(at(out, name)))
        .digest('hex');
      return [name, { hash, identity: `${ino} ${mtimeMs}` }];
    }),
  );
}

const hashes = (files: ReadonlyMap<string, MadeFile>): [string, string][] =>
  [...files].map(([name, { hash }]) => [name, hash]);

function doneIn(out: string): string[] {
  const lines = readFileSync(at(out, JOURNAL), 'utf8').split('\n');
  return lines.filter((line) => line.includes('"what":"done"') && line.endsWith('}]'));
}

/** Kills the run as soon as its journal is longer than `nBytes`. */
function killWhenJournalHas(out: string, nBytes: number): RunOptions {
  return {
    onStart: (kill) => {
      const timer = setInterval(() => {
        const size = statSync(at(out, JOURNAL), { throwIfNoEntry: false })?.size ?? 0;
        if (size <= nBytes) return;
        clearInterval(timer);
        kill('SIGKILL');
      }, 1);
      timer.unref();
    },
  };
}

test.each([0, 2000, 5000])('killed at %i bytes of its journal, --resume comes to the same end', async (nBytes) => {
  const out = `killed-${nBytes}`;
  const killed = await run(out, [], killWhenJournalHas(out, nBytes));
  expect(killed.signal).toBe('SIGKILL');
  const before = filesIn(out);
  for (const [name, { hash }] of before) expect(hash, name).toBe(whole.get(name)!.hash);
  const nDone = doneIn(out).length;

  const resumed = await run(out, ['--resume']);
  expect(resumed.code).toBe(4);
  expect(resumed.stderr).toMatch(new RegExp(`${nDone} of 8 photos (was|were) done earlier`));
  expect(resumed.stderr).toMatch(/in\/6\.jpg is damaged.*\[INPUT_CORRUPT\]\n.*in\/7\.jpg .*\[INPUT_UNSUPPORTED\]\n/);
  expect(resumed.stderr).toMatch(/2 of 8 photos failed\n {2}\S*in\/6\.jpg\n {2}\S*in\/7\.jpg\n$/);
  const after = filesIn(out);
  expect(hashes(after)).toEqual(hashes(whole));
  expect(doneIn(out)).toHaveLength(6);
  // Two files a photo, in order: those of photos that were done have not been touched.
  for (const name of [...before.keys()].slice(0, 2 * nDone)) {
    expect(after.get(name)!.identity, name).toBe(before.get(name)!.identity);
  }
  expect(readdirSync(at(out)).filter((name) => /\.(tmp|lock)$/.test(name))).toEqual([]);
  rmSync(at(out), { recursive: true });
});
