import { describe, expect, test } from 'vitest';
import { writeToyPair } from '../../gguf/toy.js';
import type { Session } from '../../src/runtime/session/session.js';
import { someImage, someTokens, useToy, wholeVocabulary } from './toy.js';
import { greatestDifference, NATS_APART } from '../support/reproducibility.js';

/** Large enough that decoding and encoding take some hundred milliseconds: time to be aborted in. */
const toy = useToy({ preset: 'small' });

const size = { width: 420, height: 420 };

/** A signal that aborts a moment after its call began, with a reason of its own. */
function soon(ms: number): { readonly signal: AbortSignal; readonly reason: Error } {
  const controller = new AbortController();
  const reason = new Error('the user changed their mind');
  setTimeout(() => controller.abort(reason), ms);
  return { signal: controller.signal, reason };
}

async function expectUnharmed(session: Session, fresh: Session, prefix: Int32Array): Promise<void> {
  const choices = wholeVocabulary(toy().model);
  const { logProbs } = await session.append(someTokens(3, 8), { choices });
  const expected = await fresh.append(Int32Array.from([...prefix, ...someTokens(3, 8)]), { choices });
  expect(greatestDifference(logProbs, expected.logProbs)).toBeLessThan(NATS_APART.unquantisedCache);
}

describe('an abort rejects with the signal’s own reason, and everything stays usable', () => {
  test('before a call begins', async () => {
    const { runtime, model, textPath: path, mmprojPath } = toy();
    const reason = new Error('too late');
    const signal = AbortSignal.abort(reason);
    await using context = await model.createContext({ nCtx: 256 });
    const session = context.session();
    await expect(runtime.loadModel({ path, mmprojPath, signal })).rejects.toBe(reason);
    await expect(model.encodeImage(someImage(56, 56), { width: 56, height: 56 }, { signal })).rejects.toBe(reason);
    await expect(session.append(someTokens(3), { signal })).rejects.toBe(reason);
    await expect(session.generate({ maxTokens: 3, signal })).rejects.toBe(reason);
    await expect(session.score([someTokens(3)], { signal })).rejects.toBe(reason);
    expect(session.nTokens).toBe(0);
  });

  test('while a model loads', async () => {
    const { runtime, folder } = toy();
    const { textPath: path, mmprojPath } = await writeToyPair(`${folder}/big`, {
      text: { nLayer: 8, nEmbd: 512, nHead: 8, nFf: 2048 },
    });
    for (const at of [0.2, 0.9]) {
      const controller = new AbortController();
      const reason = new Error(`at ${at}`);
      const seen: number[] = [];
      const loading = runtime.loadModel({
        path,
        mmprojPath,
        mmap: false,
        signal: controller.signal,
        onProgress: (fraction) => {
          seen.push(fraction);
          if (fraction > at) controller.abort(reason);
        },
      });
      await expect(loading).rejects.toBe(reason);
      expect(seen.at(-1)).toBeGreaterThan(at);
      expect(seen.filter((fraction) => fraction > at).length).toBe(1);
    }
    const fractions: number[] = [];
    const model = await runtime.loadModel({ path, mmprojPath, onProgress: (fraction) => fractions.push(fraction) });
    expect(fractions.at(-1)).toBe(1);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    await model.dispose();
  });

  test('an error thrown by the progress listener ends the load with that error', async () => {
    const { runtime, textPath: path, mmprojPath } = toy();
    const error = new Error('no more progress');
    await expect(
      runtime.loadModel({
        path,
        mmprojPath,
        onProgress: () => {
          throw error;
        },
      }),
    ).rejects.toBe(error);
  });

  test('while an image is encoded, and the next in line is', async () => {
    const { model } = toy();
    const { signal, reason } = soon(20);
    const rgb = someImage(size.width, size.height);
    const encoded = model.encodeImage(rgb, size, { signal });
    const next = model.encodeImage(someImage(56, 56), { width: 56, height: 56 });
    await expect(encoded).rejects.toBe(reason);
    expect((await next).nTokens).toBe(4);
    const queued = soon(20);
    const first = model.encodeImage(rgb, size);
    await expect(model.encodeImage(rgb, size, { signal: queued.signal })).rejects.toBe(queued.reason);
    expect((await first).nTokens).toBe(225);
  });

  test('while text is decoded', async () => {
    await using context = await toy().model.createContext({ nCtx: 4096, flashAttention: false, kvType: 'f32' });
    const session = context.session();
    await session.append(someTokens(4));
    const { signal, reason } = soon(20);
    await expect(session.append(someTokens(2000, 2), { signal })).rejects.toBe(reason);
    expect([session.nTokens, session.nPos]).toEqual([4, 4]);
    await expectUnharmed(session, context.session(), someTokens(4));
  });

  test('while an image is decoded', async () => {
    await using context = await toy().model.createContext({ nCtx: 4096, flashAttention: false, kvType: 'f32' });
    const image = await toy().model.encodeImage(someImage(size.width, size.height), size);
    const session = context.session();
    await session.append(someTokens(4));
    const { signal, reason } = soon(5);
    await expect(session.appendImage(image, { signal })).rejects.toBe(reason);
    expect([session.nTokens, session.nPos]).toEqual([4, 4]);
    await expectUnharmed(session, context.session(), someTokens(4));
  });

  test('between two native calls, when one of several items is done', async () => {
    await using context = await toy().model.createContext({ nCtx: 4096, flashAttention: false, kvType: 'f32' });
    const [session, other] = [context.session(), context.session()];
    await Promise.all([session.append(someTokens(4)), other.append(someTokens(4))]);
    const controller = new AbortController();
    const reason = new Error('enough');
    const generated = session.generate({ maxTokens: 1000, signal: controller.signal });
    const rejected = expect(generated).rejects.toBe(reason);
    await other.append(someTokens(2));
    const before = context.counters().nTokensDecoded;
    controller.abort(reason);
    await rejected;
    await expectUnharmed(session, context.session(), someTokens(4));
    expect(context.counters().nTokensDecoded - before).toBeLessThan(20);
  });

  test('while tokens are generated', async () => {
    await using context = await toy().model.createContext({ nCtx: 4096, flashAttention: false, kvType: 'f32' });
    const session = context.session();
    await session.append(someTokens(4));
    const controller = new AbortController();
    const reason = new Error('enough');
    let n = 0;
    const generated = session.generate({
      grammar: 'root ::= [a-z]{1000}',
      maxTokens: 1000,
      signal: controller.signal,
      onToken: () => {
        if (++n === 5) controller.abort(reason);
      },
    });
    await expect(generated).rejects.toBe(reason);
    expect(n).toBe(5);
    expect(session.nTokens).toBe(4);
    await expectUnharmed(session, context.session(), someTokens(4));
  });

  test('while continuations are scored', async () => {
    await using context = await toy().model.createContext({ nCtx: 4096, flashAttention: false, kvType: 'f32' });
    const session = context.session();
    await session.append(someTokens(4));
    const { signal, reason } = soon(20);
    const continuations = Array.from({ length: 10 }, (_, i) => someTokens(200, i));
    await expect(session.score(continuations, { signal })).rejects.toBe(reason);
    await expectUnharmed(session, context.session(), someTokens(4));
    expect((await session.score(continuations.slice(0, 2)))[1]!.length).toBe(200);
  });

  test('of one request only: the others of its batch get their results', async () => {
    await using context = await toy().model.createContext({ nCtx: 4096, flashAttention: false, kvType: 'f32' });
    const choices = wholeVocabulary(toy().model);
    const [a, b, c] = [context.session(), context.session(), context.session()];
    const { signal, reason } = soon(10);
    const results = await Promise.allSettled([
      a.append(someTokens(500, 1), { choices }),
      b.append(someTokens(500, 2), { choices, signal }),
      c.generate({ maxTokens: 3 }),
    ]);
    expect(results[0].status).toBe('fulfilled');
    expect(results[1]).toEqual({ status: 'rejected', reason });
    expect(results[2]).toMatchObject({ status: 'rejected', reason: { code: 'USAGE' } });
    expect([a.nTokens, b.nTokens, c.nTokens]).toEqual([500, 0, 0]);
    await expectUnharmed(b, context.session(), new Int32Array());
    await expectUnharmed(a, context.session(), someTokens(500, 1));
  });

  test('many requests of one signal do not make Node warn of a leak', async () => {
    const warnings: string[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning.name);
    process.on('warning', onWarning);
    await using context = await toy().model.createContext({ nCtx: 1024, nSeqMax: 32 });
    const { signal } = new AbortController();
    const sessions = Array.from({ length: 32 }, () => context.session());
    await Promise.all(sessions.map(async (session, i) => session.append(someTokens(2, i), { signal })));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });
});
