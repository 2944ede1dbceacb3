import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import type { Context } from '../../../src/runtime/session/context.js';
import { usableCores } from '../../../src/runtime/threads.js';
import { declareWhere } from '../../support/system-tools.js';
import { someTokens, useToy } from '../toy.js';

const toy = useToy();
const CORES = usableCores();

/** Runs `work` while a process a core, and as many again, compute for nothing. */
async function besideBusyLoops(work: () => Promise<void>): Promise<void> {
  const loops = Array.from({ length: 2 * availableParallelism() }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  );
  try {
    await work();
  } finally {
    for (const loop of loops) loop.kill('SIGKILL');
  }
}

/** Decodes until the context computes with `nThreads`, or for a minute. */
async function decodeUntil(context: Context, nThreads: number): Promise<void> {
  const tokens = someTokens(256);
  const end = performance.now() + 60_000;
  while (context.counters().nThreads !== nThreads && performance.now() < end) {
    const session = context.session();
    await session.append(tokens);
    await session.dispose();
  }
}

async function scored(context: Context): Promise<Float32Array[]> {
  const session = context.session();
  await session.append(someTokens(8));
  return session.score([someTokens(12, 2)]);
}

declareWhere(CORES > 1, 'that threads follow the load', 'two cores', () => {
  test('a context takes one thread while others take all cores, and scores as it does with more', async () => {
    const { runtime, textPath, mmprojPath } = toy();
    await using model = await runtime.loadModel({ path: textPath, mmprojPath });
    const settings = { nCtx: 512, kvType: 'f32', flashAttention: false } as const;
    await using context = await model.createContext(settings);
    expect(context.counters().nThreads).toBe(CORES);
    await besideBusyLoops(async () => {
      await decodeUntil(context, 1);
      expect(context.counters().nThreads).toBe(1);
    });
    await using fixed = await model.createContext({ ...settings, threads: CORES });
    expect(await scored(context)).toEqual(await scored(fixed));
  });

  test('a number that was asked for is kept to', async () => {
    await using context = await toy().model.createContext({ nCtx: 512, threads: 2 });
    await besideBusyLoops(async () => {
      const end = performance.now() + 1500;
      while (performance.now() < end) {
        const session = context.session();
        await session.append(someTokens(128));
        await session.dispose();
      }
      expect(context.counters().nThreads).toBe(2);
    });
  });
});
