import { describe, expect, test } from 'vitest';
import type { VisionModel } from '../../../src/runtime/model.js';
import { someImage, useToy } from '../../runtime/toy.js';
import { CONVERSATION, FRAME, LONG, PAIR, packDpo, packLong, packSft } from './samples.js';

const toy = useToy();

/** What the runtime says of the same tokens: the log-probability of each of the answer's. */
async function runtimeLogProbs(model: VisionModel, answers: readonly (readonly number[])[]): Promise<number[]> {
  await using context = await model.createContext({ nCtx: 256, kvType: 'f32', flashAttention: false });
  const session = context.session();
  using image = await model.encodeImage(someImage(FRAME.width, FRAME.height, 3), FRAME);
  const found: number[] = [];
  const prompts = CONVERSATION.filter((piece) => piece.kind === 'image' || !piece.trained);
  for (const [i, piece] of prompts.entries()) {
    if (piece.kind === 'image') {
      await session.appendImage(image);
      continue;
    }
    await session.append(Int32Array.from(piece.tokens));
    const answer = answers[i - 2];
    if (i < 2 || !answer) continue;
    const [logProbs] = await session.score([Int32Array.from(answer)]);
    found.push(...logProbs!);
    await session.append(Int32Array.from(answer));
  }
  return found;
}

function trained(): number[][] {
  return CONVERSATION.flatMap((piece) => (piece.kind === 'text' && piece.trained ? [[...piece.tokens]] : []));
}

function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!) / Math.abs(b[i]!)));
}

describe('log-probabilities of the trainer', () => {
  test('are those of the runtime for every token of every answer', async () => {
    const { runtime, model, textPath } = toy();
    await using trainer = await runtime.openTrainer({ path: textPath, rank: 4, threads: 1 });
    const { logProbs } = await trainer.evaluate(await packSft(model));
    const expected = await runtimeLogProbs(model, trained());
    expect(logProbs).toHaveLength(11);
    expect(relativeDifference(logProbs, expected)).toBeLessThan(1e-3);
  });

  test('are those of the runtime behind a long prompt', async () => {
    const { runtime, model, textPath } = toy();
    await using trainer = await runtime.openTrainer({ path: textPath, rank: 4, threads: 1 });
    const { logProbs } = await trainer.evaluate(await packLong(model));
    await using context = await model.createContext({ nCtx: 1024, kvType: 'f32', flashAttention: false });
    const session = context.session();
    const [prompt, answer] = LONG.map((piece) => Int32Array.from(piece.kind === 'text' ? piece.tokens : []));
    await session.append(prompt!);
    const [expected] = await session.score([answer!]);
    expect(relativeDifference(logProbs, expected!)).toBeLessThan(1e-3);
  });

  test('of two answers behind a common prompt are those of each alone', async () => {
    const { runtime, model, textPath } = toy();
    await using trainer = await runtime.openTrainer({ path: textPath, rank: 4, threads: 1 });
    const { logProbs } = await trainer.evaluate(await packDpo(model));
    const chosen = await runtimeLogProbs(model, [PAIR.chosen]);
    const rejected = await runtimeLogProbs(model, [PAIR.rejected]);
    expect(relativeDifference(logProbs, [...chosen, ...rejected])).toBeLessThan(1e-3);
  });
});
