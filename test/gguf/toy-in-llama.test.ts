import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeToyPair } from '../../gguf/index.js';
import { openRuntime } from '../../src/runtime/runtime.js';
import type { VisionModel } from '../../src/runtime/model.js';
import { temporaryFolder } from './temporary.js';

const folder = await temporaryFolder();

/** Log-probabilities of all tokens after a picture of one grey and a question. */
async function answerTo(model: VisionModel, grey: number, question: string): Promise<Float32Array> {
  await using context = await model.createContext({ nCtx: 256, nSeqMax: 1 });
  const session = context.session();
  const size = { width: 2 * model.cellPx, height: 3 * model.cellPx };
  const rgb = Uint8Array.from({ length: size.width * size.height * 3 }, (_, i) => grey + (i % 7));
  using image = await model.encodeImage(rgb, size);
  await session.append(model.tokenize('<|vision_start|>', { special: true }));
  await session.appendImage(image);
  const choices = Int32Array.from({ length: model.facts.nVocab }, (_, id) => id);
  const tokens = model.tokenize(`<|vision_end|>${question}`, { special: true });
  return (await session.append(tokens, { choices })).logProbs;
}

function greatestDifference(a: Float32Array, b: Float32Array): number {
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
}

const FACTS = {
  qwen2vl: { cellPx: 28, nEmbdInput: 64, nLayer: 2, nParams: 91_584 },
  qwen3vl: { cellPx: 32, nEmbdInput: 3 * 64, nLayer: 3, nParams: 165_568 },
  // 4 experts of 32 in the place of one network of 128, and what chooses: 256 a layer more.
  qwen3vlmoe: { cellPx: 32, nEmbdInput: 3 * 64, nLayer: 3, nParams: 166_336 },
  // Two layers with a running state and two that attend to everything before.
  qwen35: { cellPx: 32, nEmbdInput: 64, nLayer: 4, nParams: 216_816 },
} as const;
const TINY = (Object.keys(FACTS) as (keyof typeof FACTS)[]).flatMap((family) =>
  (['F32', 'F16', 'Q8_0'] as const).map((type) => ({ family, type })),
);

describe.each(TINY)('a tiny $family in $type', ({ family, type }) => {
  test('is read by llama.cpp as it was meant, sees the picture and tells positions apart', async () => {
    const { textPath, mmprojPath } = await writeToyPair(path.join(folder, `${family}-${type}`), { family, type });
    await using runtime = await openRuntime({ gpu: 'cpu' });
    await using model = await runtime.loadModel({ path: textPath, mmprojPath, threads: 1 });
    expect(model.facts).toMatchObject({ nVocab: 270, nEmbd: 64, nHead: 2, nCtxTrain: 8192, ...FACTS[family] });
    expect(model.family.architecture).toBe(family);

    const logProbs = await answerTo(model, 40, 'ab');
    expect(logProbs.every(Number.isFinite)).toBe(true);
    // Neither flat nor certain: e^-0.1 would be 90 %.
    expect(Math.max(...logProbs)).toBeLessThan(-0.1);
    expect(Math.max(...logProbs) - Math.min(...logProbs)).toBeGreaterThan(2);
    expect(greatestDifference(logProbs, await answerTo(model, 40, 'ab'))).toBe(0);
    expect(greatestDifference(logProbs, await answerTo(model, 200, 'ab'))).toBeGreaterThan(0.05);
    expect(greatestDifference(logProbs, await answerTo(model, 40, 'bab'))).toBeGreaterThan(0.05);
    expect(greatestDifference(logProbs, await answerTo(model, 40, 'ccab'))).toBeGreaterThan(0.05);
  });
});

test('integers and words of the vocabulary are one token each, other digits are spelled', async () => {
  const tokenizer = { maxInteger: 1024, words: ['"box":['] };
  const { textPath, mmprojPath } = await writeToyPair(path.join(folder, 'words'), { tokenizer });
  await using runtime = await openRuntime({ gpu: 'cpu' });
  await using model = await runtime.loadModel({ path: textPath, mmprojPath, threads: 1 });
  const spelled = (text: string): string[] => Array.from(model.tokenize(text), (id) => model.tokenText(id));
  expect(spelled('"box":[7,12,1024]')).toEqual(['"box":[', '7', ',', '12', ',', '1024', ']']);
  expect(spelled('1025')).toEqual(['102', '5']);
  expect(spelled('Größe\n')).toHaveLength(8);
  expect(model.detokenize(model.tokenize('Größe 日本 12\n'))).toBe('Größe 日本 12\n');
});
