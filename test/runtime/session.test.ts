import { describe, expect, test } from 'vitest';
import { greatestDifference, someImage, someTokens, useToy, wholeVocabulary } from './toy.js';

const toy = useToy();

describe('append', () => {
  test('tokens appended at once give what they give one by one', async () => {
    const { model } = toy();
    await using context = await model.createContext({ nCtx: 256, nSeqMax: 4, flashAttention: false });
    const choices = wholeVocabulary(model);
    const tokens = someTokens(20);
    const atOnce = context.session();
    const { logProbs } = await atOnce.append(tokens, { choices });
    const oneByOne = context.session();
    let last = new Float32Array();
    for (const token of tokens) last = (await oneByOne.append(Int32Array.of(token), { choices })).logProbs;
    expect(greatestDifference(logProbs, last)).toBeLessThan(1e-4);
    expect(oneByOne.nTokens).toBe(20);
    expect(oneByOne.nPos).toBe(20);
  });
});

test('an image takes a token for 28x28 px and as many positions as its longer side, and changes what follows', async () => {
  const { model } = toy();
  await using context = await model.createContext({ nCtx: 256, nSeqMax: 4, flashAttention: false });
  const choices = wholeVocabulary(model);
  const results: Float32Array[] = [];
  for (const seed of [1, 2]) {
    const embedding = await model.encodeImage(someImage(84, 140, seed), { width: 84, height: 140 });
    expect(embedding.nTokens).toBe(15);
    expect(embedding.nPos).toBe(5);
    const session = context.session();
    await session.append(someTokens(3));
    await session.appendImage(embedding);
    expect([session.nTokens, session.nPos]).toEqual([18, 8]);
    results.push((await session.append(someTokens(2), { choices })).logProbs);
    expect([session.nTokens, session.nPos]).toEqual([20, 10]);
    embedding.dispose();
  }
  expect(greatestDifference(results[0]!, results[1]!)).toBeGreaterThan(1e-2);
});
