import { open, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  readGguf,
  requireValidPair,
  validateMmproj,
  validatePair,
  validateText,
  writeToyPair,
} from '../../gguf/index.js';
import { addTensor, patchOffset, problemsAfter } from './broken.js';
import { temporaryFolder } from './temporary.js';

const folder = await temporaryFolder();

describe('tensor data', () => {
  test('that begins too early, inside its neighbour, is a problem', async () => {
    const { textPath } = await writeToyPair(path.join(folder, 'offsets'), { sparse: true });
    const { tensors } = await readGguf(textPath);
    await patchOffset(textPath, 'blk.0.attn_q.weight', 2, tensors[2]!.offset);
    const problems = await validateText(textPath);
    expect(problems.map(({ where }) => where)).toEqual(['tensor blk.0.attn_q.weight']);
    expect(problems[0]!.message).toMatch(/data at offset \d+, must begin at \d+, right after blk.0.attn_norm.weight/);
  });

  test('off its alignment is a problem', async () => {
    const { textPath } = await writeToyPair(path.join(folder, 'offsets'), { sparse: true });
    const { tensors } = await readGguf(textPath);
    await patchOffset(textPath, 'output_norm.weight', 1, tensors[1]!.offset + 4);
    expect((await validateText(textPath)).map(({ where }) => where)).toEqual(['tensor output_norm.weight']);
  });

  test('far past the end of the file is two problems: out of order, and cut off', async () => {
    const { textPath } = await writeToyPair(path.join(folder, 'offsets'), { sparse: true });
    await patchOffset(textPath, 'output_norm.weight', 1, 2 ** 40);
    const problems = await validateText(textPath);
    expect(problems.map(({ code }) => code)).toEqual(['INVALID', 'TRUNCATED']);
  });

  test('cut off by an interrupted download is a problem of each tensor it hits', async () => {
    const { mmprojPath } = await writeToyPair(path.join(folder, 'cut'), { sparse: true });
    const { fileBytes } = await readGguf(mmprojPath);
    await truncate(mmprojPath, fileBytes - 200);
    const problems = await validateMmproj(mmprojPath);
    expect(problems.map(({ where, code }) => [where, code])).toEqual([['tensor mm.2.bias', 'TRUNCATED']]);
    expect(problems[0]!.message).toMatch(/must end within the file's \d+ bytes/);
  });
});

describe('a pair', () => {
  test('of different models is a problem', async () => {
    const { textPath } = await writeToyPair(path.join(folder, 'one'), { sparse: true });
    const { mmprojPath } = await writeToyPair(path.join(folder, 'two'), { sparse: true, text: { nEmbd: 128 } });
    const problems = await validatePair(textPath, mmprojPath);
    expect(problems.map(({ where, found }) => [where, found])).toEqual([['clip.vision.projection_dim', '128']]);
    expect(problems[0]!.message).toMatch(/embedding_length 64: the files are of different models/);
  });

  test('that is swapped is told so, with the code of an unsupported kind', async () => {
    const { textPath, mmprojPath } = await writeToyPair(path.join(folder, 'one'), { sparse: true });
    const problems = await validatePair(mmprojPath, textPath);
    expect(problems.map(({ code }) => code)).toEqual(['UNSUPPORTED', 'UNSUPPORTED']);
    await expect(requireValidPair(mmprojPath, textPath)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  test('that is sound gives its headers and sizes', async () => {
    const { textPath, mmprojPath } = await writeToyPair(path.join(folder, 'one'), { sparse: true });
    const pair = await requireValidPair(textPath, mmprojPath);
    expect(pair.textSizes).toEqual({
      headSize: 32,
      nDeepstack: 0,
      nEmbd: 64,
      nLayer: 2,
      nHead: 2,
      nHeadKv: 1,
      nFf: 128,
      nCtx: 8192,
    });
    expect(pair.visionSizes).toMatchObject({ nEmbd: 64, nWaPattern: 2, projectionDim: 64 });
    expect(pair.text.tensors).toHaveLength(26);
  });

  test('with many problems is refused in one line that names three and counts the rest', async () => {
    const { textPath, mmprojPath } = await writeToyPair(path.join(folder, 'cut'), { sparse: true });
    await truncate(textPath, 10_000);
    await expect(requireValidPair(textPath, mmprojPath)).rejects.toThrow(/^[^\n]*; and \d+ more$/);
  });

  test('of which one is no GGUF file is a problem of that file', async () => {
    const { textPath } = await writeToyPair(path.join(folder, 'one'), { sparse: true });
    const readme = path.join(folder, 'README.md');
    await writeFile(readme, '# not a model, but long enough to be one');
    const problems = await validatePair(textPath, readme);
    expect(problems.map(({ path: file, code }) => [file, code])).toEqual([[readme, 'NOT_GGUF']]);
    expect(problems[0]!.message).toBe(`${readme}: it does not begin with "GGUF"; it must be a readable GGUF file`);
  });

  test('of which one does not exist is an IO error', async () => {
    const { textPath } = await writeToyPair(path.join(folder, 'one'), { sparse: true });
    await expect(validatePair(textPath, path.join(folder, 'nope.gguf'))).rejects.toMatchObject({ code: 'IO' });
  });
});

describe('NaN check', () => {
  test.each(['F32', 'F16', 'Q8_0'] as const)('a NaN among %s weights is found on demand only', async (type) => {
    const { textPath } = await writeToyPair(path.join(folder, `nan-${type}`), { type });
    const header = await readGguf(textPath);
    const tensor = header.tensors.find(({ name }) => name === 'blk.1.ffn_up.weight')!;
    const handle = await open(textPath, 'r+');
    const at = header.dataStart + tensor.offset + (type === 'F32' ? 4000 : type === 'F16' ? 2000 : 34 * 10);
    await handle.write(type === 'F32' ? Buffer.of(0, 0, 0xc0, 0x7f) : Buffer.of(0, 0x7e), 0, null, at);
    await handle.close();
    expect(await validateText(textPath)).toEqual([]);
    const problems = await validateText(textPath, { checkNan: true });
    expect(problems.map(({ where }) => where)).toEqual(['tensor blk.1.ffn_up.weight']);
    expect(problems[0]!.message).toContain(`NaN or infinity in 1 blocks of ${type}`);
  });

  test('is stopped by an abort with its reason', async () => {
    const { textPath } = await writeToyPair(path.join(folder, 'one'), {});
    const reason = new Error('enough');
    const options = { checkNan: true, signal: AbortSignal.abort(reason) };
    await expect(validateText(textPath, options)).rejects.toBe(reason);
  });
});

test('what a hostile file is called by cannot steer the terminal', async () => {
  const problems = await problemsAfter(folder, 'text', addTensor({ name: '\u001b[2Jx\n', type: 'F32', shape: [1] }));
  expect(problems[0]!.message).toContain(String.raw`tensor \u001b[2Jx\u000a`);
});
