import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readGguf } from '../../../gguf/index.js';
import { writeExport } from '../../train/native/export-folder.js';
import { readCheckpoint } from '../../../src/train/native/checkpoint.js';
import { framewright, type Finished, type RunOptions } from '../run.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'framewright-train-cli-'));
  await writeExport(join(root, 'export'), 4, 2);
});
afterAll(() => rm(root, { recursive: true }));

const SMALL = ['--threads', '1', '--rank', '2', '--batch', '2', '--steps', '2', '--learning-rate', '1e-3'];

const STEPS = ['--steps', '8', '--every', '2'];

/** Kills the command some time after a file is there, as a power cut would end it. */
function killedSoonAfter(file: string, delayMs: number): RunOptions {
  return {
    onStart: (kill) => {
      const timer = setInterval(() => {
        if (!existsSync(file)) return;
        clearInterval(timer);
        setTimeout(() => kill('SIGKILL'), delayMs).unref();
      }, 5);
      timer.unref();
    },
  };
}

/** All tensors of an adapter as they lie in its file; its metadata tells how long it took. */
async function weightsOf(file: string): Promise<Buffer> {
  const { dataStart } = await readGguf(file);
  return (await readFile(file)).subarray(dataStart);
}

/** The end of the command when it is told to stop as soon as a file is there. */
async function stoppedAt(file: string, args: readonly string[]): Promise<Finished> {
  let timer: NodeJS.Timeout | undefined;
  const finished = framewright(args, {
    onStart: (kill) => {
      timer = setInterval(() => {
        if (existsSync(file)) kill('SIGINT');
      }, 20);
    },
    onStderr: (text) => {
      if (text.includes('stopping')) clearInterval(timer);
    },
  });
  return finished.finally(() => clearInterval(timer));
}

describe('framewright train', () => {
  test('sft says what a run takes and writes nothing in a dry run', async () => {
    const output = join(root, 'dry.gguf');
    const args = ['train', 'sft', '--dry-run', ...SMALL, '-o', output, join(root, 'export')];
    const { code, stderr } = await framewright(args);
    expect(code).toBe(0);
    expect(stderr).toMatch(/4 conversations to learn from, 2 held out; 2 steps/);
    expect(stderr).toMatch(/on the CPU, 1 thread/);
    expect(stderr).toMatch(/together .* of .* that are free/);
    expect(existsSync(output)).toBe(false);
  });

  test('sft and then dpo leave adapters, and say whether they helped', async () => {
    const [sft, dpo] = ['sft.gguf', 'dpo.gguf'].map((name) => join(root, name)) as [string, string];
    const first = await framewright(['train', 'sft', ...SMALL, '-o', sft, join(root, 'export')]);
    expect(first.stderr).toMatch(/before, .* now; change .* \[.*\]: /);
    const options = ['--json', '--threads', '1', '--steps', '1', '--lora', sft, '-o', dpo];
    const second = await framewright(['train', 'dpo', ...options, join(root, 'export')]);
    expect(second.code).toBe(0);
    const told = JSON.parse(second.stdout) as { adapter: string; page: string; nSteps: number };
    expect(told).toMatchObject({ adapter: dpo, nSteps: 1 });
    expect(second.stderr).toMatch(
      /now; change .*\n.*against the model without any adapter, .* now; change .* \[.*\]: /,
    );
    expect(await readFile(told.page, 'utf8')).toContain('Direct preference optimization');
  });

  test('says what to do where a checkpoint is in the way', async () => {
    const args = ['train', 'sft', ...SMALL, '-o', join(root, 'sft.gguf'), join(root, 'export')];
    const { code, stderr } = await framewright(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/\[OUTPUT_EXISTS\]/);
  });

  test('keeps a checkpoint on Ctrl-C and says how to go on', async () => {
    const output = join(root, 'stopped.gguf');
    const args = ['train', 'sft', ...SMALL, '--steps', '9999', '--every', '1', '-o', output, join(root, 'export')];
    const { code, signal, stderr } = await stoppedAt(join(root, 'stopped-training', 'curves.html'), args);
    expect(signal ?? code).not.toBe(0);
    expect(stderr).toMatch(/the same command with --resume goes on/);
    expect(existsSync(output)).toBe(false);
    const { progress } = await readCheckpoint(join(root, 'stopped-training', 'checkpoint.gguf'));
    expect(progress.step).toBeGreaterThan(0);
  });

  test('killed at a random step and resumed ends with the same weights as uninterrupted', async () => {
    const run = (name: string, more: readonly string[], options: RunOptions = {}): Promise<Finished> => {
      const output = join(root, `${name}.gguf`);
      return framewright(['train', 'sft', ...SMALL, ...STEPS, ...more, '-o', output, join(root, 'export')], options);
    };
    expect((await run('whole', [])).code).toBe(0);
    const checkpoint = join(root, 'killed-training', 'checkpoint.gguf');
    const killed = await run('killed', [], killedSoonAfter(checkpoint, 400 * Math.random()));
    expect(killed.signal).toBe('SIGKILL');
    const { progress } = await readCheckpoint(checkpoint);
    expect(progress.step).toBeGreaterThan(0);
    expect(progress.step).toBeLessThan(8);
    expect(existsSync(join(root, 'killed.gguf'))).toBe(false);
    expect((await run('killed', ['--resume'])).code).toBe(0);
    const [whole, resumed] = await Promise.all(
      ['whole', 'killed'].map((name) => weightsOf(join(root, `${name}.gguf`))),
    );
    expect(resumed!.equals(whole!)).toBe(true);
    // Three runs of the command, which may share the machine.
  }, 180_000);
});
