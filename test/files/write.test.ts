import { spawnSync } from 'node:child_process';
import { chmod, link, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkOutput, publishNew, writeFileAtomic } from '../../src/files/write.js';
import { rejection } from '../photo/thrown.js';
import { asUnprivileged } from '../photo/unprivileged.js';
import { canMount, mountSmallDisk, unmount } from '../support/small-disk.js';
import { declareWhere, testWith } from '../support/system-tools.js';

const bytes = Buffer.from('the whole picture');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-write-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('writes', () => {
  test('the bytes, and nothing else into the folder', async () => {
    await writeFileAtomic(join(folder, 'a.jpg'), bytes);
    expect(await readdir(folder)).toEqual(['a.jpg']);
    expect(await readFile(join(folder, 'a.jpg'))).toEqual(bytes);
    expect((await stat(join(folder, 'a.jpg'))).nlink).toBe(1);
  });

  test('over an existing file only with force, and then with its mode', async () => {
    const path = join(folder, 'a.jpg');
    await writeFile(path, 'older');
    await chmod(path, 0o640);
    const thrown = await rejection(writeFileAtomic(path, bytes));
    expect(thrown.code).toBe('OUTPUT_EXISTS');
    expect(thrown.message).toBe(`${path} exists already: use --force to replace it`);
    expect(await readFile(path, 'utf8')).toBe('older');
    await writeFileAtomic(path, bytes, { force: true });
    expect(await readFile(path)).toEqual(bytes);
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect(await readdir(folder)).toEqual(['a.jpg']);
  });

  test('with force through a link to the file it points at', async () => {
    await mkdir(join(folder, 'real'));
    await writeFile(join(folder, 'real', 'a.jpg'), 'older');
    await symlink(join('real', 'a.jpg'), join(folder, 'link.jpg'));
    expect((await rejection(writeFileAtomic(join(folder, 'link.jpg'), bytes))).code).toBe('OUTPUT_EXISTS');
    await writeFileAtomic(join(folder, 'link.jpg'), bytes, { force: true });
    expect(await readFile(join(folder, 'real', 'a.jpg'))).toEqual(bytes);
    expect(await readdir(folder)).toEqual(['link.jpg', 'real']);
  });

  test('one of twenty that race for a new name, whole; the others are told', async () => {
    const path = join(folder, 'raced.jpg');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => writeFileAtomic(path, Buffer.alloc(200_000, index))),
    );
    const winners = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []));
    expect(winners).toHaveLength(1);
    expect((await readFile(path)).equals(Buffer.alloc(200_000, winners[0]))).toBe(true);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'OUTPUT_EXISTS' });
    }
    expect(await readdir(folder)).toEqual(['raced.jpg']);
  });

  test('where the file system has no hard links, as on memory cards', async () => {
    const noLinks: typeof link = () => Promise.reject(Object.assign(new Error('no links here'), { code: 'EPERM' }));
    const temporary = join(folder, 'finished.tmp');
    await writeFile(temporary, bytes);
    await publishNew(temporary, join(folder, 'a.jpg'), noLinks);
    expect(await readFile(join(folder, 'a.jpg'))).toEqual(bytes);
    expect(await readdir(folder)).toEqual(['a.jpg']);
    await writeFile(temporary, 'another');
    await expect(publishNew(temporary, join(folder, 'a.jpg'), noLinks)).rejects.toMatchObject({ code: 'EEXIST' });
    expect(await readFile(join(folder, 'a.jpg'))).toEqual(bytes);
  });
});

describe('refuses, and leaves nothing behind', () => {
  test('a missing folder', async () => {
    const thrown = await rejection(writeFileAtomic(join(folder, 'no', 'a.jpg'), bytes));
    expect(thrown.code).toBe('OUTPUT_WRITE');
    expect(thrown.message).toContain(`the folder ${join(folder, 'no')} does not exist: create it first`);
  });

  test('a folder in the file’s place, even with force', async () => {
    for (const force of [false, true]) {
      const thrown = await rejection(writeFileAtomic(folder, bytes, { force }));
      expect(thrown.code).toBe('OUTPUT_WRITE');
      expect(thrown.message).toContain('is a folder');
    }
  });

  test('a device, even with force: it would be renamed away', async () => {
    const thrown = await rejection(writeFileAtomic('/dev/full', bytes, { force: true }));
    expect(thrown.code).toBe('OUTPUT_WRITE');
    expect((await stat('/dev/full')).isCharacterDevice()).toBe(true);
  });

  test('a folder without write permission', async () => {
    await chmod(folder, 0o555);
    const thrown = await asUnprivileged(() => rejection(writeFileAtomic(join(folder, 'a.jpg'), bytes)));
    expect(thrown.code).toBe('OUTPUT_WRITE');
    expect(thrown.message).toContain(`no permission in ${folder}`);
    expect(await readdir(folder)).toEqual([]);
  });

  test('a name that is too long', async () => {
    const thrown = await rejection(writeFileAtomic(join(folder, `${'a'.repeat(300)}.jpg`), bytes));
    expect(thrown.code).toBe('OUTPUT_WRITE');
    expect(thrown.message).toContain('the name is too long');
  });

  test('checkOutput tells beforehand', async () => {
    await writeFile(join(folder, 'a.jpg'), 'older');
    expect((await rejection(checkOutput(join(folder, 'a.jpg')))).code).toBe('OUTPUT_EXISTS');
    await checkOutput(join(folder, 'a.jpg'), { force: true });
    await checkOutput(join(folder, 'b.jpg'));
    expect(await readdir(folder)).toEqual(['a.jpg']);
  });

  test('abort before, during and after: the signal’s reason, or the whole file', async () => {
    const reason = new Error('user left');
    const before = writeFileAtomic(join(folder, 'before.jpg'), bytes, { signal: AbortSignal.abort(reason) });
    await expect(before).rejects.toBe(reason);
    const large = Buffer.alloc(32_000_000, 7);
    for (const delayMs of [0, 1, 2, 4, 8, 16, 32]) {
      const controller = new AbortController();
      const path = join(folder, `during-${delayMs}.jpg`);
      const writing = writeFileAtomic(path, large, { signal: controller.signal }).then(
        () => 'written' as const,
        (thrown: unknown) => thrown,
      );
      setTimeout(() => controller.abort(reason), delayMs);
      const outcome = await writing;
      if (outcome === 'written') expect((await stat(path)).size).toBe(large.length);
      else expect(outcome).toBe(reason);
      const expected = outcome === 'written' ? [`during-${delayMs}.jpg`] : [];
      expect(await readdir(folder)).toEqual(expected);
      await rm(path, { force: true });
    }
  });
});

describe('a full disk', () => {
  declareWhere(canMount, 'a full disk', 'the right to mount one', () => {
    test('is told, and what was there stays', async () => {
      mountSmallDisk(folder, '64k');
      try {
        await writeFile(join(folder, 'a.jpg'), 'older');
        for (const path of [join(folder, 'a.jpg'), join(folder, 'b.jpg')]) {
          const thrown = await rejection(writeFileAtomic(path, Buffer.alloc(1_000_000), { force: true }));
          expect(thrown.code).toBe('OUTPUT_WRITE');
          expect(thrown.message).toMatch(/the disk or quota is full.*: free some space/);
        }
        expect(await readdir(folder)).toEqual(['a.jpg']);
        expect(await readFile(join(folder, 'a.jpg'), 'utf8')).toBe('older');
      } finally {
        unmount(folder);
      }
    });
  });

  declareWhere(process.platform === 'linux', 'a limit on file sizes', 'Linux', () => {
    testWith(['prlimit'], 'and so is a limit on file sizes that strikes in the middle of a file', async () => {
      const limitFileSize = (limit: string): void => {
        const { status } = spawnSync('prlimit', ['--pid', String(process.pid), `--fsize=${limit}`]);
        expect(status).toBe(0);
      };
      const ignoreSignal = (): void => undefined;
      process.on('SIGXFSZ', ignoreSignal); // its default is to kill the process; the write then fails with EFBIG
      limitFileSize('50000:unlimited');
      try {
        const thrown = await rejection(writeFileAtomic(join(folder, 'a.jpg'), Buffer.alloc(2_000_000)));
        expect(thrown.code).toBe('OUTPUT_WRITE');
        expect(thrown.message).toContain('free some space');
      } finally {
        limitFileSize('unlimited:unlimited');
        process.off('SIGXFSZ', ignoreSignal);
      }
      expect(await readdir(folder)).toEqual([]);
    });
  });
});
