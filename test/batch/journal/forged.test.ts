import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runBatch } from '../../../src/index.js';
import { CheckedLog, readCheckedLog } from '../../../src/files/checked-log.js';
import { lockFile } from '../../../src/files/file-lock.js';
import { rejection } from '../../photo/thrown.js';
import { useSmallPhotos } from '../small-photos.js';

const { at, written, rules: byRules } = useSmallPhotos();
/** The quickest there is: what is written is not the point here. */
const rules: typeof byRules = (more) => byRules({ cropper: { engine: 'centre' }, ...more });
const JOURNAL = '.framewright-journal.jsonl';
const SHA256 = createHash('sha256').update('x').digest('hex');

/** A line that passes its checksum, as anybody can make one. */
function line(record: unknown): string {
  const text = JSON.stringify(record);
  return `\n["${createHash('sha256').update(text).digest('hex').slice(0, 16)}",${text}]`;
}
function forge(...records: readonly unknown[]): void {
  mkdirSync(at('out'), { recursive: true });
  writeFileSync(at('out', JOURNAL), records.map(line).join(''));
}
const writing = (path: unknown, sha256: unknown = SHA256): Record<string, unknown> => ({
  ...{ version: 1, what: 'writing', photo: '../in/dogs.jpg', key: SHA256, files: [{ path, sha256 }] },
});
const temporary = (folder: string): string => at(folder, `.framewright-${SHA256.slice(0, 32)}.tmp`);

describe('a journal that somebody else has made', () => {
  test('removes nothing outside the folder of the run, by paths, links or hashes that are none', async () => {
    mkdirSync(at('victim'));
    for (const file of [at('victim', 'precious.tmp'), temporary('victim'), temporary('in')])
      writeFileSync(file, 'mine');
    forge(
      writing('../victim/x', 'x/../precious'),
      writing('../victim/x', 'x/../../victim/precious'),
      writing('../victim/x'),
      writing(at('victim', 'x')),
      writing('link/x'),
    );
    symlinkSync(at('victim'), at('out', 'link'));
    await runBatch(rules());
    for (const file of [at('victim', 'precious.tmp'), temporary('victim'), temporary('in')]) {
      expect(existsSync(file), file).toBe(true);
    }
  });

  test('in a place of its own removes what a killed run left where this run writes, and nothing elsewhere', async () => {
    mkdirSync(at('out', 'deep'), { recursive: true });
    mkdirSync(at('elsewhere'));
    for (const folder of ['out', 'out/deep', 'elsewhere']) writeFileSync(temporary(folder), 'half');
    const records = [writing('out/x'), writing('out/deep/x'), writing('elsewhere/x')];
    writeFileSync(at('own.jsonl'), records.map(line).join(''));
    await runBatch(rules({ journal: at('own.jsonl') }));
    expect(['out', 'out/deep', 'elsewhere'].map((folder) => existsSync(temporary(folder)))).toEqual([
      false,
      false,
      true,
    ]);
  });

  test.each([
    ['files that are no list', { ...writing('x'), files: 'x' }],
    ['no files', { version: 1, what: 'writing', photo: 'a', key: SHA256 }],
    ['a path that is none', writing({})],
    ['a path with NUL', writing('a\0b')],
    ['a photo that is a number', { ...writing('x'), photo: 7 }],
    ['a hash that is a number', writing('x', 7)],
    ['a done photo without results', { ...writing('x'), what: 'done', planned: ['x'] }],
    [
      'results of another form',
      {
        ...writing('x'),
        ...{ what: 'done', planned: ['x'], source: { size: 1, mtimeMs: 1, sha256: SHA256 }, results: [null] },
      },
    ],
    ['a kind there is none of', { ...writing('x'), what: 'constructor' }],
    ['a summary without files', { version: 1, what: 'summary', files: null }],
  ])('with a record of %s is read without it', async (_, record) => {
    forge(record);
    await runBatch(rules({ resume: true }));
    expect(written()).toHaveLength(3);
  });

  test('that is a link is refused, and what it leads to is as it was', async () => {
    mkdirSync(at('out'));
    for (const there of [true, false]) {
      const target = at(there ? 'diary' : 'nothing');
      if (there) writeFileSync(target, '');
      symlinkSync(target, at('out', JOURNAL));
      const { code, message } = await rejection(runBatch(rules()));
      expect(code).toMatch(/^(?:INPUT_UNREADABLE|OUTPUT_WRITE)$/);
      expect(message).toMatch(/journal .* is a link, a pipe or a device/);
      expect(there ? readFileSync(target, 'utf8') : existsSync(target)).toBe(there ? '' : false);
      execFileSync('rm', [at('out', JOURNAL)]);
    }
  });

  test('that is a pipe or a device is refused at once', async () => {
    mkdirSync(at('out'));
    execFileSync('mkfifo', [at('out', JOURNAL)]);
    expect((await rejection(runBatch(rules()))).message).toMatch(/is a link, a pipe or a device/);
    expect((await rejection(runBatch(rules({ journal: '/dev/zero' })))).message).toMatch(
      /\/dev\/zero is a link, a pipe/,
    );
    expect((await rejection(CheckedLog.open('/dev/null'))).code).toBe('OUTPUT_WRITE');
  });

  test('with a line that never ends is read beyond it', async () => {
    const [before, after] = [line('a'), line('b')];
    writeFileSync(at('log'), `${before}\n${'x'.repeat(40_000_000)}${after}\n`);
    const values: unknown[] = [];
    expect(await readCheckedLog(at('log'), (value) => values.push(value) > 0)).toBe(1);
    expect(values).toEqual(['a', 'b']);
  });
});

describe('a lock that is', () => {
  test.each([
    ['a link', (file: string) => symlinkSync(at('in', 'dogs.jpg'), file)],
    ['a link to nothing', (file: string) => symlinkSync(at('nothing'), file)],
    ['a link to a device without end', (file: string) => symlinkSync('/dev/zero', file)],
    ['a pipe', (file: string) => execFileSync('mkfifo', [file])],
    ['a folder', (file: string) => mkdirSync(file)],
    ['longer than any lock', (file: string) => writeFileSync(file, ' '.repeat(10_000_000))],
  ])('%s is in the way, and left as it is', async (_, put) => {
    put(at('a.lock'));
    const { code, message } = await rejection(lockFile(at('a.lock'), 'a'));
    expect(code).toBe('OUTPUT_WRITE');
    expect(message).toMatch(/a\.lock is in the way, and is no lock of ours/);
    expect(existsSync(at('nothing'))).toBe(false);
  });
});

test('a review list that is a link is not taken for one of ours', async () => {
  mkdirSync(at('out'));
  writeFileSync(at('victim'), 'x');
  forge({ version: 1, what: 'summary', files: [{ path: 'review.jsonl', sha256: SHA256 }] });
  symlinkSync(at('victim'), at('out', 'review.jsonl'));
  const { code } = await rejection(runBatch(rules({ resume: true, minConfidence: 1, fallback: 'review' })));
  expect(code).toBe('OUTPUT_EXISTS');
  expect(readFileSync(at('victim'), 'utf8')).toBe('x');
});
