import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, closeSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fromRaster, plain } from '../../photo/fixtures.js';
import { projectFile } from '../../support/photos.js';
import { declareWhere } from '../../support/system-tools.js';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-stdout-'));
  mkdirSync(at('in'));
  const photo = await fromRaster(plain({ width: 120, height: 80 }, [90, 60, 30]))
    .jpeg()
    .toBuffer();
  for (let i = 0; i < 6; i++) writeFileSync(at('in', `${i}.jpg`), photo);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (...names: readonly string[]): string => path.join(folder, ...names);
const written = (): string[] => readdirSync(at('out')).sort();

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

function run(args: readonly string[], stdout: 'pipe' | number, onStart?: (child: ChildProcess) => void) {
  return new Promise<Ended>((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [projectFile('dist', 'src', 'cli', 'main.js'), '--engine', 'centre', '-a', '1:1', ...args],
      { cwd: folder, stdio: ['ignore', stdout, 'pipe'] },
    );
    onStart?.(child);
    let stderr = '';
    child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stderr }));
  });
}

describe('a reader of stdout that has seen enough', () => {
  const closed = (...args: readonly string[]): Promise<Ended> => run(args, 'pipe', (child) => child.stdout!.destroy());

  test('stops no run that writes files', async () => {
    expect(await closed('-o', 'out/', 'in')).toEqual({ code: 0, stderr: '' });
    const crops = Array.from({ length: 6 }, (_, i) => `${i}-1x1.jpg`);
    expect(written().filter((name) => !name.startsWith('.'))).toEqual(crops);
    expect(written().filter((name) => name.endsWith('.lock'))).toEqual([]);
  });

  test('stops no report of a dry run', async () => {
    expect(await closed('--dry-run', '--report', 'r.html', 'in')).toEqual({ code: 0, stderr: '' });
    expect(existsSync(at('r.html'))).toBe(true);
  });

  test('ends a run that only says what it would do, without an error', async () => {
    expect(await closed('--dry-run', '--verbose', 'in')).toMatchObject({ code: 0 });
    expect(await closed('-o', '-', 'in/0.jpg')).toEqual({ code: 0, stderr: '' });
  });

  test('of stderr too stops no run that writes files', async () => {
    const bothClosed = (child: ChildProcess): void => {
      child.stdout!.destroy();
      child.stderr!.destroy();
    };
    writeFileSync(at('in', '0.jpg'), 'no photo');
    expect((await run(['-o', 'out/', 'in'], 'pipe', bothClosed)).code).toBe(4);
    expect(written().filter((name) => name.endsWith('.jpg'))).toHaveLength(5);
  });
});

declareWhere(existsSync('/dev/full'), 'a full disk behind stdout', '/dev/full', () => {
  describe('a full disk behind stdout', () => {
    const ERROR = /^framewright: cannot write to stdout: ENOSPC.*\[OUTPUT_WRITE\]\n$/;
    const full = async (...args: readonly string[]): Promise<Ended> => {
      const device = openSync('/dev/full', 'w');
      try {
        return await run(args, device);
      } finally {
        closeSync(device);
      }
    };

    test.each([
      ['of rectangles', ['--dry-run', 'in']],
      ['of JSON', ['--dry-run', '--json', 'in']],
      ['of a crop', ['-o', '-', 'in/0.jpg']],
    ])('is told in one line, %s', async (_, args) => {
      const { code, stderr } = await full(...args);
      expect(code).toBe(1);
      expect(stderr).toMatch(ERROR);
    });

    test('is told once where files are made, all of which are', async () => {
      const { code, stderr } = await full('-o', 'out/', 'in');
      expect(code).toBe(1);
      expect(stderr).toMatch(ERROR);
      expect(written().filter((name) => name.endsWith('.jpg'))).toHaveLength(6);
    });
  });
});
