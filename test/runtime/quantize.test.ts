import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readGguf, validateText, writeToyPair } from '../../gguf/index.js';
import { quantizeModel } from '../../src/runtime/quantize.js';
import { framewright } from '../cli/run.js';

const folder = await mkdtemp(path.join(tmpdir(), 'framewright-quantize-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const at = (name: string): string => path.join(folder, name);

const { textPath } = await writeToyPair(at('toy'), {
  type: 'F16',
  text: { nEmbd: 256, nFf: 512, nHead: 4, nLayer: 4 },
});

test.each([
  ['Q8_0', 'Q8_0'],
  ['Q6_K', 'Q6_K'],
  ['Q4_K_M', 'Q4_K'],
] as const)('a model in %s is sound, smaller, and made of %s', async (type, matrix) => {
  const file = at(`${type}.gguf`);
  const seen: number[] = [];
  await quantizeModel(textPath, file, { type, threads: 1, onProgress: (fraction) => seen.push(fraction) });
  expect(await validateText(file)).toEqual([]);
  const [from, to] = [await readGguf(textPath), await readGguf(file)];
  expect(to.fileBytes).toBeLessThan(0.7 * from.fileBytes);
  expect(to.tensors.find(({ name }) => name === 'blk.1.ffn_up.weight')!.type).toBe(matrix);
  expect(seen.at(-1)).toBe(1);
});

test('what is quantised already is refused with llama.cpp’s reason, and taken when asked for; nothing stays of a failure', async () => {
  await quantizeModel(textPath, at('q8.gguf'), { type: 'Q8_0', threads: 1 });
  await expect(quantizeModel(at('q8.gguf'), at('q4.gguf'), { type: 'Q4_0', threads: 1 })).rejects.toMatchObject({
    code: 'MODEL_UNSUPPORTED',
    message: expect.stringMatching(/^cannot quantise .*q8\.gguf: .*requantizing from type q8_0 is disabled/) as string,
  });
  await writeFile(at('no.gguf'), 'no model');
  await expect(quantizeModel(at('no.gguf'), at('q4.gguf'), { type: 'Q4_0' })).rejects.toMatchObject({
    code: 'MODEL_UNSUPPORTED',
  });
  expect((await readdir(folder)).filter((name) => name.startsWith('q4') || name.endsWith('.tmp'))).toEqual([]);
  await quantizeModel(at('q8.gguf'), at('q4.gguf'), { type: 'Q4_0', threads: 1, allowRequantize: true });
  expect(existsSync(at('q4.gguf'))).toBe(true);
});

test('is cancelled between tensors, and the process goes on', async () => {
  const stop = new AbortController();
  const reason = new Error('enough');
  const cancelled = quantizeModel(textPath, at('never.gguf'), {
    type: 'Q4_K_M',
    threads: 1,
    signal: stop.signal,
    onProgress: () => stop.abort(reason),
  });
  await expect(cancelled).rejects.toBe(reason);
  expect((await readdir(folder)).filter((name) => name.startsWith('never'))).toEqual([]);
  await expect(quantizeModel(textPath, at('never.gguf'), { type: 'Q8_0', signal: stop.signal })).rejects.toBe(reason);
  await quantizeModel(textPath, at('after.gguf'), { type: 'Q8_0', threads: 1 });
});

test('on the command line a PEFT adapter becomes a smaller model of one’s own', async () => {
  const { textPath: base } = await writeToyPair(at('base'));
  const sft = path.resolve('test/fixtures/lora/sft');
  const converted = await framewright(['gguf', 'lora-convert', sft, '--base', base, '-o', at('sft.gguf')]);
  expect(converted).toMatchObject({
    code: 0,
    stdout: `${at('sft.gguf')}\n`,
    stderr: expect.stringMatching(/14 matrices, rank 4, alpha 8/) as string,
  });
  const merged = await framewright(['gguf', 'lora-merge', base, `${at('sft.gguf')}:0.5`, '-o', at('own.gguf')]);
  expect(merged).toMatchObject({
    code: 0,
    stdout: `${at('own.gguf')}\n`,
    stderr: expect.stringMatching(/blk\.1\.ffn_up\.weight +F32 +\d\.\d\de-\d/) as string,
  });
  const quantised = await framewright(['gguf', 'quantize', at('own.gguf'), 'q8_0', '-o', at('own-q8.gguf')]);
  expect(quantised).toMatchObject({ code: 0, stdout: `${at('own-q8.gguf')}\n` });
  expect((await framewright(['gguf', 'quantize', at('own.gguf'), 'q8_0', '-o', at('own-q8.gguf')])).code).toBe(2);
  expect((await framewright(['gguf', 'quantize', at('own.gguf'), 'q8_0', '-o', at('own.gguf'), '--force'])).code).toBe(
    2,
  );
  const wrong = await framewright([
    'gguf',
    'quantize',
    path.join(folder, 'toy', 'mmproj.gguf'),
    'q8_0',
    '-o',
    at('x.gguf'),
  ]);
  expect(wrong).toMatchObject({ code: 3, stderr: expect.stringMatching(/this is a vision \(mmproj\) file/) as string });
});
