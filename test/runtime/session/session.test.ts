import { describe, expect, test } from 'vitest';
import type { Context } from '../../../src/runtime/session/context.js';
import { someImage, someTokens, useToy, wholeVocabulary } from '../toy.js';
import { greatestDifference, NATS_APART } from '../../support/reproducibility.js';

const toy = useToy();

/** In full precision: rounding the cache to half makes results depend on what else is in a batch by more than 1e-4. */
async function createContext(nSeqMax = 8, nCtx = 512): Promise<Context> {
  return toy().model.createContext({ nCtx, nSeqMax, flashAttention: false, kvType: 'f32' });
}

/** The next token's distribution after a fresh session got these tokens in one piece. */
async function freshLogProbs(context: Context, tokens: Int32Array): Promise<Float32Array> {
  await using session = context.session();
  const { logProbs } = await session.append(tokens, { choices: wholeVocabulary(toy().model) });
  return logProbs;
}

describe('append', () => {
  test('tokens appended at once give what they give one by one', async () => {
    await using context = await createContext();
    const choices = wholeVocabulary(toy().model);
    const tokens = someTokens(20);
    const atOnce = await freshLogProbs(context, tokens);
    const oneByOne = context.session();
    let last: Float32Array = new Float32Array();
    for (const token of tokens) last = (await oneByOne.append(Int32Array.of(token), { choices })).logProbs;
    expect(greatestDifference(atOnce, last)).toBeLessThan(NATS_APART.unquantisedCache);
    expect([oneByOne.nTokens, oneByOne.nPos]).toEqual([20, 20]);
  });

  test('log-probabilities are of the whole vocabulary, whatever choices are asked for', async () => {
    await using context = await createContext();
    const all = await freshLogProbs(context, someTokens(5));
    expect(all.reduce((sum, logProb) => sum + Math.exp(logProb), 0)).toBeCloseTo(1, 4);
    const { logProbs } = await context.session().append(someTokens(5), { choices: Int32Array.of(7, 3) });
    expect(greatestDifference(logProbs, [all[7]!, all[3]!])).toBeLessThan(1e-6);
  });

  test('text longer than a batch is decoded in several', async () => {
    const small = await toy().model.createContext({ nCtx: 256, nBatch: 16, flashAttention: false, kvType: 'f32' });
    await using context = await createContext();
    const choices = wholeVocabulary(toy().model);
    const { logProbs } = await small.session().append(someTokens(50), { choices });
    expect(small.counters().nDecodeCalls).toBe(4);
    expect(greatestDifference(logProbs, await freshLogProbs(context, someTokens(50)))).toBeLessThan(
      NATS_APART.unquantisedCache,
    );
    await small.dispose();
  });

  test('sessions that append in one tick share a batch and get what they get alone', async () => {
    await using context = await createContext();
    const choices = wholeVocabulary(toy().model);
    const prompts = [someTokens(7, 1), someTokens(20, 2), someTokens(1, 3)];
    const alone: Float32Array[] = [];
    for (const prompt of prompts) alone.push(await freshLogProbs(context, prompt));
    const before = context.counters();
    const together = await Promise.all(prompts.map(async (prompt) => context.session().append(prompt, { choices })));
    expect(context.counters().nDecodeCalls - before.nDecodeCalls).toBe(1);
    expect(context.counters().nTokensDecoded - before.nTokensDecoded).toBe(28);
    for (const [i, { logProbs }] of together.entries())
      expect(greatestDifference(logProbs, alone[i]!)).toBeLessThan(NATS_APART.unquantisedCache);
  });

  test('appending nothing asks about the present end without decoding', async () => {
    await using context = await createContext();
    const session = context.session();
    const choices = wholeVocabulary(toy().model);
    const { logProbs } = await session.append(someTokens(6), { choices });
    await freshLogProbs(context, someTokens(9, 2));
    const before = context.counters().nDecodeCalls;
    expect(greatestDifference((await session.append(new Int32Array(), { choices })).logProbs, logProbs)).toBe(0);
    expect(context.counters().nDecodeCalls).toBe(before);
  });

  test('a session that does not fit is told so with numbers, and the other ones of its batch go on', async () => {
    await using context = await toy().model.createContext({ nCtx: 64, flashAttention: false });
    const [small, big] = [context.session(), context.session()];
    const choices = wholeVocabulary(toy().model);
    const results = await Promise.allSettled([
      small.append(someTokens(40), { choices }),
      big.append(someTokens(30), { choices }),
    ]);
    expect(results[0].status).toBe('fulfilled');
    expect(results[1]).toMatchObject({
      status: 'rejected',
      reason: {
        name: 'FramewrightError',
        code: 'CONTEXT_FULL',
        message: expect.stringMatching(/30 .*64.*24/) as string,
      },
    });
    expect(big.nTokens).toBe(0);
    await small.dispose();
    expect((await big.append(someTokens(30), { choices })).logProbs.length).toBe(choices.length);
  });
});

describe('images', () => {
  test('an image takes a token for 28x28 px and as many positions as its longer side', async () => {
    await using context = await createContext();
    for (const [width, height, nTokens, nPos] of [
      [84, 140, 15, 5],
      [140, 84, 15, 5],
      [56, 56, 4, 2],
    ] as const) {
      const embedding = await toy().model.encodeImage(someImage(width, height), { width, height });
      expect([embedding.nTokens, embedding.nPos]).toEqual([nTokens, nPos]);
      const session = context.session();
      await session.append(someTokens(3));
      await session.appendImage(embedding);
      expect([session.nTokens, session.nPos]).toEqual([3 + nTokens, 3 + nPos]);
      await session.append(someTokens(2));
      expect([session.nTokens, session.nPos]).toEqual([5 + nTokens, 5 + nPos]);
      await session.dispose();
      embedding.dispose();
    }
  });

  test('another image changes what follows, the same image in another session does not', async () => {
    await using context = await createContext();
    const choices = wholeVocabulary(toy().model);
    const size = { width: 84, height: 56 };
    const images = await Promise.all(
      [1, 2].map(async (seed) => toy().model.encodeImage(someImage(84, 56, seed), size)),
    );
    const after = async (image: number): Promise<Float32Array> => {
      const session = context.session();
      await session.append(someTokens(3));
      await session.appendImage(images[image]!);
      return (await session.append(someTokens(2), { choices })).logProbs;
    };
    const first = await after(0);
    expect(greatestDifference(first, await after(1))).toBeGreaterThan(1e-2);
    expect(greatestDifference(first, await after(0))).toBeLessThan(NATS_APART.unquantisedCache);
  });

  test('an image in several batches gives what it gives in one', async () => {
    await using context = await createContext();
    await using small = await toy().model.createContext({
      nCtx: 256,
      nBatch: 10,
      flashAttention: false,
      kvType: 'f32',
    });
    const choices = wholeVocabulary(toy().model);
    const image = await toy().model.encodeImage(someImage(140, 140), { width: 140, height: 140 });
    const results: Float32Array[] = [];
    for (const each of [context, small]) {
      const session = each.session();
      await session.append(someTokens(3));
      await session.appendImage(image);
      results.push((await session.append(someTokens(4), { choices })).logProbs);
    }
    expect(greatestDifference(results[0]!, results[1]!)).toBeLessThan(NATS_APART.unquantisedCache);
  });

  test('sizes off the grid and outside the limits are refused before anything runs', async () => {
    const { model } = toy();
    const refused = async (rgb: Uint8Array, width: number, height: number): Promise<void> => {
      await expect(model.encodeImage(rgb, { width, height })).rejects.toMatchObject({ code: 'USAGE' });
    };
    await refused(someImage(85, 84), 85, 84);
    await refused(someImage(28, 28), 28, 28);
    await refused(new Uint8Array(7), 56, 56);
    await refused(new Uint8Array(28 * 100 * 28 * 100 * 3), 2800, 2800);
  });
});

describe('fork, rollback, save and restore', () => {
  test('forks go on from the same prefix without decoding it again', async () => {
    await using context = await createContext();
    const choices = wholeVocabulary(toy().model);
    const parent = context.session();
    await parent.append(someTokens(10));
    const forks = await Promise.all([parent.fork(), parent.fork()]);
    const before = context.counters().nTokensDecoded;
    const results = await Promise.all(
      [parent, ...forks].map(async (session, i) => session.append(someTokens(3, i + 5), { choices })),
    );
    expect(context.counters().nTokensDecoded - before).toBe(9);
    for (const [i, { logProbs }] of results.entries()) {
      const fresh = await freshLogProbs(context, Int32Array.from([...someTokens(10), ...someTokens(3, i + 5)]));
      expect(greatestDifference(logProbs, fresh)).toBeLessThan(NATS_APART.unquantisedCache);
    }
  });

  test('a fork outlives its parent', async () => {
    await using context = await createContext();
    const parent = context.session();
    await parent.append(someTokens(10));
    const fork = await parent.fork();
    await parent.dispose();
    await freshLogProbs(context, someTokens(30, 9));
    const { logProbs } = await fork.append(someTokens(2, 3), { choices: wholeVocabulary(toy().model) });
    const fresh = await freshLogProbs(context, Int32Array.from([...someTokens(10), ...someTokens(2, 3)]));
    expect(greatestDifference(logProbs, fresh)).toBeLessThan(NATS_APART.unquantisedCache);
  });

  test('after a rollback the session is as it was at the mark', async () => {
    await using context = await createContext();
    const choices = wholeVocabulary(toy().model);
    const session = context.session();
    const { logProbs: atMark } = await session.append(someTokens(10), { choices });
    const mark = session.mark();
    await session.append(someTokens(8, 2));
    await session.rollback(mark);
    expect([session.nTokens, session.nPos]).toEqual([10, 10]);
    const { logProbs: again } = await session.append(new Int32Array(), { choices });
    expect(greatestDifference(again, atMark)).toBeLessThan(NATS_APART.unquantisedCache);
    const { logProbs } = await session.append(someTokens(4, 3), { choices });
    const fresh = await freshLogProbs(context, Int32Array.from([...someTokens(10), ...someTokens(4, 3)]));
    expect(greatestDifference(logProbs, fresh)).toBeLessThan(NATS_APART.unquantisedCache);
  });

  test('rolling back over an image gives its positions back', async () => {
    await using context = await createContext();
    const choices = wholeVocabulary(toy().model);
    const image = await toy().model.encodeImage(someImage(84, 140), { width: 84, height: 140 });
    const session = context.session();
    await session.append(someTokens(4));
    const mark = session.mark();
    await session.appendImage(image);
    await session.append(someTokens(2));
    await session.rollback(mark);
    expect([session.nTokens, session.nPos]).toEqual([4, 4]);
    const { logProbs } = await session.append(someTokens(3, 2), { choices });
    const fresh = await freshLogProbs(context, Int32Array.from([...someTokens(4), ...someTokens(3, 2)]));
    expect(greatestDifference(logProbs, fresh)).toBeLessThan(NATS_APART.unquantisedCache);
  });

  test('a mark of another session or one rolled back over is refused', async () => {
    await using context = await createContext();
    const [a, b] = [context.session(), context.session()];
    await a.append(someTokens(5));
    const early = a.mark();
    await a.append(someTokens(5));
    const late = a.mark();
    await a.rollback(early);
    await expect(a.rollback(late)).rejects.toMatchObject({ code: 'USAGE' });
    await expect(b.rollback(early)).rejects.toMatchObject({ code: 'USAGE' });
    await a.rollback(early);
  });

  test('a mark that was rolled back over stays refused when the session has grown again', async () => {
    await using context = await createContext();
    const session = context.session();
    const start = session.mark();
    await session.append(someTokens(5));
    const middle = session.mark();
    await session.append(someTokens(5));
    const late = session.mark();
    const state = await session.save();
    await session.rollback(middle);
    await session.append(someTokens(20, 2));
    await expect(session.rollback(late)).rejects.toMatchObject({ code: 'USAGE' });
    await session.rollback(middle);
    await session.restore(state);
    await expect(session.rollback(middle)).rejects.toMatchObject({ code: 'USAGE' });
    expect([session.nTokens, session.nPos]).toEqual([10, 10]);
    await session.rollback(start);
    expect([session.nTokens, session.nPos]).toEqual([0, 0]);
  });

  test('scoring leaves the sequences beyond its share to others', async () => {
    const { model } = toy();
    await using context = await model.createContext({ nCtx: 512, nSeqMax: 8, nScratchMax: 3 });
    const session = context.session();
    await session.append(someTokens(4));
    const scored = session.score(Array.from({ length: 40 }, (_, i) => someTokens(6, i + 2)));
    await new Promise((resolve) => setImmediate(resolve));
    const others = Array.from({ length: 4 }, () => context.session());
    await Promise.all(others.map((other) => other.append(someTokens(2))));
    expect((await scored).length).toBe(40);
  });

  test('a saved session goes on in another context as if it had never left', async () => {
    await using first = await createContext();
    await using second = await createContext();
    const choices = wholeVocabulary(toy().model);
    const image = await toy().model.encodeImage(someImage(56, 84), { width: 56, height: 84 });
    const session = first.session();
    await session.append(someTokens(5));
    await session.appendImage(image);
    await session.append(someTokens(4, 2));
    const state = await session.save();
    const { logProbs: here } = await session.append(someTokens(3, 3), { choices });

    const busy = second.session();
    await busy.append(someTokens(20, 7));
    for (const target of [second.session(), busy]) {
      await target.restore(state);
      expect([target.nTokens, target.nPos]).toEqual([15, 12]);
      const { logProbs: there } = await target.append(someTokens(3, 3), { choices });
      expect(greatestDifference(here, there)).toBeLessThan(NATS_APART.unquantisedCache);
    }
  });

  test('foreign, damaged and cut off states are refused and change nothing', async () => {
    await using context = await createContext();
    await using other = await toy().model.createContext({ nCtx: 64, kvType: 'f16', flashAttention: false });
    const session = context.session();
    const choices = wholeVocabulary(toy().model);
    await session.append(someTokens(6));
    const state = await session.save();
    const flipped = state.slice();
    flipped[flipped.length - 9]! ^= 1;
    for (const bad of [new Uint8Array(), new Uint8Array(1000), flipped, state.slice(0, -8)])
      await expect(session.restore(bad)).rejects.toMatchObject({ code: 'USAGE' });
    // The last byte of our own format's number, and the first of llama.cpp's.
    for (const at of [7, 36])
      await expect(session.restore(state.with(at, state[at]! + 1))).rejects.toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining('by this version') as string,
      });
    await expect(other.session().restore(state)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('kvType') as string,
    });
    const { logProbs } = await session.append(someTokens(2, 2), { choices });
    const fresh = await freshLogProbs(context, Int32Array.from([...someTokens(6), ...someTokens(2, 2)]));
    expect(greatestDifference(logProbs, fresh)).toBeLessThan(NATS_APART.unquantisedCache);
  });
});

describe('score', () => {
  const continuations = [
    Int32Array.of(5, 6, 7, 8),
    Int32Array.of(5, 6, 9),
    Int32Array.of(5),
    Int32Array.of(),
    Int32Array.of(11, 12),
    Int32Array.of(5, 6, 7, 8, 9, 10),
    Int32Array.of(5, 6, 7, 8),
  ];

  async function oneByOne(context: Context, prefix: Int32Array, tokens: Int32Array): Promise<number[]> {
    await using session = context.session();
    const logProbs: number[] = [];
    let before = prefix;
    for (const token of tokens) {
      logProbs.push((await session.append(before, { choices: Int32Array.of(token) })).logProbs[0]!);
      before = Int32Array.of(token);
    }
    return logProbs;
  }

  test('gives what appending each continuation gives, in one batch, and leaves the session as it was', async () => {
    await using context = await createContext();
    const session = context.session();
    const choices = wholeVocabulary(toy().model);
    const { logProbs: end } = await session.append(someTokens(9), { choices });
    const before = context.counters();
    const scores = await session.score(continuations);
    const after = context.counters();
    expect(after.nDecodeCalls - before.nDecodeCalls).toBe(1);
    // 5 6 7 8 9 and 11: what several begin with is decoded once, nobody's last token is.
    expect(after.nTokensDecoded - before.nTokensDecoded).toBe(6);
    for (const [i, tokens] of continuations.entries())
      expect(greatestDifference(scores[i]!, await oneByOne(context, someTokens(9), tokens))).toBeLessThan(
        NATS_APART.unquantisedCache,
      );
    expect([session.nTokens, session.nPos]).toEqual([9, 9]);
    expect(greatestDifference((await session.append(new Int32Array(), { choices })).logProbs, end)).toBe(0);
  });

  test('takes several batches where cells or sequences are few', async () => {
    await using context = await createContext();
    await using narrow = await toy().model.createContext({
      nCtx: 14,
      nSeqMax: 2,
      nBatch: 4,
      flashAttention: false,
      kvType: 'f32',
    });
    const session = narrow.session();
    await session.append(someTokens(9));
    const scores = await session.score(continuations);
    for (const [i, tokens] of continuations.entries())
      expect(greatestDifference(scores[i]!, await oneByOne(context, someTokens(9), tokens))).toBeLessThan(
        NATS_APART.unquantisedCache,
      );
  });

  test('behind an image and after a rollback it is right as well', async () => {
    await using context = await createContext();
    const image = await toy().model.encodeImage(someImage(84, 84), { width: 84, height: 84 });
    const session = context.session();
    await session.append(someTokens(3));
    await session.appendImage(image);
    await session.append(someTokens(4, 2));
    const mark = session.mark();
    const scores = await session.score(continuations);
    await session.append(someTokens(4, 3));
    await session.rollback(mark);
    const again = await session.score(continuations);
    const fork = await session.fork();
    const { logProbs } = await fork.append(Int32Array.of(5, 6), { choices: Int32Array.of(7) });
    expect(Math.abs(scores[0]![2]! - logProbs[0]!)).toBeLessThan(NATS_APART.unquantisedCache);
    for (const [i, each] of scores.entries())
      expect(greatestDifference(each, again[i]!)).toBeLessThan(NATS_APART.unquantisedCache);
  });

  test('scores of several sessions share batches', async () => {
    await using context = await createContext(16);
    const sessions = [context.session(), context.session()];
    await Promise.all(sessions.map(async (session, i) => session.append(someTokens(6, i + 1))));
    const alone: Float32Array[][] = [];
    for (const session of sessions) alone.push(await session.score(continuations));
    const before = context.counters().nDecodeCalls;
    const together = await Promise.all(sessions.map(async (session) => session.score(continuations)));
    expect(context.counters().nDecodeCalls - before).toBe(1);
    for (const [i, scores] of together.entries())
      for (const [j, each] of scores.entries())
        expect(greatestDifference(each, alone[i]![j]!)).toBeLessThan(NATS_APART.unquantisedCache);
  });

  test('many random continuations agree with one at a time', async () => {
    await using context = await toy().model.createContext({
      nCtx: 1024,
      nSeqMax: 64,
      flashAttention: false,
      kvType: 'f32',
    });
    const session = context.session();
    await session.append(someTokens(5));
    const random = Array.from({ length: 80 }, (_, i) => someTokens(1 + (i % 9), i + 1).map((token) => token % 3));
    const scores = await session.score(random);
    for (const [i, tokens] of random.entries())
      expect(greatestDifference(scores[i]!, await oneByOne(context, someTokens(5), tokens))).toBeLessThan(
        NATS_APART.unquantisedCache,
      );
  });
});
