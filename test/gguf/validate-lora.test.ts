import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  convertLora,
  f32,
  readGguf,
  str,
  u32,
  validateLora,
  validatePair,
  writeGguf,
  writeToyPair,
  type GgufHeader,
  type GgufProblem,
  type TensorToWrite,
  type ToyPair,
} from '../../gguf/index.js';
import { openCropper } from '../../src/index.js';
import { examplePhoto, projectFile } from '../support/photos.js';
import { addTensor, changeTensor, drop, dropTensor, patchOffset, set, type Case, type Draft } from './broken.js';
import { temporaryFolder } from './temporary.js';

const folder = await temporaryFolder();
const file = path.join(folder, 'lora.gguf');
const q = 'blk.0.attn_q.weight';

let toy: ToyPair;
let base: GgufHeader;
beforeAll(async () => {
  toy = await writeToyPair(path.join(folder, 'toy'));
  base = await readGguf(toy.textPath);
});

function half(name: string, ...shape: number[]): TensorToWrite {
  return { name, type: 'F32', shape, data: 'hole' };
}

async function writeChanged(change: (draft: Draft) => void): Promise<void> {
  const draft: Draft = {
    metadata: new Map([
      ['general.architecture', str('qwen2vl')],
      ['general.type', str('adapter')],
      ['adapter.type', str('lora')],
      ['adapter.lora.alpha', f32(8)],
    ]),
    tensors: [
      half(`${q}.lora_a`, 64, 4),
      half(`${q}.lora_b`, 4, 64),
      half('blk.1.ffn_down.weight.lora_a', 128, 2),
      half('blk.1.ffn_down.weight.lora_b', 2, 64),
    ],
  };
  change(draft);
  await writeGguf(file, draft);
}

async function problemsAfter(change: (draft: Draft) => void): Promise<readonly GgufProblem[]> {
  await writeChanged(change);
  return validateLora(file, base);
}

test('an adapter of PEFT’s has no problems', async () => {
  const converted = path.join(folder, 'sft.gguf');
  await convertLora(projectFile('test', 'fixtures', 'lora', 'sft'), converted);
  expect(await validateLora(converted, base, { checkNan: true })).toEqual([]);
});

test.each([
  ['unchanged', () => undefined],
  ['without alpha', drop('adapter.lora.alpha')],
  ['halves in F16', changeTensor(`${q}.lora_a`, { type: 'F16' })],
  ['halves in Q8_0', changeTensor(`${q}.lora_a`, { type: 'Q8_0' })],
] as const)('%s: no problems', async (_, change) => {
  expect(await problemsAfter(change)).toEqual([]);
});

const cases: readonly Case[] = [
  ['a whole model', drop('general.type'), ['general.type'], /missing, must be the string "adapter"/],
  ['a control vector', set('adapter.type', str('control_vector')), ['adapter.type'], /"control_vector"/],
  ['a type of adapter that is no string', set('adapter.type', u32(1)), ['adapter.type'], /uint32, must be the string/],
  ['another architecture', set('general.architecture', str('llama')), ['general.architecture'], /"llama"/],
  ['an alpha of whole numbers', set('adapter.lora.alpha', u32(8)), ['adapter.lora.alpha'], /uint32, must be a float32/],
  [
    'numbers chosen in no way there is',
    set('framewright.numbers', str('mean')),
    ['framewright.numbers'],
    /"mean", must be/,
  ],
  ['an alpha of NaN', set('adapter.lora.alpha', f32(NaN)), ['adapter.lora.alpha'], /NaN/],
  [
    'an adapter that waits for a word',
    set('adapter.alora.invocation_tokens', { type: 'array', itemType: 'uint32', value: Uint32Array.of(1) }),
    ['adapter.alora.invocation_tokens'],
    /must be left out/,
  ],
  ['a half of I32', changeTensor(`${q}.lora_b`, { type: 'I32' }), [`tensor ${q}.lora_b`], /I32, must be of a type/],
  ['one half', dropTensor(`${q}.lora_a`), [`tensor ${q}.lora_b`], /must have the other, .*lora_a/],
  ['a norm', addTensor(half('blk.0.attn_norm.weight', 64)), ['tensor blk.0.attn_norm.weight'], /only halves/],
  [
    'a rank that differs',
    changeTensor(`${q}.lora_b`, { shape: [5, 64] }),
    [`tensor ${q}.lora_b`],
    /\[5, 64\], must be \[4, 64\], for blk\.0\.attn_q\.weight of \[64, 64\] in .*model\.gguf/,
  ],
  [
    'a third dimension',
    changeTensor(`${q}.lora_a`, { shape: [64, 4, 2] }),
    [`tensor ${q}.lora_a`],
    /\[64, 4, 2\], must be \[64, 4\]/,
  ],
  [
    'a matrix the model has not',
    (draft) => draft.tensors.push(half('blk.9.attn_q.weight.lora_a', 64, 4), half('blk.9.attn_q.weight.lora_b', 4, 64)),
    ['tensor blk.9.attn_q.weight.lora_a'],
    /which is not there, must be for a tensor of/,
  ],
  [
    'embeddings, which are the output matrix too',
    (draft) => draft.tensors.push(half('token_embd.weight.lora_a', 4, 270), half('token_embd.weight.lora_b', 4, 64)),
    ['tensor token_embd.weight.lora_a'],
    /only the matrices of layers and output/,
  ],
  ['nothing', (draft) => (draft.tensors = []), ['file'], /no tensors/],
];

describe('what llama.cpp would crash on, refuse or leave out is a problem', () => {
  test.each(cases)('%s', async (_, change, wheres, message) => {
    const problems = await problemsAfter(change);
    expect(problems.map(({ where }) => where)).toEqual(wheres);
    expect(problems[0]?.message).toMatch(message);
    expect(problems[0]?.message).toContain(file);
  });

  test('data past the end of the file', async () => {
    await writeChanged(() => undefined);
    await patchOffset(file, `${q}.lora_b`, 2, 1 << 20);
    expect((await validateLora(file, base)).map(({ code }) => code)).toContain('TRUNCATED');
  });
});

test('an adapter is checked with its pair', async () => {
  await writeChanged(set('adapter.lora.alpha', u32(8)));
  const problems = await validatePair(toy.textPath, toy.mmprojPath, { loras: [file] });
  expect(problems.map(({ where, path: of }) => [of, where])).toEqual([[file, 'adapter.lora.alpha']]);
});

test.each([
  ['an alpha of whole numbers', set('adapter.lora.alpha', u32(8)), 'MODEL_INVALID'],
  ['a type that is no string', set('adapter.type', u32(1)), 'MODEL_INVALID'],
  ['halves of I32', changeTensor(`${q}.lora_a`, { type: 'I32' }), 'MODEL_INVALID'],
  ['control vectors', set('adapter.type', str('control_vector')), 'MODEL_UNSUPPORTED'],
] as const)('a cropper with an adapter with %s is refused before llama.cpp sees it', async (_, change, code) => {
  await writeChanged(change);
  const opening = openCropper({ model: toy.textPath, mmproj: toy.mmprojPath, gpu: 'cpu', loras: [{ path: file }] });
  await expect(opening).rejects.toMatchObject({ code, message: expect.stringContaining(file) as string });
});

test('a cropper with a sound adapter crops', async () => {
  await writeChanged(() => undefined);
  await using cropper = await openCropper({
    model: toy.textPath,
    mmproj: toy.mmprojPath,
    gpu: 'cpu',
    loras: [{ path: file }],
  });
  expect(await cropper.analyse(examplePhoto('pagoda'))).toBeDefined();
});
