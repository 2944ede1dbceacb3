import { describe, expect, test } from 'vitest';
import { LORA_TARGETS, type LoraTrainer, type TrainObjective, type TrainSample } from '../../../src/runtime/trainer.js';
import { useToy } from '../../runtime/toy.js';
import { packDpo, packLong, packSft, packShared, someParameters } from './samples.js';

const toy = useToy();

const SFT: TrainObjective = { weight: 1, beta: 0, reference: 0 };
const DPO: TrainObjective = { weight: 1, beta: 0.3, reference: 1.5 };
/** Small against the numbers an adapter has here (0.025), large against the rounding of a sum of log-probabilities. */
const STEP = 5e-3;
const N_DIRECTIONS = 4;

/** The objective as its definition says, from log-probabilities. */
function valueOf(sample: TrainSample, logProbs: Float32Array, { weight, beta, reference }: TrainObjective): number {
  const score = logProbs.reduce((sum, logProb, i) => sum + sample.signs[i]! * logProb, 0);
  return beta === 0 ? -weight * score : weight * Math.log1p(Math.exp(-beta * (score - reference)));
}

/** Where each matrix's parameters lie, over all layers. */
function rangesOf(trainer: LoraTrainer): Map<string, { start: number; end: number }[]> {
  const ranges = new Map<string, { start: number; end: number }[]>();
  let start = 0;
  for (const { name, nIn, nOut } of trainer.pairs) {
    const matrix = name.split('.')[2]!;
    const end = start + trainer.rank * (nIn + nOut);
    ranges.set(matrix, [...(ranges.get(matrix) ?? []), { start, end }]);
    start = end;
  }
  return ranges;
}

/** Relative L2 distance of the gradient along random directions of one matrix's parameters from finite differences. */
async function differenceOf(
  trainer: LoraTrainer,
  sample: TrainSample,
  objective: TrainObjective,
  gradients: Float32Array,
  ranges: readonly { start: number; end: number }[],
): Promise<number> {
  const { parameters } = await trainer.read();
  let difference = 0;
  let total = 0;
  for (let i = 0; i < N_DIRECTIONS; i++) {
    const direction = new Float32Array(parameters.length);
    const random = someParameters(parameters.length + i + 1, 2).subarray(i);
    for (const { start, end } of ranges) direction.set(random.subarray(start, end), start);
    const valueAt = async (step: number): Promise<number> => {
      await trainer.write({ parameters: parameters.map((value, k) => value + step * direction[k]!) });
      return valueOf(sample, (await trainer.evaluate(sample)).logProbs, objective);
    };
    const slope = async (step: number): Promise<number> =>
      ((await valueAt(step)) - (await valueAt(-step))) / (2 * step);
    // Richardson: what is left of the curve's bend at one step and at two takes itself away.
    const measured = (4 * (await slope(STEP)) - (await slope(2 * STEP))) / 3;
    const computed = direction.reduce((sum, value, k) => sum + value * gradients[k]!, 0);
    difference += (measured - computed) ** 2;
    total += measured ** 2;
  }
  await trainer.write({ parameters });
  return Math.sqrt(difference / total);
}

async function gradientsOf(
  trainer: LoraTrainer,
  sample: TrainSample,
  objective: TrainObjective,
): Promise<Float32Array> {
  await trainer.clearGradients();
  await trainer.accumulate(sample, objective);
  return (await trainer.read()).gradients;
}

describe.each([
  ['SFT', SFT, packSft],
  ['SFT with shared targets', SFT, packShared],
  ['DPO', DPO, packDpo],
  ['a long conversation', { ...SFT, weight: 0.1 }, packLong],
] as const)('gradients of %s', (_, objective, packed) => {
  test('of each of the seven matrices are those of finite differences on an F32 base', async () => {
    const { runtime, model, textPath } = toy();
    await using trainer = await runtime.openTrainer({ path: textPath, rank: 4, threads: 1 });
    await trainer.write({ parameters: someParameters(trainer.nParameters) });
    const sample = await packed(model);
    const gradients = await gradientsOf(trainer, sample, objective);
    const found: Record<string, number> = {};
    for (const [matrix, ranges] of rangesOf(trainer))
      found[matrix] = await differenceOf(trainer, sample, objective, gradients, ranges);
    expect(Object.keys(found)).toEqual(LORA_TARGETS);
    for (const difference of Object.values(found)) expect(difference).toBeLessThan(1e-3);
  });

  test('are the same to the bit when layers are computed anew on the way back', async () => {
    const { runtime, model, textPath } = toy();
    const sample = await packed(model);
    const found: Float32Array[] = [];
    for (const recompute of [false, true]) {
      await using trainer = await runtime.openTrainer({ path: textPath, rank: 4, threads: 1, recompute });
      await trainer.write({ parameters: someParameters(trainer.nParameters) });
      found.push(await gradientsOf(trainer, sample, objective));
    }
    expect(Buffer.compare(Buffer.from(found[1]!.buffer), Buffer.from(found[0]!.buffer))).toBe(0);
  });
});
