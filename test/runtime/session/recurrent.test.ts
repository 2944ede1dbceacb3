import { describe, expect, test } from 'vitest';
import type { Context } from '../../../src/runtime/session/context.js';
import type { Session } from '../../../src/runtime/session/session.js';
import type { ImageEmbedding } from '../../../src/runtime/image-embedding.js';
import { someImage, someTokens, useToy, wholeVocabulary } from '../toy.js';
import { greatestDifference, NATS_APART } from '../../support/reproducibility.js';

// What every family's sessions do is in random-operations.test.ts, of this one too. Here is what it costs, and what others need not.
const toy = useToy({ family: 'qwen35' });

async function createContext(nCtx = 512): Promise<Context> {
  return toy().model.createContext({ nCtx, nSeqMax: 8, flashAttention: false, kvType: 'f32' });
}

async function anImage(seed = 1): Promise<ImageEmbedding> {
  const size = { width: 3 * toy().model.cellPx, height: 2 * toy().model.cellPx };
  return toy().model.encodeImage(someImage(size.width, size.height, seed), size);
}

async function nextAfter(session: Session, tokens: Int32Array): Promise<Float32Array> {
  return (await session.append(tokens, { choices: wholeVocabulary(toy().model) })).logProbs;
}

/** A session of four tokens and an image. */
async function behindImage(context: Context, image: ImageEmbedding): Promise<Session> {
  const session = context.session();
  await session.append(someTokens(4));
  await session.appendImage(image);
  return session;
}

/** What a session says after four tokens, an image and six more, for comparison. */
async function untouched(context: Context, image: ImageEmbedding): Promise<Float32Array> {
  await using session = await behindImage(context, image);
  return await nextAfter(session, someTokens(6, 2));
}

const near = NATS_APART.unquantisedCache;

describe('rolling back', () => {
  test('behind an image decodes the text since it once more, and nothing before it', async () => {
    await using context = await createContext();
    const image = await anImage();
    const session = await behindImage(context, image);
    const atMark = await nextAfter(session, someTokens(6, 2));
    const mark = session.mark();
    await session.append(someTokens(9, 3));
    await session.rollback(mark);
    const before = context.counters().nTokensDecoded;
    expect(greatestDifference(await nextAfter(session, new Int32Array()), atMark)).toBeLessThan(near);
    expect(context.counters().nTokensDecoded - before).toBe(6);
    expect([session.nTokens, session.nPos]).toEqual([16, 13]);
  });

  test('over images goes back to the last one that is left', async () => {
    await using context = await createContext();
    const image = await anImage();
    const session = await behindImage(context, image);
    await session.append(someTokens(2, 2));
    const mark = session.mark();
    await session.append(someTokens(5, 3));
    await session.appendImage(await anImage(2));
    await session.append(someTokens(3, 4));
    await session.appendImage(await anImage(3));
    await session.rollback(mark);
    const wanted = await untouched(context, image);
    expect(greatestDifference(await nextAfter(session, someTokens(6, 2).slice(2)), wanted)).toBeLessThan(near);
  });

  test('of a fork leaves the session it was forked from where it is', async () => {
    await using context = await createContext();
    const image = await anImage();
    const session = context.session();
    await session.append(someTokens(4));
    const start = session.mark();
    await session.appendImage(image);
    const fork = await session.fork();
    const mark = fork.mark();
    await fork.append(someTokens(7, 5));
    await fork.rollback(mark);
    const wanted = await untouched(context, image);
    expect(greatestDifference(await nextAfter(fork, someTokens(6, 2)), wanted)).toBeLessThan(near);
    expect(greatestDifference(await nextAfter(session, someTokens(6, 2)), wanted)).toBeLessThan(near);
    await session.rollback(start);
    await session.appendImage(image);
    expect(greatestDifference(await nextAfter(session, someTokens(6, 2)), wanted)).toBeLessThan(near);
  });
});

describe('saved and restored', () => {
  test('a session goes on at once, and can be rolled back to where it was restored', async () => {
    await using first = await createContext();
    await using second = await createContext();
    const image = await anImage();
    const session = await behindImage(first, image);
    const wanted = await nextAfter(session, someTokens(6, 2));
    const state = await session.save();

    const busy = second.session();
    await busy.append(someTokens(20, 7));
    for (const target of [second.session(), busy]) {
      await target.restore(state);
      const before = second.counters().nTokensDecoded;
      expect(greatestDifference(await nextAfter(target, new Int32Array()), wanted)).toBe(0);
      expect(second.counters().nTokensDecoded).toBe(before);
      const mark = target.mark();
      const on = await nextAfter(target, someTokens(3, 3));
      await target.append(someTokens(8, 4));
      await target.rollback(mark);
      expect(greatestDifference(await nextAfter(target, someTokens(3, 3)), on)).toBeLessThan(near);
    }
    expect(
      greatestDifference(
        await nextAfter(session, someTokens(3, 3)),
        await nextAfter(await restored(second, state), someTokens(3, 3)),
      ),
    ).toBeLessThan(near);
  });

  test('a session rolled back just before it is saved, and one that ends in an image', async () => {
    await using context = await createContext();
    const image = await anImage();
    const session = await behindImage(context, image);
    const atImage = await session.save();
    await session.append(someTokens(6, 2));
    const mark = session.mark();
    await session.append(someTokens(6, 3));
    await session.rollback(mark);
    const behind = await session.save();
    const wanted = await untouched(context, image);
    expect(greatestDifference(await nextAfter(await restored(context, behind), new Int32Array()), wanted)).toBeLessThan(
      near,
    );
    expect(
      greatestDifference(await nextAfter(await restored(context, atImage), someTokens(6, 2)), wanted),
    ).toBeLessThan(near);
  });

  test('a state whose header lies about its logits is refused', async () => {
    await using context = await createContext();
    const session = context.session();
    await session.append(someTokens(6));
    const state = await session.save();
    await expect(session.restore(state.with(40, state[40]! ^ 1))).rejects.toMatchObject({ code: 'USAGE' });
    expect((await nextAfter(session, someTokens(1))).length).toBeGreaterThan(0);
  });
});

test('scores of continuations that begin alike are those of each alone, with few sequences too', async () => {
  await using context = await createContext();
  await using narrow = await toy().model.createContext({
    ...{ nCtx: 64, nSeqMax: 3, nBatch: 5, flashAttention: false, kvType: 'f32' },
  });
  const continuations = [
    Int32Array.of(5, 6, 7, 8),
    Int32Array.of(5, 6, 9),
    Int32Array.of(5),
    Int32Array.of(11, 12),
    Int32Array.of(5, 6, 7, 8, 9, 10),
    Int32Array.of(5, 6, 7, 8),
  ];
  const image = await anImage();
  for (const each of [context, narrow]) {
    const session = await behindImage(each, image);
    const end = await nextAfter(session, someTokens(6, 2));
    const scores = await session.score(continuations);
    expect(greatestDifference(await nextAfter(session, new Int32Array()), end)).toBe(0);
    for (const [i, tokens] of continuations.entries()) {
      const alone = await session.fork();
      const logProbs: number[] = [];
      let before = new Int32Array();
      for (const token of tokens) {
        logProbs.push((await alone.append(before, { choices: Int32Array.of(token) })).logProbs[0]!);
        before = Int32Array.of(token);
      }
      expect(greatestDifference(scores[i]!, logProbs)).toBeLessThan(near);
      await alone.dispose();
    }
    await session.dispose();
  }
});

test('an append that is called off leaves the session, and its neighbours, as they were', async () => {
  await using context = await createContext();
  const image = await anImage();
  const [session, other] = [context.session(), context.session()];
  await session.append(someTokens(4));
  await session.appendImage(image);
  await other.append(someTokens(30, 8));
  for (let round = 0; round < 10; round++) {
    const controller = new AbortController();
    const called = session.append(someTokens(40, round + 10), { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('stop')), round / 3);
    await called.catch(() => undefined);
    if (session.nTokens > 10) await session.rollback({ ...session.mark(), nTokens: 10, nPos: 7 });
  }
  const wanted = await untouched(context, image);
  expect(greatestDifference(await nextAfter(session, someTokens(6, 2)), wanted)).toBeLessThan(near);
  await using fresh = context.session();
  const same = await nextAfter(fresh, Int32Array.from([...someTokens(30, 8), 7]));
  expect(greatestDifference(await nextAfter(other, Int32Array.of(7)), same)).toBeLessThan(near);
});

async function restored(context: Context, state: Uint8Array): Promise<Session> {
  const session = context.session();
  await session.restore(state);
  return session;
}
