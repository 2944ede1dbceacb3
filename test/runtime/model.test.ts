import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeToyPair } from '../../gguf/toy.js';
import { f32, str, type GgufMetadata } from '../../gguf/values.js';
import { writeGguf, type TensorToWrite } from '../../gguf/writer.js';
import type { VisionModel } from '../../src/runtime/model.js';
import type { ModelOptions } from '../../src/runtime/types.js';
import { someImage, someTokens, useToy, wholeVocabulary } from './toy.js';
import { greatestDifference, NATS_APART } from '../support/reproducibility.js';

const toy = useToy();

async function load(options: Partial<ModelOptions> = {}): Promise<VisionModel> {
  const { runtime, textPath: path, mmprojPath } = toy();
  return runtime.loadModel({ path, mmprojPath, threads: 1, ...options });
}

async function nextLogProbs(model: VisionModel, tokens: Int32Array): Promise<Float32Array> {
  await using context = await model.createContext({ nCtx: 256, flashAttention: false, kvType: 'f32' });
  return (await context.session().append(tokens, { choices: wholeVocabulary(model) })).logProbs;
}

describe('facts', () => {
  test('the model’s sizes and metadata are those of its file', () => {
    const { model } = toy();
    const { text } = describeToyPair();
    const nElements = text.tensors.reduce((sum, { shape }) => sum + shape.reduce((n, side) => n * side, 1), 0);
    expect(model.facts).toMatchObject({ nLayer: 2, nEmbd: 64, nHead: 2, nCtxTrain: 8192, nParams: nElements });
    expect(model.facts.metadata['general.architecture']).toBe('qwen2vl');
    expect(model.facts.metadata['qwen2vl.block_count']).toBe('2');
    const tokens = text.metadata.get('tokenizer.ggml.tokens');
    expect(model.facts.nVocab).toBe((tokens?.value as readonly string[]).length);
  });

  test('memory by device counts both files, and a context its cache', async () => {
    const { model, textPath, mmprojPath } = toy();
    const nBytes = (await readFile(textPath)).length + (await readFile(mmprojPath)).length;
    const total = model.memory().reduce((sum, { modelBytes }) => sum + modelBytes, 0);
    // Files hold headers and vocabulary besides weights; libmtmd counts its work space with its weights.
    expect(total).toBeGreaterThan(0.5 * nBytes);
    await using small = await model.createContext({ nCtx: 256, flashAttention: false });
    await using large = await model.createContext({ nCtx: 4096, flashAttention: false });
    const [smallCache, largeCache] = [small, large].map((context) =>
      context.memory().reduce((sum, { contextBytes }) => sum + contextBytes, 0),
    );
    // Keys and values, 2 layers, one head of 32, half precision.
    expect(largeCache! - smallCache!).toBe((4096 - 256) * 2 * 2 * 32 * 2);
  });
});

describe('text and tokens', () => {
  test('text survives tokens and back, whatever it holds', () => {
    const { model } = toy();
    for (const text of ['', 'hello, world', 'naïve café — 日本語 🙂', 'a\n\tb  c', '{"x": [1, 22, 333]}', '\u0000'])
      expect(model.detokenize(model.tokenize(text))).toBe(text);
    const long = 'word '.repeat(20_000);
    expect(model.detokenize(model.tokenize(long))).toBe(long);
  });

  test('special tokens are themselves only if asked for', () => {
    const { model } = toy();
    expect(model.tokenize('<|im_end|>', { special: true }).length).toBe(1);
    expect(model.tokenize('<|im_end|>').length).toBeGreaterThan(1);
    const [end] = model.tokenize('<|im_end|>', { special: true });
    expect(model.tokenText(end!)).toBe('<|im_end|>');
  });

  test('tokens outside the vocabulary are refused', async () => {
    const { model } = toy();
    await using context = await model.createContext({ nCtx: 64 });
    expect(() => model.tokenText(model.facts.nVocab)).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error);
    expect(() => model.detokenize([-1])).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error);
    for (const bad of [Int32Array.of(-1), Int32Array.of(model.facts.nVocab)]) {
      await expect(context.session().append(bad)).rejects.toMatchObject({ code: 'USAGE' });
      await expect(context.session().score([bad])).rejects.toMatchObject({ code: 'USAGE' });
    }
  });
});

describe('contexts', () => {
  test('kinds of cache and attention agree within their precision', async () => {
    const { model } = toy();
    const exact = await nextLogProbs(model, someTokens(50));
    for (const [options, tolerance] of [
      [{ kvType: 'f16', flashAttention: false }, 0.02],
      [{ kvType: 'f16', flashAttention: true }, 0.02],
      [{ kvType: 'f16' }, 0.02],
      [{ kvType: 'q8_0' }, 0.2],
    ] as const) {
      await using context = await model.createContext({ nCtx: 256, ...options });
      const { logProbs } = await context.session().append(someTokens(50), { choices: wholeVocabulary(model) });
      expect(greatestDifference(logProbs, exact)).toBeLessThan(tolerance);
      expect(greatestDifference(logProbs, exact)).toBeGreaterThan(0);
    }
  });

  test('two threads give what one gives', async () => {
    const { model } = toy();
    await using context = await model.createContext({ nCtx: 256, threads: 2, flashAttention: false, kvType: 'f32' });
    const { logProbs } = await context.session().append(someTokens(50), { choices: wholeVocabulary(model) });
    expect(greatestDifference(logProbs, await nextLogProbs(model, someTokens(50)))).toBeLessThan(
      NATS_APART.unquantisedCache,
    );
  });

  test('options that cannot be are refused with what was expected', async () => {
    const { model } = toy();
    for (const bad of [
      { nCtx: 0 },
      { nCtx: 64, nSeqMax: 257 },
      { nCtx: 64, nBatch: 65 },
      { nCtx: 64, threads: 0 },
      { nCtx: 64, kvType: 'q8_0', flashAttention: false },
      { nCtx: 64, captureAttention: true, flashAttention: true },
    ] as const)
      await expect(model.createContext(bad)).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('the smallest batch and the most sequences work', async () => {
    const { model } = toy();
    const exact = await nextLogProbs(model, someTokens(9));
    for (const sizes of [
      { nCtx: 9, nBatch: 1, nSeqMax: 1 },
      { nCtx: 300, nBatch: 2, nSeqMax: 256 },
    ]) {
      await using context = await model.createContext({ ...sizes, flashAttention: false, kvType: 'f32' });
      const { logProbs } = await context.session().append(someTokens(9), { choices: wholeVocabulary(model) });
      expect(greatestDifference(logProbs, exact)).toBeLessThan(NATS_APART.unquantisedCache);
    }
  });

  test('sessions are as many as nSeqMax', async () => {
    await using context = await toy().model.createContext({ nCtx: 64, nSeqMax: 2 });
    const first = context.session();
    const second = context.session();
    expect(() => context.session()).toThrow(expect.objectContaining({ code: 'CONTEXT_FULL' }) as Error);
    await expect(second.fork()).rejects.toMatchObject({ code: 'CONTEXT_FULL' });
    await first.dispose();
    await (await second.fork()).dispose();
    expect(context.session().nTokens).toBe(0);
  });
});

describe('LoRA', () => {
  const RANK = 4;

  /** An adapter for the first layer's queries; B of this spread. */
  async function writeAdapter(name: string, spreadOfB: number, nOut = 64): Promise<string> {
    const path = join(toy().folder, name);
    const metadata: GgufMetadata = new Map([
      ['general.architecture', str('qwen2vl')],
      ['general.type', str('adapter')],
      ['adapter.type', str('lora')],
      ['adapter.lora.alpha', f32(RANK)],
    ]);
    const matrix = (suffix: string, shape: readonly number[], spread: number): TensorToWrite => ({
      name: `blk.0.attn_q.weight.${suffix}`,
      type: 'F32',
      shape,
      data: new Uint8Array(Float32Array.from({ length: shape[0]! * shape[1]! }, (_, i) => spread * Math.sin(i)).buffer),
    });
    await writeGguf(path, {
      metadata,
      tensors: [matrix('lora_a', [64, RANK], 1), matrix('lora_b', [RANK, nOut], spreadOfB)],
    });
    return path;
  }

  test('a zero B changes nothing, another one does, and its scale counts', async () => {
    const zero = await writeAdapter('zero.gguf', 0);
    const real = await writeAdapter('real.gguf', 1);
    const base = await nextLogProbs(toy().model, someTokens(9));
    const withAdapters = async (loras: NonNullable<ModelOptions['loras']>): Promise<Float32Array> => {
      await using model = await load({ loras });
      return await nextLogProbs(model, someTokens(9));
    };
    expect(greatestDifference(await withAdapters([{ path: zero }]), base)).toBeLessThan(1e-6);
    expect(greatestDifference(await withAdapters([{ path: real }]), base)).toBeGreaterThan(1e-2);
    expect(greatestDifference(await withAdapters([{ path: real, scale: 0 }]), base)).toBeLessThan(1e-6);
    const twice = await withAdapters([{ path: real }, { path: real }]);
    expect(greatestDifference(twice, await withAdapters([{ path: real, scale: 2 }]))).toBeLessThan(
      NATS_APART.unquantisedCache,
    );
  });

  test('a session saved with other adapters is refused', async () => {
    const real = await writeAdapter('real.gguf', 1);
    await using model = await load({ loras: [{ path: real }] });
    await using context = await model.createContext({ nCtx: 64 });
    const session = context.session();
    await session.append(someTokens(3));
    await using plain = await toy().model.createContext({ nCtx: 64 });
    await expect(plain.session().restore(await session.save())).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('a file that is no adapter of this model is a typed error that names it', async () => {
    const { textPath, folder } = toy();
    const wrongShape = await writeAdapter('wrong.gguf', 1, 32);
    for (const path of [textPath, wrongShape, join(folder, 'missing.gguf')])
      await expect(load({ loras: [{ path }] })).rejects.toMatchObject({
        code: 'MODEL_LOAD',
        message: expect.stringContaining(path) as string,
      });
    await using again = await load();
    expect(again.facts.nLayer).toBe(2);
  });
});

describe('files llama.cpp refuses', () => {
  test('are typed errors with the file and llama.cpp’s reason', async () => {
    const { textPath, mmprojPath, folder } = toy();
    const cut = join(folder, 'cut.gguf');
    await writeFile(cut, (await readFile(textPath)).subarray(0, 20_000));
    const missing = join(folder, 'missing.gguf');
    for (const options of [{ path: cut }, { path: missing }, { path: mmprojPath }, { mmprojPath: textPath }] as const)
      await expect(load(options)).rejects.toMatchObject({
        name: 'FramewrightError',
        code: 'MODEL_LOAD',
        message: expect.stringContaining(Object.values(options)[0]!) as string,
      });
    await expect(load({ path: missing })).rejects.toThrow(/No such file/);
  });

  test('weights that are not numbers are found when they are used', async () => {
    const { folder, mmprojPath } = toy();
    const { text } = describeToyPair();
    const damaged = join(folder, 'nan.gguf');
    const tensors = text.tensors.map((tensor) =>
      tensor.name === 'output_norm.weight'
        ? { ...tensor, data: new Uint8Array(new Float32Array(64).fill(NaN).buffer) }
        : tensor,
    );
    await writeGguf(damaged, { ...text, tensors });
    await using model = await load({ path: damaged, mmprojPath });
    await using context = await model.createContext({ nCtx: 64 });
    const [session, other] = [context.session(), context.session()];
    const choices = Int32Array.of(1);
    const results = await Promise.allSettled([session.append(someTokens(3), { choices }), other.append(someTokens(3))]);
    expect(results[0]).toMatchObject({ status: 'rejected', reason: { code: 'DECODE' } });
    expect(results[1].status).toBe('fulfilled');
    expect(session.nTokens).toBe(0);
    await expect(other.generate({ maxTokens: 3 })).rejects.toMatchObject({ code: 'DECODE' });
  });
});

describe('attention', () => {
  test('rows are of the session’s own tokens in order, causal, and sum to 1', async () => {
    const { model } = toy();
    await using context = await model.createContext({ nCtx: 256, captureAttention: true, nBatch: 16 });
    // Others' tokens lie between those of the session in the cache.
    const [session, other] = [context.session(), context.session()];
    const image = await model.encodeImage(someImage(84, 56), { width: 84, height: 56 });
    await Promise.all([session.append(someTokens(3)), other.append(someTokens(5, 2))]);
    await session.appendImage(image);
    await other.append(someTokens(3, 3));
    const start = session.mark();
    await session.append(someTokens(4, 4));
    await session.rollback(start);
    const [{ attention }] = await Promise.all([
      session.append(someTokens(20, 5), { attention: { layers: [0, 1] } }),
      other.append(someTokens(4, 6)),
    ]);
    expect(attention?.map(({ layer }) => layer)).toEqual([0, 1]);
    for (const { nHead, nTokens, nKv, weights } of attention!) {
      expect([nHead, nTokens, nKv, weights.length]).toEqual([2, 20, 29, 2 * 20 * 29]);
      for (let row = 0; row < nHead * nTokens; row++) {
        const cells = weights.subarray(row * nKv, (row + 1) * nKv);
        const nSeen = 9 + (row % nTokens) + 1;
        expect(cells.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 4);
        expect(cells.subarray(0, nSeen).every((weight) => weight > 0)).toBe(true);
        expect(cells.subarray(nSeen).every((weight) => weight === 0)).toBe(true);
      }
    }
    // In another context, alone and with other batches, the same.
    await using quiet = await model.createContext({ nCtx: 256, captureAttention: true });
    const alone = quiet.session();
    await alone.append(someTokens(3));
    await alone.appendImage(image);
    const expected = await alone.append(someTokens(20, 5), { attention: { layers: [1] } });
    expect(greatestDifference(attention![1]!.weights, expected.attention![0]!.weights)).toBeLessThan(1e-2);
  });

  test('still sums to 1 when a fork has decoded a token again that both have', async () => {
    const { model } = toy();
    await using context = await model.createContext({ nCtx: 64, captureAttention: true, kvType: 'f32' });
    const session = context.session();
    await session.append(someTokens(7));
    const fork = await session.fork();
    const start = fork.mark();
    await fork.append(someTokens(3));
    await fork.rollback(start);
    await fork.append(new Int32Array(0), { choices: Int32Array.of(1) });
    for (const each of [session, fork]) {
      const { attention } = await each.append(someTokens(1), { attention: { layers: [0] } });
      const { nKv, weights } = attention![0]!;
      expect(weights.subarray(0, nKv).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 4);
    }
  });

  test('needs a context made for it, and a session that was not restored', async () => {
    const { model } = toy();
    await using plain = await model.createContext({ nCtx: 64, flashAttention: false });
    await expect(plain.session().append(someTokens(3), { attention: { layers: [0] } })).rejects.toMatchObject({
      code: 'USAGE',
    });
    await using context = await model.createContext({ nCtx: 64, captureAttention: true });
    const session = context.session();
    await expect(session.append(someTokens(3), { attention: { layers: [2] } })).rejects.toMatchObject({
      code: 'USAGE',
    });
    await session.append(someTokens(5));
    const state = await session.save();
    await session.restore(state);
    await expect(session.append(someTokens(3), { attention: { layers: [0] } })).rejects.toMatchObject({
      code: 'USAGE',
    });
    expect(session.nTokens).toBe(5);
  });
});
