import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  FAMILIES,
  QWEN2VL_SHAPES,
  QWEN35_SHAPES,
  QWEN3VLMOE_SHAPES,
  QWEN3VL_SHAPES,
  decodeTensor,
  describeToyPair,
  inspectGguf,
  readGguf,
  readTensor,
  ropeSections,
  validatePair,
  writeToyPair,
  type FamilyName,
  type GgufHeader,
  type ToyOptions,
  type ToyPreset,
} from '../../gguf/index.js';
import { temporaryFolder } from './temporary.js';

const folder = await temporaryFolder();

async function sha256(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}

async function shaOfPair(name: string, options: ToyOptions): Promise<string[]> {
  const { textPath, mmprojPath } = await writeToyPair(path.join(folder, name), options);
  return [await sha256(textPath), await sha256(mmprojPath)];
}

async function floatsOf(header: GgufHeader, name: string): Promise<Float32Array> {
  const tensor = header.tensors.find((candidate) => candidate.name === name)!;
  return decodeTensor(tensor.type, await readTensor(header, tensor));
}

const TINY = (Object.keys(FAMILIES) as FamilyName[]).flatMap((family) =>
  (['F32', 'F16', 'Q8_0'] as const).map((type) => ({ family, type })),
);

describe.each(TINY)('a tiny $family in $type', ({ family, type }) => {
  const name = `${family}-${type}`;

  test('is valid down to its weights, and the same for the same seed only', async () => {
    const { textPath, mmprojPath } = await writeToyPair(path.join(folder, name), { family, type, seed: 7 });
    expect(await validatePair(textPath, mmprojPath, { checkNan: true })).toEqual([]);
    const again = await shaOfPair(`${name}-again`, { family, type, seed: 7 });
    expect([await sha256(textPath), await sha256(mmprojPath)]).toEqual(again);
    const other = await shaOfPair(`${name}-other`, { family, type, seed: 8 });
    expect(other[0]).not.toBe(again[0]);
    expect(other[1]).not.toBe(again[1]);
  });

  test('keeps norms and biases in F32 and everything else in its type', async () => {
    const header = await readGguf(path.join(folder, name, 'model.gguf'));
    const types = new Set(
      header.tensors
        .filter(({ name, shape }) => shape.length > 1 && !/gate_inp|conv1d/.test(name))
        .map((tensor) => tensor.type),
    );
    expect([...types]).toEqual([type]);
    expect(header.tensors.filter(({ shape }) => shape.length === 1).every((t) => t.type === 'F32')).toBe(true);
  });
});

test('the smallest pair in F32 takes less than 2 MB', async () => {
  const { textPath, mmprojPath } = await writeToyPair(path.join(folder, 'smallest'), { seed: 7 });
  expect((await stat(textPath)).size + (await stat(mmprojPath)).size).toBeLessThan(2_000_000);
});

test('no row of a matrix is zero, and the weights have the spread asked for', async () => {
  const { textPath } = await writeToyPair(path.join(folder, 'spread'), { type: 'Q8_0', initScale: 2 });
  const header = await readGguf(textPath);
  for (const [name, nIn] of [
    ['blk.0.attn_q.weight', 64],
    ['blk.1.ffn_down.weight', 128],
  ] as const) {
    const values = await floatsOf(header, name);
    for (let row = 0; row < values.length; row += nIn) {
      expect(values.subarray(row, row + nIn).some((value) => value !== 0)).toBe(true);
    }
    const std = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    expect(std * Math.sqrt(nIn)).toBeCloseTo(2, 0);
  }
});

test('a row that is no whole number of Q8_0 blocks stays F16', async () => {
  const { textPath, mmprojPath } = await writeToyPair(path.join(folder, 'odd'), { type: 'Q8_0', text: { nFf: 100 } });
  const header = await readGguf(textPath);
  expect(header.tensors.find(({ name }) => name === 'blk.0.ffn_down.weight')).toMatchObject({ type: 'F16' });
  expect(header.tensors.find(({ name }) => name === 'blk.0.ffn_up.weight')).toMatchObject({ type: 'Q8_0' });
  expect(await validatePair(textPath, mmprojPath)).toEqual([]);
});

test.each<[FamilyName, ToyPreset, number, number]>([
  ['qwen2vl', 'tiny', 0.0916, 0.241],
  ['qwen2vl', 'small', 4.5, 3.7],
  ['qwen2vl', '300m', 271, 45.2],
  // Qwen2.5-VL-7B-Instruct has 7.62 B parameters of text, and a vision tower of 0.68 B.
  ['qwen2vl', '7b', 7615.6, 676.6],
  // Qwen3-VL-2B-, 4B- and 8B-Instruct: 2.13 B, 4.44 B and 8.77 B together (their model cards).
  ['qwen3vl', '2b', 1720.6, 406.9],
  ['qwen3vl', '4b', 4022.5, 415.4],
  ['qwen3vl', '8b', 8190.7, 576.4],
  // Qwen3-VL-30B-A3B-Instruct: 31.1 B (its model card).
  ['qwen3vlmoe', '30b', 30532, 538.6],
  // Qwen3.5: the lengths of the files unsloth publishes agree to the header (test/model/catalog.test.ts).
  ['qwen35', '300m', 319.5, 38.2],
  ['qwen35', '0.8b', 752.4, 100.6],
  ['qwen35', '2b', 1881.8, 331.4],
  ['qwen35', '4b', 4205.8, 333.5],
  ['qwen35', '9b', 8953.8, 456],
])('%s %s has %d and %d million parameters and is valid, as holes too', async (family, preset, nText, nVision) => {
  const { textPath, mmprojPath } = await writeToyPair(path.join(folder, `sparse-${family}-${preset}`), {
    family,
    preset,
    type: 'Q8_0',
    sparse: true,
  });
  const text = inspectGguf(await readGguf(textPath));
  const vision = inspectGguf(await readGguf(mmprojPath));
  expect(text.nParams / 1e6 / nText).toBeCloseTo(1, 1);
  expect(vision.nParams / 1e6 / nVision).toBeCloseTo(1, 1);
  expect(await validatePair(textPath, mmprojPath)).toEqual([]);
  expect((await stat(textPath)).blocks * 512).toBeLessThan(14e6);
});

test('the 7b preset shares its rope sections and its token embedding with nobody else', () => {
  expect(ropeSections(128)).toEqual([16, 24, 24, 0]);
  expect(ropeSections(128, 'qwen3vl')).toEqual([24, 20, 20, 0]);
  expect(ropeSections(64, 'qwen35')).toEqual([11, 11, 10, 0]);
  const names = describeToyPair({ preset: '7b' }).text.tensors.map(({ name }) => name);
  expect(names).toContain('output.weight');
  expect(describeToyPair().text.tensors.map(({ name }) => name)).not.toContain('output.weight');
});

const PRESETS = [
  ...Object.keys(QWEN2VL_SHAPES).map((preset) => ({ family: 'qwen2vl', preset })),
  ...Object.keys(QWEN3VL_SHAPES).map((preset) => ({ family: 'qwen3vl', preset })),
  ...Object.keys(QWEN3VLMOE_SHAPES).map((preset) => ({ family: 'qwen3vlmoe', preset })),
  ...Object.keys(QWEN35_SHAPES).map((preset) => ({ family: 'qwen35', preset })),
] as { family: FamilyName; preset: ToyPreset }[];

test.each(PRESETS)('$family $preset takes any other sizes', async ({ family, preset }) => {
  const isQwen3 = family !== 'qwen2vl';
  const { textPath, mmprojPath } = await writeToyPair(path.join(folder, `dims-${family}-${preset}`), {
    family,
    preset,
    sparse: true,
    text: {
      ...{ nEmbd: 96, nHead: 6, nHeadKv: 2, nLayer: 2, nFf: 40, nCtx: 512, tied: false },
      ...(isQwen3 && { headSize: 24 }),
      ...(family === 'qwen35' && {
        nRot: 10,
        linear: { nConv: 3, nKeyHeads: 3, nValueHeads: 9, headSize: 32, fullInterval: 2 },
      }),
    },
    vision: {
      ...{ nEmbd: 48, nHead: 1, nLayer: 3, nFf: 20, nWaPattern: 0, imageSizePx: isQwen3 ? 320 : 280 },
      ...(isQwen3 && family !== 'qwen35' && { deepstackLayers: [2] }),
    },
    tokenizer: { maxInteger: 12, vocabSize: 300 },
  });
  expect(await validatePair(textPath, mmprojPath)).toEqual([]);
});

const LINEAR = { nConv: 4, nKeyHeads: 2, nValueHeads: 4, headSize: 16, fullInterval: 2 };

test.each<[string, ToyOptions, RegExp]>([
  ['heads that do not divide', { text: { nHead: 3 } }, /nEmbd 64 must be a multiple of nHead 3/],
  ['odd heads', { text: { nEmbd: 66, nHead: 22, nHeadKv: 1 } }, /head size must be even/],
  ['key heads that do not divide', { text: { nHead: 4, nHeadKv: 3 } }, /must be a multiple of nHeadKv 3/],
  ['a vision feed-forward of the embedding size', { vision: { nFf: 64 } }, /nFf must differ/],
  ['vision heads of an odd quarter', { vision: { nEmbd: 60, nHead: 2 } }, /multiple of 4 x nHead/],
  ['no layers', { text: { nLayer: 0 } }, /nLayer must be a whole number above 0/],
  ['an image size off the grid', { vision: { imageSizePx: 100 } }, /multiple of 28/],
  ['a size the family lacks', { preset: '8b' }, /no Qwen2.5-VL has the size 8b; there are tiny, small, 300m, 7b/],
  ['deepstack where there is none', { vision: { deepstackLayers: [0] } }, /it has no deepstackLayers/],
  ['windows where there are none', { family: 'qwen3vl', vision: { nWaPattern: 2 } }, /nWaPattern must be 0/],
  ['deepstack out of order', { family: 'qwen3vl', vision: { deepstackLayers: [1, 0] } }, /in order/],
  ['no experts where there must be', { family: 'qwen3vlmoe', text: { experts: undefined } as never }, /it has experts/],
  ['experts where there are none', { text: { experts: { count: 2, used: 1, nFf: 32 } } }, /it has no experts/],
  [
    'more experts used than there are',
    { family: 'qwen3vlmoe', text: { experts: { count: 2, used: 3, nFf: 32 } } },
    /at most all experts/,
  ],
  [
    'no running state where there must be',
    { family: 'qwen35', text: { linear: undefined } as never },
    /has linear att/,
  ],
  ['a running state where there is none', { text: { linear: LINEAR } }, /it has no linear attention/],
  ['one kind of layer', { family: 'qwen35', text: { linear: { ...LINEAR, fullInterval: 5 } } }, /layers of both kinds/],
  ['every layer whole', { family: 'qwen35', text: { linear: { ...LINEAR, fullInterval: 1 } } }, /layers of both kinds/],
  [
    'heads of values the keys do not divide',
    { family: 'qwen35', text: { linear: { ...LINEAR, nValueHeads: 5 } } },
    /nValueHeads must be a multiple of nKeyHeads/,
  ],
  ['more turning than a head has', { family: 'qwen35', text: { nRot: 66 } }, /nRot must be even and at most/],
  ['part of a head turning where all does', { family: 'qwen3vl', text: { nRot: 16 } }, /all of a head turns/],
  ['deepstack in a Qwen3.5', { family: 'qwen35', vision: { deepstackLayers: [0] } }, /it has no deepstackLayers/],
  ['more deepstack than layers', { family: 'qwen3vl', text: { nLayer: 1 } }, /fewer than the text model's 1 layers/],
  ['a vocabulary that is too small', { tokenizer: { vocabSize: 100 } }, /vocabSize 100 is less than/],
])('%s is refused', async (_, options, message) => {
  await expect(writeToyPair(path.join(folder, 'refused'), options)).rejects.toMatchObject({
    code: 'WRITE',
    message: expect.stringMatching(message) as string,
  });
});
