import { Command } from 'commander';
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi, type MockInstance } from 'vitest';
import { convertLora, writeToyPair } from '../../../gguf/index.js';
import { addGgufCommand } from '../../../src/cli/commands/gguf.js';
import { projectFile } from '../../support/photos.js';

const folder = await mkdtemp(path.join(tmpdir(), 'framewright-cli-gguf-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

let stdout: MockInstance<typeof process.stdout.write>;
beforeEach(() => {
  stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(() => stdout.mockRestore());

/** Runs `framewright gguf ...`; what it printed, line by line. */
async function run(...args: readonly string[]): Promise<string[]> {
  const program = new Command('framewright').exitOverride().configureOutput({ writeErr: () => undefined });
  addGgufCommand(program);
  await program.parseAsync(['gguf', ...args], { from: 'user' });
  return printed();
}

function printed(): string[] {
  const text = stdout.mock.calls.map(([chunk]) => String(chunk)).join('');
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

const at = (...names: string[]): string => path.join(folder, ...names);

test('toy prints the two files it wrote, and validate finds nothing wrong with them', async () => {
  expect(await run('toy', at('pair'))).toEqual([at('pair', 'model.gguf'), at('pair', 'mmproj.gguf')]);
  stdout.mockClear();
  const [model, mmproj] = [at('pair', 'model.gguf'), at('pair', 'mmproj.gguf')];
  expect(await run('validate', model, mmproj, '--nan')).toEqual([`${model} and ${mmproj}: no problems`]);
  stdout.mockClear();
  expect(await run('validate', mmproj)).toEqual([`${mmproj}: no problems`]);
});

test('validate takes adapters, and says what keeps one from the model', async () => {
  await run('toy', at('base'));
  stdout.mockClear();
  const [model, mmproj] = [at('base', 'model.gguf'), at('base', 'mmproj.gguf')];
  await expect(run('validate', model, mmproj, '--lora', model)).rejects.toMatchObject({
    code: 'MODEL_UNSUPPORTED',
    message: `one problem in ${model} and ${mmproj} and ${model}`,
  });
  expect(printed()[0]).toMatch(/model\.gguf: general\.type: "model", must be the string "adapter"/);
});

test('toy takes sizes, type and seed', async () => {
  await run('toy', at('sized'), '--dims', 'text.nLayer=3', '--dims', 'text.tied=false', '--type', 'F16', '--seed', 'x');
  stdout.mockClear();
  const [line] = await run('inspect', at('sized', 'model.gguf'), '--json', '--tensors');
  const summary = JSON.parse(line!) as { tensors: { name: string; type: string }[] };
  expect(summary.tensors).toContainEqual(expect.objectContaining({ name: 'output.weight', type: 'F16' }));
  expect(summary.tensors.map(({ name }) => name)).toContain('blk.2.attn_q.weight');
});

test('toy overwrites nothing without --force', async () => {
  await run('toy', at('kept'));
  await writeFile(at('kept', 'model.gguf'), 'mine');
  await expect(run('toy', at('kept'))).rejects.toMatchObject({
    code: 'OUTPUT_EXISTS',
    message: `${at('kept', 'model.gguf')} exists; overwrite it with --force`,
  });
  expect(await readFile(at('kept', 'model.gguf'), 'utf8')).toBe('mine');
  await run('toy', at('kept'), '--force');
  expect((await stat(at('kept', 'model.gguf'))).size).toBeGreaterThan(100_000);
});

test.each([
  [['--dims', 'text.nHead=3'], { code: 'USAGE' }],
  [['--dims', 'text.nothing=3'], { code: 'commander.invalidArgument' }],
  [['--dims', 'text.tied=3'], { code: 'commander.invalidArgument' }],
  [['--preset', 'huge'], { code: 'commander.invalidArgument' }],
])('toy with %j is a usage error', async (args, error) => {
  await expect(run('toy', at('never'), ...args)).rejects.toMatchObject(error);
});

test('inspect prints text, or one JSON object without the tensors', async () => {
  await run('toy', at('seen'));
  stdout.mockClear();
  expect((await run('inspect', at('seen', 'mmproj.gguf'))).join('\n')).toContain('clip.projector_type');
  stdout.mockClear();
  const lines = await run('inspect', at('seen', 'mmproj.gguf'), '--json');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({ architecture: 'clip', nTensors: 39 });
  expect(JSON.parse(lines[0]!)).not.toHaveProperty('tensors');
});

test('validate prints each problem and then fails as an invalid model', async () => {
  await run('toy', at('cut'));
  stdout.mockClear();
  await truncate(at('cut', 'model.gguf'), 300_000);
  const [model, mmproj] = [at('cut', 'model.gguf'), at('cut', 'mmproj.gguf')];
  await expect(run('validate', model, mmproj)).rejects.toMatchObject({
    code: 'MODEL_INVALID',
    message: expect.stringMatching(/^\d+ problems in .*model.gguf and .*mmproj.gguf$/) as string,
  });
  const lines = printed();
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.every((line) => line.startsWith(`${model}: tensor `))).toBe(true);

  stdout.mockClear();
  await expect(run('validate', model, '--json')).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  const report = JSON.parse(printed()[0]!) as { valid: boolean; problems: { code: string; where: string }[] };
  expect(report.valid).toBe(false);
  expect(report.problems[0]).toMatchObject({ code: 'TRUNCATED', where: expect.stringContaining('tensor') as string });
});

test('validate says of a sound file of another kind that it is unsupported', async () => {
  await run('toy', at('swapped'));
  const swapped = run('validate', at('swapped', 'mmproj.gguf'), at('swapped', 'model.gguf'));
  await expect(swapped).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
});

test('a file that is no GGUF is a problem for validate and an error for inspect', async () => {
  await writeFile(at('notes.txt'), 'these are only some notes about models');
  await expect(run('validate', at('notes.txt'))).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  expect(printed()).toEqual([`${at('notes.txt')}: it does not begin with "GGUF"; it must be a readable GGUF file`]);
  await expect(run('inspect', at('notes.txt'))).rejects.toMatchObject({ name: 'GgufError', code: 'NOT_GGUF' });
  await expect(run('inspect', at('nothing.gguf'))).rejects.toMatchObject({ name: 'GgufError', code: 'IO' });
});

test.each(['I8', 'I32', 'F64', 'Q8_K', 'Q8_1'])(
  'lora-merge takes no --type %s, which no matrix can have',
  async (type) => {
    const merge = run('lora-merge', at('m.gguf'), at('a.gguf'), '-o', at('out.gguf'), '--type', type);
    await expect(merge).rejects.toMatchObject({ code: 'commander.invalidArgument' });
  },
);

test('convert prints the pair it makes, which validates, overwrites on --force alone, and says what it does not take', async () => {
  const checkpoint = projectFile('test', 'fixtures', 'convert', 'qwen3-vl');
  await run('convert', checkpoint, '--out', at('converted'), '--type', 'BF16', '--mmproj-type', 'F32');
  const files = [at('converted', 'qwen3-vl-BF16.gguf'), at('converted', 'mmproj-qwen3-vl-F32.gguf')] as const;
  expect(printed()).toEqual(files);
  await run('validate', ...files, '--nan');
  await expect(run('convert', checkpoint, '--out', at('converted'), '--type', 'BF16')).rejects.toMatchObject({
    code: 'OUTPUT_EXISTS',
  });
  await run('convert', checkpoint, '--out', at('converted'), '--type', 'BF16', '--force');
  await expect(run('convert', at('converted'), '--out', at('converted'))).rejects.toMatchObject({ code: 'IO' });
  const adapter = projectFile('test', 'fixtures', 'lora', 'sft');
  await expect(run('convert', adapter, '--out', at('converted'))).rejects.toThrow(/config\.json/);
});

describe('what cannot be written is an error of the output', () => {
  const sft = projectFile('test', 'fixtures', 'lora', 'sft');
  let model: string;
  beforeAll(async () => {
    ({ textPath: model } = await writeToyPair(at('writing')));
    await convertLora(sft, at('writing', 'sft.gguf'));
  });
  const commands: readonly (readonly [string, () => readonly string[]])[] = [
    ['lora-convert', () => [sft]],
    ['lora-merge', () => [model, at('writing', 'sft.gguf')]],
    ['quantize', () => [model, 'Q8_0']],
  ];

  test.each(commands)('by %s, into a folder that is not there', async (command, args) => {
    await expect(run(command, ...args(), '-o', at('nowhere', 'x.gguf'))).rejects.toMatchObject({
      code: 'OUTPUT_WRITE',
      message: expect.stringContaining(`${at('nowhere')} does not exist`) as string,
    });
  });

  // The unfinished file's name is longer still.
  test.each(commands.slice(0, 2))('by %s, once it is being written', async (command, args) => {
    const output = at('writing', `${'x'.repeat(245)}.gguf`);
    await expect(run(command, ...args(), '-o', output)).rejects.toMatchObject({ code: 'OUTPUT_WRITE' });
  });

  test.each(commands)('by %s, over a file without --force', async (command, args) => {
    await expect(run(command, ...args(), '-o', at('writing', 'mmproj.gguf'))).rejects.toMatchObject({
      code: 'OUTPUT_EXISTS',
    });
  });
});
