import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { writeToyPair, type ToyOptions } from '../../../gguf/index.js';
import { predictMemory, type RunSettings } from '../../../src/model/plan/predict.js';
import { readPairShape } from '../../../src/model/plan/shape.js';
import { resolveModel } from '../../../src/model/resolve.js';
import { openRuntime, type Runtime } from '../../../src/runtime/runtime.js';
import type { VisionModel } from '../../../src/runtime/model.js';

const folder = await mkdtemp(path.join(tmpdir(), 'framewright-predict-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

const MiB = 2 ** 20;

/** The bound the plan promises: within 5 % or 32 MB. */
function expectNear(predicted: number, real: number): void {
  expect(Math.abs(predicted - real)).toBeLessThanOrEqual(Math.max(0.05 * real, 32e6));
}

type ContextSettings = Pick<RunSettings, 'nCtx' | 'nSeqMax' | 'nBatch' | 'kvType' | 'flashAttention'>;

function settingsWith(context: ContextSettings, visionFlashAttention: boolean, imageTokens: number): RunSettings {
  return { ...context, visionFlashAttention, imageTokens, gpuLayers: 0, projectorOnGpu: false };
}

/** Work space libmtmd takes for an image, in its own words; it rounds to 0.01 MiB. */
async function visionComputeBytes(runtime: Runtime, model: VisionModel, side: number): Promise<number> {
  let bytes = 0;
  const stop = runtime.onLog(({ text }) => {
    const size = /reserve_compute_meta:\s+\S+ compute buffer size =\s+([\d.]+) MiB/.exec(text)?.[1];
    if (size !== undefined) bytes = Number(size) * MiB;
  });
  (await model.encodeImage(new Uint8Array(side * side * 3), { width: side, height: side })).dispose();
  // Lines come by way of the event loop.
  for (let i = 0; i < 100 && bytes === 0; i++) await setTimeout(10);
  stop();
  return bytes;
}

const CONTEXTS: readonly ContextSettings[] = [
  { nCtx: 1024, nSeqMax: 16, nBatch: 1024, kvType: 'f16', flashAttention: false },
  { nCtx: 8192, nSeqMax: 64, nBatch: 2048, kvType: 'f16', flashAttention: false },
  { nCtx: 8192, nSeqMax: 64, nBatch: 2048, kvType: 'q8_0', flashAttention: true },
  { nCtx: 3000, nSeqMax: 7, nBatch: 500, kvType: 'f32', flashAttention: true },
];

const TOYS: readonly [name: string, toy: ToyOptions][] = [
  ['the smallest', {}],
  ['Q8_0, untied', { preset: 'small', type: 'Q8_0', text: { tied: false } }],
  ['F16, tied', { preset: 'small', type: 'F16' }],
  ['one head for keys and values, wide', { text: { nEmbd: 1024, nHead: 8, nHeadKv: 1, nFf: 256, nLayer: 3 } }],
  ['every head its own', { text: { nEmbd: 512, nHead: 8, nHeadKv: 8, nFf: 2048, nLayer: 4 }, type: 'F16' }],
  ['heads of 64, large vocabulary', { text: { nEmbd: 256, nHead: 4 }, tokenizer: { vocabSize: 50_000 } }],
  ['no windows', { vision: { nEmbd: 256, nHead: 4, nFf: 1024, nLayer: 3, nWaPattern: 0 } }],
  ['the smallest Qwen3-VL', { family: 'qwen3vl' }],
  ['a Qwen3-VL in Q8_0, untied', { family: 'qwen3vl', preset: 'small', type: 'Q8_0', text: { tied: false } }],
  ['a Qwen3-VL without deepstack', { family: 'qwen3vl', vision: { deepstackLayers: [] }, text: { nEmbd: 256 } }],
  [
    'a Qwen3-VL with heads wider than its embedding',
    { family: 'qwen3vl', text: { nEmbd: 256, nHead: 8, nHeadKv: 2, headSize: 128, nFf: 512 }, type: 'F16' },
  ],
  ['a Qwen3-VL’s tower of some width', { family: 'qwen3vl', preset: '300m', type: 'Q8_0', text: { nLayer: 4 } }],
  ['experts', { family: 'qwen3vlmoe' }],
  ['experts in Q8_0', { family: 'qwen3vlmoe', preset: 'small', type: 'Q8_0' }],
  [
    'many experts, one at a time',
    { family: 'qwen3vlmoe', text: { nEmbd: 512, nHead: 8, experts: { count: 32, used: 1, nFf: 256 } }, type: 'F16' },
  ],
  ['the smallest Qwen3.5', { family: 'qwen35' }],
  ['a Qwen3.5 in Q8_0, untied', { family: 'qwen35', preset: 'small', type: 'Q8_0', text: { tied: false } }],
  [
    'a Qwen3.5 of some width',
    // Where rows of logits are most of its work space, it may be foretold a tenth too small.
    { family: 'qwen35', preset: '300m', type: 'F16', text: { nLayer: 8 }, tokenizer: { vocabSize: 4000 } },
  ],
  ['layers of the size of Qwen2-0.5B’s', { preset: '300m', type: 'Q8_0', text: { nLayer: 4 }, vision: { nLayer: 4 } }],
];

test.each(TOYS)('a toy (%s) takes on the CPU what its headers foretell', async (name, toy) => {
  const pair = await writeToyPair(path.join(folder, name.replaceAll(/\W+/g, '-')), { sparse: true, ...toy });
  const shape = await readPairShape(pair.textPath, pair.mmprojPath);
  await using runtime = await openRuntime({ gpu: 'cpu' });
  for (const visionFlash of [true, false]) {
    await using model = await runtime.loadModel({
      path: pair.textPath,
      mmprojPath: pair.mmprojPath,
      threads: 1,
      mmap: false,
      flashAttention: visionFlash,
    });
    const weights = model.memory().reduce((sum, { modelBytes }) => sum + modelBytes, 0);
    const imageTokens = 12 * 12;
    const visionCompute = await visionComputeBytes(runtime, model, 12 * model.cellPx);
    for (const context of visionFlash ? CONTEXTS : []) {
      await using real = await model.createContext(context);
      const [memory] = real.memory();
      const { host, gpu } = predictMemory(
        shape,
        settingsWith(context, visionFlash, imageTokens),
        runtime.info.hostFormats,
      );
      expect(Object.values(gpu)).toEqual([0, 0, 0, 0, 0, 0]);
      expectNear(host.weights + host.vision, weights);
      expect(host.kvCache).toBe(memory!.contextBytes);
      // Much nearer than promised, so that a change of llama.cpp is noticed.
      expect(Math.abs(host.compute / memory!.computeBytes - 1)).toBeLessThan(0.02);
    }
    const { host } = predictMemory(shape, settingsWith(CONTEXTS[0]!, visionFlash, imageTokens));
    expect(Math.abs(host.visionCompute - visionCompute)).toBeLessThan(0.02 * visionCompute + 0.01 * MiB);
  }
});

test('the bundled model takes what its headers foretell', async () => {
  const { textPath, mmprojPath } = await resolveModel({ model: 'nano' });
  const shape = await readPairShape(textPath, mmprojPath);
  await using runtime = await openRuntime({ gpu: 'cpu' });
  await using model = await runtime.loadModel({
    path: textPath,
    mmprojPath,
    threads: 1,
    mmap: false,
    imageMinTokens: 1,
  });
  await using context = await model.createContext(CONTEXTS[1]!);
  const [memory] = context.memory();
  const { host } = predictMemory(shape, settingsWith(CONTEXTS[1]!, true, 64), runtime.info.hostFormats);
  expectNear(host.compute, memory!.computeBytes);
  expect(host.kvCache).toBe(memory!.contextBytes);
  expectNear(
    host.weights + host.vision,
    model.memory().reduce((sum, { modelBytes }) => sum + modelBytes, 0),
  );
});
