import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  convertCheckpoint,
  convertLora,
  isSwallowed,
  mergeLoras,
  readGguf,
  writeToyPair,
  type MergedTensor,
} from '../../gguf/index.js';
import { openRuntime, type Runtime } from '../../src/runtime/runtime.js';
import { quantizeModel, type Quantization } from '../../src/runtime/quantize.js';
import { nativeCodec } from '../../src/runtime/tensor-codec.js';
import type { LoraSpec } from '../../src/runtime/types.js';
import { projectFile } from '../support/photos.js';
import { someTokens, wholeVocabulary } from '../runtime/toy.js';
import { greatestDifference } from '../support/reproducibility.js';

const folder = await mkdtemp(path.join(tmpdir(), 'framewright-lora-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const at = (...names: string[]): string => path.join(folder, ...names);
const fixture = (...names: string[]): string => projectFile('test', 'fixtures', 'lora', ...names);

interface Expected {
  readonly tokens: readonly number[];
  readonly base: readonly number[];
  readonly sft: readonly number[];
  readonly sftAndHalfDpo: readonly number[];
}
const expected = JSON.parse(await readFile(fixture('expected.json'), 'utf8')) as Expected;

/** Matrices of the toys an adapter changes: of experts, those of attention alone; of a running state five in its place. */
const ADAPTED = { qwen2vl: 7 * 2, qwen3vl: 7 * 3, qwen3vlmoe: 4 * 3, qwen35: 7 * 2 + 8 * 2 } as const;

let runtime: Runtime;
let mmprojPath: string;
let basePath: string;
beforeAll(async () => {
  runtime = await openRuntime({ gpu: 'cpu' });
  ({ textPath: basePath, mmprojPath } = await writeToyPair(at('toy')));
  await convertLora(fixture('sft'), at('sft.gguf'), { base: await readGguf(basePath) });
  await convertLora(fixture('dpo'), at('dpo.gguf'));
});
afterAll(() => runtime.dispose());

/** Log-probabilities of every token after the fixture's. */
async function answerOf(
  textPath: string,
  loras: readonly LoraSpec[] = [],
  tokens: readonly number[] = expected.tokens,
  vision = mmprojPath,
): Promise<Float32Array> {
  await using model = await runtime.loadModel({ path: textPath, mmprojPath: vision, threads: 1, loras });
  await using context = await model.createContext({ nCtx: 256, flashAttention: false, kvType: 'f32' });
  return (await context.session().append(Int32Array.from(tokens), { choices: wholeVocabulary(model) })).logProbs;
}

describe('PEFT adapters made and computed by numpy (test/fixtures/lora/make.py)', () => {
  test('give, converted and applied by llama.cpp, numpy’s log-probabilities within 1e-3', async () => {
    expect(greatestDifference(await answerOf(basePath), expected.base)).toBeLessThan(1e-3);
    expect(greatestDifference(await answerOf(basePath, [{ path: at('sft.gguf') }]), expected.sft)).toBeLessThan(1e-3);
    const both = [{ path: at('sft.gguf') }, { path: at('dpo.gguf'), scale: 0.5 }];
    expect(greatestDifference(await answerOf(basePath, both), expected.sftAndHalfDpo)).toBeLessThan(1e-3);
    expect(greatestDifference(expected.sft, expected.base)).toBeGreaterThan(0.5);
    expect(greatestDifference(expected.sftAndHalfDpo, expected.sft)).toBeGreaterThan(0.1);
  });

  test('give the same merged, SFT first and then DPO, in one go or one after the other', async () => {
    await mergeLoras(basePath, [{ path: at('sft.gguf') }], at('merged-sft.gguf'));
    expect(greatestDifference(await answerOf(at('merged-sft.gguf')), expected.sft)).toBeLessThan(1e-3);
    await mergeLoras(at('merged-sft.gguf'), [{ path: at('dpo.gguf'), scale: 0.5 }], at('merged-dpo.gguf'));
    await mergeLoras(
      basePath,
      [{ path: at('sft.gguf') }, { path: at('dpo.gguf'), scale: 0.5 }],
      at('merged-both.gguf'),
    );
    for (const merged of ['merged-dpo.gguf', 'merged-both.gguf'])
      expect(greatestDifference(await answerOf(at(merged)), expected.sftAndHalfDpo)).toBeLessThan(1e-3);
    const { metadata } = await readGguf(at('merged-dpo.gguf'));
    expect(metadata.get('framewright.merged_adapters')?.value).toEqual(['sft.gguf:1', 'dpo.gguf:0.5']);
  });
});

test('a PEFT adapter of a Qwen3-VL changes the model the same, applied and merged', async () => {
  const sizes = { text: { nLayer: 2, headSize: 32 }, vision: { deepstackLayers: [1] } };
  const { textPath, mmprojPath: vision } = await writeToyPair(at('qwen3'), { family: 'qwen3vl', ...sizes });
  const adapter = at('qwen3-sft.gguf');
  await convertLora(fixture('sft'), adapter, { base: await readGguf(textPath) });
  await mergeLoras(textPath, [{ path: adapter }], at('qwen3-merged.gguf'));
  const plain = await answerOf(textPath, [], expected.tokens, vision);
  const applied = await answerOf(textPath, [{ path: adapter }], expected.tokens, vision);
  const merged = await answerOf(at('qwen3-merged.gguf'), [], expected.tokens, vision);
  expect(greatestDifference(applied, merged)).toBeLessThan(1e-3);
  expect(greatestDifference(applied, plain)).toBeGreaterThan(0.5);
  await convertLora(fixture('sft'), at('named.gguf'), { family: 'qwen3vl' });
  expect(await readFile(at('named.gguf'))).toEqual(await readFile(adapter));
  // Made for the other family, it is told apart before llama.cpp sees it.
  await expect(mergeLoras(textPath, [{ path: at('sft.gguf') }], at('x.gguf'))).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: expect.stringMatching(/only LoRA adapters for Qwen3-VL are applied to this model/) as string,
  });
});

test('a PEFT adapter on every matrix of a Qwen3.5 gives transformers’ log-probabilities, applied and merged', async () => {
  const own = JSON.parse(await readFile(fixture('expected-qwen3.5.json'), 'utf8')) as {
    readonly tokens: readonly number[];
    readonly base: readonly number[];
    readonly adapted: readonly number[];
    readonly nPairs: number;
  };
  const checkpoint = projectFile('test', 'fixtures', 'convert', 'qwen3.5');
  const { textPath, mmprojPath: vision } = await convertCheckpoint(checkpoint, at('qwen3.5'), { type: 'F32' });
  const adapter = at('qwen3.5.gguf');
  const { nPairs } = await convertLora(fixture('qwen3.5'), adapter, { base: await readGguf(textPath) });
  expect(nPairs).toBe(own.nPairs);
  const reports = await mergeLoras(textPath, [{ path: adapter }], at('qwen3.5-merged.gguf'));
  expect(reports).toHaveLength(nPairs);
  const plain = await answerOf(textPath, [], own.tokens, vision);
  expect(greatestDifference(plain, own.base)).toBeLessThan(1e-3);
  const applied = await answerOf(textPath, [{ path: adapter }], own.tokens, vision);
  expect(greatestDifference(applied, own.adapted)).toBeLessThan(1e-3);
  expect(
    greatestDifference(await answerOf(at('qwen3.5-merged.gguf'), [], own.tokens, vision), own.adapted),
  ).toBeLessThan(1e-3);
  expect(greatestDifference(own.adapted, own.base)).toBeGreaterThan(0.5);
});

describe.each(['qwen2vl', 'qwen3vl', 'qwen3vlmoe', 'qwen35'] as const)('merging into a base of %s', (family) => {
  // Rows that K-quants can be of, of a running state too.
  const linear = { nConv: 4, nKeyHeads: 4, nValueHeads: 16, headSize: 16, fullInterval: 2 };
  const text = { nEmbd: 256, nFf: 512, nHead: 4, nHeadKv: 2, headSize: 64, ...(family === 'qwen35' && { linear }) };
  const shape = { family, text };
  const at = (name: string): string => path.join(folder, `${family}-${name}`);
  const tokens = Array.from(someTokens(12));
  let original: { textPath: string; mmprojPath: string };
  let adapter: string;
  beforeAll(async () => {
    original = await writeToyPair(at('wide'), { ...shape, type: 'F16' });
    adapter = at('wide-lora.gguf');
    await writeRandomLora(original.textPath, adapter, 1);
  });

  /** A base of this type: made by llama.cpp's quantiser, or the F16 original. */
  async function baseOf(type: Quantization): Promise<string> {
    if (type === 'F16') return original.textPath;
    const file = at(`wide-${type}.gguf`);
    await quantizeModel(original.textPath, file, { type, threads: 1, pure: true });
    return file;
  }

  // Measured 0.004, 0.17, 0.44 and 1.6 (2026-11); the adapter itself moves them by 7 to 8. A Qwen3.5, of which twice as
  // many matrices change: 0.012, 0.32, 1.2 and 3.0 (2026-12).
  const more = family === 'qwen35' ? 2 : 1;
  test.each([
    ['F16', 0.01],
    ['Q8_0', 0.3],
    ['Q6_K', 0.8],
    ['Q4_K_M', 2.5],
  ] as const)(
    'of type %s gives the logits of the adapter applied at run time, within the type’s rounding',
    async (type, tolerance) => {
      const base = await baseOf(type);
      const merged = at(`merged-${type}.gguf`);
      const reports = await mergeLoras(base, [{ path: adapter }], merged, { codec: await nativeCodec() });
      expect(reports).toHaveLength(ADAPTED[family]);
      const [plain, applied, own] = [
        await answerOf(base, [], tokens, original.mmprojPath),
        await answerOf(base, [{ path: adapter }], tokens, original.mmprojPath),
        await answerOf(merged, [], tokens, original.mmprojPath),
      ];
      expect(greatestDifference(own, applied)).toBeLessThan(more * tolerance);
      expect(greatestDifference(plain, applied)).toBeGreaterThan(2 * greatestDifference(own, applied));
      const types = new Map((await readGguf(merged)).tensors.map((tensor) => [tensor.name, tensor.type]));
      expect([...types]).toEqual((await readGguf(base)).tensors.map((tensor) => [tensor.name, tensor.type]));
    },
  );

  test('that is quantised warns where rounding swallows a small change, and not in F16', async () => {
    const small = at('small-lora.gguf');
    await writeRandomLora(original.textPath, small, 0.01);
    const codec = await nativeCodec();
    const shareOf = (reports: readonly MergedTensor[]): number => reports.filter(isSwallowed).length / reports.length;
    expect(shareOf(await mergeLoras(original.textPath, [{ path: small }], at('s1.gguf'), { codec }))).toBe(0);
    const swallowed = await mergeLoras(await baseOf('Q4_K_M'), [{ path: small }], at('s2.gguf'), { codec });
    expect(shareOf(swallowed)).toBe(1);
    for (const { meanDelta, roundingShare } of swallowed) {
      expect(meanDelta).toBeGreaterThan(0);
      expect(roundingShare).toBeGreaterThanOrEqual(1);
    }
    // The way out: the changed tensors in a finer type.
    const finer = await mergeLoras(await baseOf('Q4_K_M'), [{ path: small }], at('s3.gguf'), { codec, type: 'F16' });
    expect(shareOf(finer)).toBe(0);
    await answerOf(at('s3.gguf'), [], tokens, original.mmprojPath);
  });

  test('to a type no matrix can have, or that cannot be made, is refused and leaves no file', async () => {
    const codec = await nativeCodec();
    const loras = [{ path: adapter }];
    for (const type of ['I32', 'F64', 'Q8_K', 'IQ2_XS'] as const)
      await expect(mergeLoras(original.textPath, loras, at('never.gguf'), { codec, type })).rejects.toMatchObject({
        code: 'UNSUPPORTED',
      });
    expect((await readdir(folder)).filter((name) => name.startsWith('never.gguf'))).toEqual([]);
  });

  test('of another shape, or an adapter that is none, is refused with the tensor', async () => {
    await expect(mergeLoras(basePath, [{ path: adapter }], at('x.gguf'))).rejects.toMatchObject({
      code: family === 'qwen2vl' ? 'INVALID' : 'UNSUPPORTED',
      message: expect.stringMatching(
        family === 'qwen2vl'
          ? /blk\.0\.attn_k\.weight\.lora_a: \[256, 4\], must be \[64, 4\], for blk\.0\.attn_k\.weight of \[64, 32\] in/
          : /general.architecture: "qwen3(vl|vlmoe|5)", must be the string "qwen2vl": only LoRA adapters for Qwen2.5-VL/,
      ) as string,
    });
    await expect(mergeLoras(basePath, [{ path: basePath }], at('x.gguf'))).rejects.toThrow(
      /general\.type: .*must be the string "adapter"/,
    );
  });
});

/** An adapter of rank 4 for all matrices of all layers, whose changes are about `size` times a tenth of the weights. */
async function writeRandomLora(basePath: string, file: string, size: number): Promise<void> {
  const { f32, str, writeGguf, encodeTensor } = await import('../../gguf/index.js');
  const { fillUniform, seededWords } = await import('../../gguf/random.js');
  const base = await readGguf(basePath);
  const next = seededWords('lora');
  const random = (n: number, std: number): Uint8Array => {
    const values = new Float32Array(n);
    fillUniform(values, next, 0, std);
    return encodeTensor('F32', values);
  };
  const tensors = base.tensors
    .filter(({ name }) =>
      /^blk\.\d+\.(attn_(q|k|v|qkv|gate|output)|ssm_(alpha|beta|out)|ffn_(gate|up|down))\.weight$/.test(name),
    )
    .flatMap(({ name, shape: [nIn = 1, nOut = 1] }) => [
      { name: `${name}.lora_a`, type: 'F32' as const, shape: [nIn, 4], data: random(4 * nIn, 1 / Math.sqrt(nIn)) },
      { name: `${name}.lora_b`, type: 'F32' as const, shape: [4, nOut], data: random(4 * nOut, 0.1 * size) },
    ]);
  const metadata = new Map([
    ['general.architecture', base.metadata.get('general.architecture')!],
    ['general.type', str('adapter')],
    ['adapter.type', str('lora')],
    ['adapter.lora.alpha', f32(8)],
  ]);
  await writeGguf(file, { metadata, tensors });
}
