import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { batchProgress } from '../../../src/cli/terminal/batch-progress.js';
import { deferred } from '../../../src/runtime/deferred.js';
import { examplePhoto, projectFile } from '../../support/photos.js';
import { framewright, type Finished, type RunOptions } from '../run.js';
import { canMount, mountSmallDisk, unmount } from '../../support/small-disk.js';
import { declareWhere } from '../../support/system-tools.js';

const N = 6;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-stopped-'));
  mkdirSync(at('in'));
  for (let i = 0; i < N; i++) copyFileSync(examplePhoto('pagoda'), at('in', `${i}.jpg`));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const PHOTOS = Array.from({ length: N }, (_, i) => `in/${i}.jpg`);
const at = (...names: readonly string[]): string => path.join(folder, ...names);
const full = (args: readonly string[], options: RunOptions = {}): Promise<Finished> =>
  framewright(['--engine', 'full', '-o', 'out', ...args], { cwd: folder, ...options });
const written = (): string[] => readdirSync(at('out')).filter((name) => !name.startsWith('.'));
const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** The run waits for photo 2 until the gate is opened, so that one knows where it is. */
const held = (args: readonly string[], options: RunOptions = {}): Promise<Finished> => {
  expect(spawnSync('mkfifo', [at('gate')]).status).toBe(0);
  return full(args, {
    ...options,
    env: {
      NODE_OPTIONS: `--require ${projectFile('test', 'support', 'hold-file.cjs')}`,
      FRAMEWRIGHT_TEST_HELD: 'in/2.jpg',
      FRAMEWRIGHT_TEST_GATE: at('gate'),
    },
  });
};

/** Waits until the run is at photo 2. */
const reachGate = (): Promise<FileHandle> => open(at('gate'), 'w');

declareWhere(process.platform !== 'win32', 'Ctrl-C', 'signals', () => {
  describe('Ctrl-C', () => {
    test('finishes the photo in hand and says how to go on, which then does the rest', async () => {
      const inHand = deferred<undefined>();
      const told = deferred<undefined>();
      const started = deferred<(signal: NodeJS.Signals) => void>();
      const running = held(['--verbose', ...PHOTOS], {
        onStart: started.resolve,
        onStderr: (text) => {
          if (text.includes('in/1.jpg: ')) inHand.resolve(undefined);
          if (text.includes('finishing the photo in hand; once more stops at once')) told.resolve(undefined);
        },
      });
      const gate = await reachGate();
      await inHand.promise;
      (await started.promise)('SIGINT');
      await told.promise;
      await gate.close();
      const stopped = await running;
      expect(stopped.code).toBe(130);
      expect(lines(stopped.stdout)).toEqual(['out/0-crop.jpg', 'out/1-crop.jpg', 'out/2-crop.jpg']);
      expect(written()).toHaveLength(3);
      expect(stopped.stderr).toMatch(
        /stopped with 3 of 6 photos done\nframewright: the same command with --resume goes on from here\n$/,
      );
      const resumed = await full(['--resume', ...PHOTOS]);
      expect(resumed).toMatchObject({ code: 0, stderr: 'framewright: 3 of 6 photos were done earlier\n' });
      expect(lines(resumed.stdout)).toHaveLength(N);
      expect(written()).toHaveLength(N);
    });

    test('loses no line of the review list, nor a photo of the report, that an earlier run has finished', async () => {
      const args = ['--engine', 'rules', '--min-confidence', '1', '--report', 'report.html'];
      const first = await full([...args, ...PHOTOS.slice(4)]);
      expect(first.code).toBe(0);
      const list = (): string[] => lines(readFileSync(at('out', 'review.jsonl'), 'utf8'));
      const listed = list();
      expect(listed).toHaveLength(2);
      const started = deferred<(signal: NodeJS.Signals) => void>();
      const told = deferred<undefined>();
      const running = held([...args, '--resume', ...PHOTOS], {
        onStart: started.resolve,
        onStderr: (text) => {
          if (text.includes('once more stops at once')) told.resolve(undefined);
        },
      });
      const gate = await reachGate();
      (await started.promise)('SIGINT');
      await told.promise;
      await gate.close();
      expect((await running).code).toBe(130);
      expect(list().slice(-2)).toEqual(listed);
      const page = readFileSync(at('report.html'), 'utf8');
      for (const photo of PHOTOS.slice(4)) expect(page).toContain(`"path":"${photo}"`);
    });

    test('a second time stops at once, whatever is under way, with nothing half written', async () => {
      const started = deferred<(signal: NodeJS.Signals) => void>();
      const running = held(PHOTOS, {
        onStart: started.resolve,
        onStderr: (text, kill) => {
          if (text.includes('once more')) kill('SIGINT');
        },
      });
      const gate = await reachGate();
      (await started.promise)('SIGINT');
      const stopped = await running;
      await gate.close();
      // Where the read under way never returns, the process ends by the signal, which a shell calls 130 too.
      expect([130, 'SIGINT']).toContain(stopped.code ?? stopped.signal);
      expect(stopped.stderr).toContain('--resume goes on');
      for (const name of readdirSync(at('out')))
        expect(name).toMatch(/^([01]-crop\.jpg|\.framewright-journal\.jsonl)$/);
      for (const name of written()) await sharp(readFileSync(at('out', name)), { failOn: 'warning' }).stats();
      expect(await full(['--resume', ...PHOTOS])).toMatchObject({ code: 0 });
      expect(written()).toHaveLength(N);
    });
  });
});

describe('what goes wrong on the way', () => {
  declareWhere(process.platform !== 'win32', 'photos that change during a run', 'named pipes', () => {
    test('a photo deleted and one cut short after the scan are errors of their own, listed at the end and in the JSON', async () => {
      symlinkSync(at('gone.jpg'), at('in', '6.jpg'));
      const running = held(['--json', ...PHOTOS, 'in/6.jpg']);
      const gate = await reachGate();
      unlinkSync(at('in', '4.jpg'));
      writeFileSync(at('in', '5.jpg'), readFileSync(at('in', '5.jpg')).subarray(0, 20_000));
      await gate.close();
      const { code, stdout, stderr } = await running;
      expect(code).toBe(4);
      expect(lines(stderr).slice(-7)).toEqual([
        expect.stringMatching(/^framewright: in\/4\.jpg does not exist.*\[INPUT_NOT_FOUND\]$/),
        expect.stringMatching(/^framewright: in\/5\.jpg is damaged or incomplete.*\[INPUT_CORRUPT\]$/),
        expect.stringMatching(/^framewright: in\/6\.jpg does not exist.*\[INPUT_NOT_FOUND\]$/),
        'framewright: 3 of 7 photos failed',
        '  in/4.jpg',
        '  in/5.jpg',
        '  in/6.jpg',
      ]);
      const failed = lines(stdout)
        .map((line) => JSON.parse(line) as { photo: { path: string }; error?: { code: string } })
        .filter(({ error }) => error);
      expect(failed.map(({ photo, error }) => [photo.path, error!.code])).toEqual([
        ['in/4.jpg', 'INPUT_NOT_FOUND'],
        ['in/5.jpg', 'INPUT_CORRUPT'],
        ['in/6.jpg', 'INPUT_NOT_FOUND'],
      ]);
      expect(written()).toHaveLength(4);
    });
  });

  declareWhere(canMount, 'a run whose disk becomes full', 'the right to mount one', () => {
    test.each([[[]], [['--journal', 'notes.jsonl']]])(
      'a full disk ends the run, and --resume goes on once there is room (%j)',
      async (args) => {
        mkdirSync(at('out'));
        mountSmallDisk(at('out'), '400k');
        try {
          const stopped = await full([...args, '--quality', '95', 'in']);
          expect(stopped.code).toBe(1);
          expect(stopped.stderr).toMatch(
            /--resume goes on from here\nframewright: .*(disk|space).* \[OUTPUT_WRITE\]\n$/,
          );
          const nDone = written().length;
          expect(nDone).toBeGreaterThan(0);
          expect(nDone).toBeLessThan(N);
          for (const name of written()) await sharp(readFileSync(at('out', name)), { failOn: 'warning' }).stats();
          mountSmallDisk(at('out'), '64m', { again: true });
          expect(await full([...args, '--quality', '95', '--resume', 'in'])).toMatchObject({ code: 0 });
          expect(written()).toHaveLength(N);
        } finally {
          unmount(at('out'));
        }
      },
    );
  });

  test('an output folder that cannot be written is said before any work', async () => {
    writeFileSync(at('out'), 'a file');
    const { code, stdout, stderr } = await full(['in']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^framewright: cannot write .*\[OUTPUT_WRITE\]\n$/);
  });
});

describe('the progress line', () => {
  const state = { nTotal: 100, nEarlier: 0, nDone: 0, nFailed: 0, elapsedMs: 0 };

  test.each([
    [{}, '0 of 100 photos'],
    [{ nDone: 10, elapsedMs: 5000 }, '10 of 100 photos, 2.0 a second, 45 s left'],
    [{ nDone: 10, nFailed: 3, elapsedMs: 600_000 }, '10 of 100 photos, 3 failed, 1.0 a minute, 1 h 30 min left'],
    [{ nDone: 60, nEarlier: 50, elapsedMs: 36_000_000 }, '60 of 100 photos, 1.0 an hour, 40 h 0 min left'],
    [{ nDone: 50, nEarlier: 50, elapsedMs: 1 }, '50 of 100 photos'],
    [{ nDone: 100, nFailed: 1, elapsedMs: 5000 }, '100 of 100 photos, 1 failed'],
  ])('%j is "%s"', (some, text) => {
    expect(batchProgress({ ...state, ...some })).toBe(text);
  });
});
