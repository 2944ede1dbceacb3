import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { LoraTrainer, TrainObjective, TrainPass, TrainSample } from '../../../src/runtime/trainer.js';
import { pack, type EmbeddingOf } from '../../../src/train/native/pack.js';
import type { Piece } from '../../../src/train/native/pieces.js';
import { learningRateAt } from '../../../src/train/native/schedule.js';
import { useToy } from '../../runtime/toy.js';
import { lcg, someParameters } from './samples.js';

/** Written by training/lora/reference.py, with the command in it. */
interface Reference {
  readonly model: { readonly seed: string; readonly sha256: string };
  readonly settings: {
    readonly nSteps: number;
    readonly nWarmup: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly epsilon: number;
    readonly weightDecay: number;
    readonly clipNorm: number;
    readonly rank: number;
    readonly alpha: number;
    readonly beta: number;
  };
  readonly conversations: readonly (readonly StoredPiece[])[];
  readonly pairs: readonly {
    readonly pieces: readonly StoredPiece[];
    readonly chosen: readonly number[];
    readonly rejected: readonly number[];
  }[];
  readonly references: readonly number[];
  readonly sft: Run;
  readonly dpo: Run;
}

type StoredPiece =
  | { readonly kind: 'text'; readonly tokens: readonly number[]; readonly trained: boolean }
  | { readonly kind: 'image'; readonly seed: number; readonly columns: number; readonly rows: number };

interface Run {
  readonly peak: number;
  readonly losses: readonly number[];
  readonly norms: readonly number[];
  /** Length of the parameters after the last step, and the first of them. */
  readonly length: number;
  readonly first: readonly number[];
}

/** Rounding of float32 in another order, twenty steps long. Measured: 2e-6 in losses, 1e-5 in lengths of gradients. */
const TOLERANCE = 1e-4;

const file = new URL('../../fixtures/train/steps.json', import.meta.url);
const reference = JSON.parse(await readFile(file, 'utf8')) as Reference;
const toy = useToy({ seed: reference.model.seed });

function pieceOf(stored: StoredPiece): Piece {
  if (stored.kind === 'text') return stored;
  const { seed, columns, rows } = stored;
  return { kind: 'image', image: { file: String(seed), frame: { width: 28 * columns, height: 28 * rows } } };
}

function embed(nEmbd: number): EmbeddingOf {
  return ({ file: seed, frame }) => {
    const n = (frame.width / 28) * (frame.height / 28) * nEmbd;
    return Promise.resolve(Float32Array.from(lcg(Number(seed), n), (value) => 2 * value - 1));
  };
}

/** Plays the reference's steps of two samples each: losses and gradients' lengths on the way, parameters at the end. */
async function play(
  trainer: LoraTrainer,
  samples: readonly TrainSample[],
  { peak }: Run,
  objectiveOf: (batch: readonly TrainSample[], index: number) => TrainObjective,
  lossOf: (passes: readonly TrainPass[], batch: readonly TrainSample[], indexes: readonly number[]) => number,
): Promise<{ losses: number[]; norms: number[]; parameters: Float32Array }> {
  const { nSteps, nWarmup, beta1, beta2, epsilon, weightDecay, clipNorm } = reference.settings;
  await trainer.write({ parameters: someParameters(trainer.nParameters) });
  const losses: number[] = [];
  const norms: number[] = [];
  for (let step = 0; step < nSteps; step++) {
    const indexes = [0, 1].map((i) => (2 * step + i) % samples.length);
    const batch = indexes.map((i) => samples[i]!);
    const passes: TrainPass[] = [];
    for (const [i, sample] of batch.entries())
      passes.push(await trainer.accumulate(sample, objectiveOf(batch, indexes[i]!)));
    losses.push(lossOf(passes, batch, indexes));
    const learningRate = learningRateAt(step, { learningRate: peak, nSteps, nWarmup });
    norms.push(await trainer.step({ learningRate, beta1, beta2, epsilon, weightDecay, clipNorm }));
  }
  return { losses, norms, parameters: (await trainer.read()).parameters };
}

function expectSame(found: Awaited<ReturnType<typeof play>>, expected: Run): void {
  found.losses.forEach((loss, i) =>
    expect(Math.abs(loss - expected.losses[i]!), `loss of step ${i}`).toBeLessThan(TOLERANCE * expected.losses[i]!),
  );
  found.norms.forEach((norm, i) =>
    expect(Math.abs(norm - expected.norms[i]!), `gradient of step ${i}`).toBeLessThan(TOLERANCE * expected.norms[i]!),
  );
  const length = Math.hypot(...found.parameters);
  expect(Math.abs(length - expected.length)).toBeLessThan(TOLERANCE * expected.length);
  expected.first.forEach((value, i) => expect(found.parameters[i]).toBeCloseTo(value, 4));
}

async function openTrainer(): Promise<LoraTrainer> {
  const { rank, alpha } = reference.settings;
  return toy().runtime.openTrainer({ path: toy().textPath, rank, alpha, threads: 1 });
}

describe('twenty steps of AdamW', () => {
  test('begin from the model that torch had', async () => {
    const bytes = await readFile(toy().textPath);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(reference.model.sha256);
  });

  test('of SFT go as in torch, step by step', async () => {
    await using trainer = await openTrainer();
    const samples = await Promise.all(
      reference.conversations.map((pieces) => pack({ pieces: pieces.map(pieceOf) }, embed(trainer.nEmbd))),
    );
    const nTokens = (batch: readonly TrainSample[]): number => batch.reduce((sum, { rows }) => sum + rows.length, 0);
    const found = await play(
      trainer,
      samples,
      reference.sft,
      (batch) => ({ weight: 1 / nTokens(batch), beta: 0, reference: 0 }),
      (passes, batch) =>
        -passes.flatMap(({ logProbs }) => [...logProbs]).reduce((sum, value) => sum + value, 0) / nTokens(batch),
    );
    expectSame(found, reference.sft);
  });

  test('of DPO go as in torch, which computes each answer of a pair alone', async () => {
    await using trainer = await openTrainer();
    const { beta } = reference.settings;
    const samples = await Promise.all(
      reference.pairs.map(({ pieces, ...answers }) =>
        pack({ pieces: pieces.map(pieceOf), ...answers }, embed(trainer.nEmbd)),
      ),
    );
    const scoreOf = ({ logProbs }: TrainPass, { signs }: TrainSample): number =>
      logProbs.reduce((sum, value, i) => sum + signs[i]! * value, 0);
    await trainer.write({ parameters: someParameters(trainer.nParameters) });
    const references: number[] = [];
    for (const sample of samples) references.push(scoreOf(await trainer.evaluate(sample), sample));
    references.forEach((value, i) => expect(value).toBeCloseTo(reference.references[i]!, 3));
    const found = await play(
      trainer,
      samples,
      reference.dpo,
      (_, index) => ({ weight: 0.5, beta, reference: references[index]! }),
      (passes, batch, indexes) =>
        passes.reduce((sum, pass, i) => {
          const margin = beta * (scoreOf(pass, batch[i]!) - references[indexes[i]!]!);
          return sum + Math.log1p(Math.exp(-margin)) / 2;
        }, 0),
    );
    expectSame(found, reference.dpo);
  });
});
