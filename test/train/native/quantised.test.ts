import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeTensor, readGguf, readTensor, writeGguf, type TensorToWrite } from '../../../gguf/index.js';
import { quantizeModel, type Quantization } from '../../../src/runtime/quantize.js';
import { nativeCodec } from '../../../src/runtime/tensor-codec.js';
import { useToy } from '../../runtime/toy.js';
import { packDpo, packSft, someParameters } from './samples.js';

/** Rows of whole K-quant blocks. */
const toy = useToy({ text: { nEmbd: 256, nLayer: 2, nHead: 4, nHeadKv: 2, nFf: 512, nCtx: 8192, tied: true } });
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-quantised-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** The same weights as a file of F32. */
async function dequantise(path: string, output: string): Promise<void> {
  const codec = await nativeCodec();
  const header = await readGguf(path);
  const tensors: TensorToWrite[] = [];
  for (const tensor of header.tensors) {
    const values = codec.decode(tensor.type, await readTensor(header, tensor));
    tensors.push({ name: tensor.name, type: 'F32', shape: tensor.shape, data: encodeTensor('F32', values) });
  }
  await writeGguf(output, { metadata: header.metadata, tensors });
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  return dot / (Math.hypot(...a) * Math.hypot(...b));
}

/** Cosine with the gradient over the same weights in F32. Measured: .999999 (F16), .9997 (Q8_0), .9995 (Q4_K). */
const KINDS: readonly (readonly [Quantization, number])[] = [
  ['F16', 0.9999],
  ['Q8_0', 0.999],
  ['Q4_K_M', 0.999],
];

describe.each(KINDS)('on a base of %s', (type, least) => {
  test.each([
    ['SFT', packSft, 0],
    ['DPO', packDpo, 0.3],
  ] as const)('the gradient of %s points where that over the same weights in F32 does', async (_, packed, beta) => {
    const { runtime, model, textPath } = toy();
    const quantised = join(folder, `${type}.gguf`);
    const plain = join(folder, `${type}-f32.gguf`);
    await quantizeModel(textPath, quantised, { type, threads: 1, pure: true });
    await dequantise(quantised, plain);
    const sample = await packed(model);
    const gradients: Float32Array[] = [];
    for (const path of [quantised, plain]) {
      await using trainer = await runtime.openTrainer({ path, rank: 4, threads: 1 });
      await trainer.write({ parameters: someParameters(trainer.nParameters, 0.02) });
      await trainer.accumulate(sample, { weight: 1, beta, reference: 0 });
      gradients.push((await trainer.read()).gradients);
    }
    expect(cosine(gradients[0]!, gradients[1]!)).toBeGreaterThan(least);
  });
});
