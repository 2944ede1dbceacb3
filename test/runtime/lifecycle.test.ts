import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { writeToyPair } from '../../gguf/toy.js';
import { RUNTIME_URL, runAlone } from './compiled.js';
import { openRuntime } from '../../src/runtime/runtime.js';
import { someImage, someTokens, useToy } from './toy.js';

/** Large enough that there is time to dispose during a call. */
const toy = useToy({ preset: 'small' });

const size = { width: 420, height: 420 };
const disposed = { name: 'FramewrightError', code: 'DISPOSED' };

describe('dispose', () => {
  test('of a session, a context, a model or the runtime cancels what runs, in any order and more than once', async () => {
    const { textPath: path, mmprojPath } = toy();
    for (const what of ['session', 'context', 'model', 'runtime'] as const) {
      const runtime = await openRuntime({ gpu: 'cpu' });
      const model = await runtime.loadModel({ path, mmprojPath, threads: 1 });
      const context = await model.createContext({ nCtx: 4096 });
      const session = context.session();
      const decoding = session.append(someTokens(1000));
      const generating = session.generate({ maxTokens: 100 });
      const encoding =
        what === 'model' || what === 'runtime' ? model.encodeImage(someImage(420, 420), size) : undefined;
      const loading = what === 'runtime' ? runtime.loadModel({ path, mmprojPath }) : undefined;
      await new Promise((resolve) => setTimeout(resolve, 10));
      const rejections = Promise.all(
        [decoding, generating, encoding, loading].map(async (call) => {
          if (call) await expect(call).rejects.toMatchObject(disposed);
        }),
      );
      const parts = { session, context, model, runtime };
      await Promise.all([parts[what].dispose(), parts[what].dispose()]);
      await rejections;
      await expect(session.append(someTokens(1))).rejects.toMatchObject(disposed);
      if (what === 'session') {
        const again = context.session();
        expect((await again.append(someTokens(3), { choices: Int32Array.of(1) })).logProbs.length).toBe(1);
      }
      await Promise.all([session.dispose(), runtime.dispose(), context.dispose(), model.dispose()]);
    }
  });

  test('of the model first, then of what it made', async () => {
    const { runtime, textPath: path, mmprojPath } = toy();
    const model = await runtime.loadModel({ path, mmprojPath, threads: 1 });
    const image = await model.encodeImage(someImage(56, 56), { width: 56, height: 56 });
    const context = await model.createContext({ nCtx: 64 });
    const session = context.session();
    await model.dispose();
    await session.dispose();
    await context.dispose();
    image.dispose();
    image.dispose();
  });

  test('everything rejects with DISPOSED afterwards', async () => {
    const { runtime, textPath: path, mmprojPath } = toy();
    const model = await runtime.loadModel({ path, mmprojPath, threads: 1 });
    const image = await model.encodeImage(someImage(56, 56), { width: 56, height: 56 });
    const context = await model.createContext({ nCtx: 64 });
    const session = context.session();
    await session.append(someTokens(3));
    const mark = session.mark();
    image.dispose();
    await expect(session.appendImage(image)).rejects.toMatchObject(disposed);
    await session.dispose();
    for (const call of [
      session.append(someTokens(1)),
      session.generate({ maxTokens: 1 }),
      session.score([someTokens(2)]),
      session.fork(),
      session.rollback(mark),
      session.save(),
      session.restore(new Uint8Array(100)),
    ])
      await expect(call).rejects.toMatchObject(disposed);
    expect(() => session.mark()).toThrow(expect.objectContaining(disposed) as Error);
    await context.dispose();
    expect(() => context.session()).toThrow(expect.objectContaining(disposed) as Error);
    expect(() => context.counters()).toThrow(expect.objectContaining(disposed) as Error);
    expect(() => context.memory()).toThrow(expect.objectContaining(disposed) as Error);
    await model.dispose();
    await expect(model.createContext({ nCtx: 64 })).rejects.toMatchObject(disposed);
    await expect(model.encodeImage(someImage(56, 56), { width: 56, height: 56 })).rejects.toMatchObject(disposed);
    expect(() => model.tokenize('a')).toThrow(expect.objectContaining(disposed) as Error);
    expect(() => model.memory()).toThrow(expect.objectContaining(disposed) as Error);
    const another = await openRuntime({ gpu: 'cpu' });
    await another.dispose();
    await expect(another.loadModel({ path, mmprojPath })).rejects.toMatchObject(disposed);
    expect(() => another.onLog(() => undefined)).toThrow(expect.objectContaining(disposed) as Error);
  });

  test('between two native calls, when one of several items is done, is over at once', async () => {
    for (const what of ['context', 'session'] as const) {
      const context = await toy().model.createContext({ nCtx: 1024 });
      const [a, b] = [context.session(), context.session()];
      await Promise.all([a.append(someTokens(3)), b.append(someTokens(3))]);
      const rejected = expect(b.generate({ maxTokens: 900 })).rejects.toMatchObject(disposed);
      // Resolves before the context goes on with the other item.
      await a.append(someTokens(2));
      await (what === 'context' ? context : b).dispose();
      await rejected;
      await context.dispose();
    }
  });

  test('of an image between its calls in flight waits for them', async () => {
    await using context = await toy().model.createContext({ nCtx: 256 });
    const image = await toy().model.encodeImage(someImage(56, 56), { width: 56, height: 56 });
    const session = context.session();
    const appended = session.appendImage(image);
    image.dispose();
    await appended;
    expect(session.nTokens).toBe(4);
    await expect(session.appendImage(image)).rejects.toMatchObject(disposed);
    await session.append(someTokens(1));
  });

  test('of a session between its calls in flight lets the others of the batch finish', async () => {
    await using context = await toy().model.createContext({ nCtx: 4096 });
    const [a, b] = [context.session(), context.session()];
    const kept = a.append(someTokens(600), { choices: Int32Array.of(1) });
    const lost = b.append(someTokens(600, 2));
    const rejected = expect(lost).rejects.toMatchObject(disposed);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await b.dispose();
    await rejected;
    expect((await kept).logProbs.length).toBe(1);
  });
});

describe('log', () => {
  test('lines come to every listener until it stops, and nothing else does', async () => {
    const { runtime, textPath: path, mmprojPath } = toy();
    const lines: string[] = [];
    const others: string[] = [];
    const stop = runtime.onLog(({ level, text }) => {
      expect(['debug', 'info', 'warn', 'error']).toContain(level);
      lines.push(text);
    });
    const stopOther = runtime.onLog(({ text }) => others.push(text));
    await (await runtime.loadModel({ path, mmprojPath, threads: 1 })).dispose();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(lines.some((line) => line.includes('qwen2vl'))).toBe(true);
    expect(lines.every((line) => !line.includes('\n'))).toBe(true);
    expect(others.slice(-5)).toEqual(lines.slice(-5));
    stop();
    stopOther();
    const n = lines.length;
    await (await runtime.loadModel({ path, mmprojPath, threads: 1 })).dispose();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(lines.length).toBe(n);
  });
});

const WORK = `
  const model = await runtime.loadModel({ path: args[0], mmprojPath: args[1], threads: 1 });
  const context = await model.createContext({ nCtx: 2048 });
  const session = context.session();
  const tokens = new Int32Array(500).fill(7);`;

describe('processes and threads', () => {
  test('native code prints nothing, whatever goes wrong', async () => {
    const { textPath, mmprojPath } = toy();
    const { stdout, stderr } = await runAlone(
      `const runtime = await openRuntime({ gpu: 'auto' });
      ${WORK}
      const failures = [
        runtime.loadModel({ path: '/nowhere.gguf', mmprojPath: args[1] }),
        runtime.loadModel({ path: args[1], mmprojPath: args[0] }),
        runtime.loadModel({ path: args[0], mmprojPath: args[0] }),
        runtime.loadModel({ path: args[0], mmprojPath: args[1], loras: [{ path: args[0] }] }),
        model.createContext({ nCtx: 16777216, nBatch: 2048 }),
        session.append(new Int32Array(3000)),
        session.generate({ grammar: 'root ::= (', maxTokens: 3 }),
        session.generate({ grammar: 'root ::= root "a"', maxTokens: 3 }),
      ];
      for (const { status } of await Promise.allSettled(failures)) process.stdout.write(status[0]);
      const image = await model.encodeImage(new Uint8Array(84 * 84 * 3), { width: 84, height: 84 });
      await session.append(tokens);
      await session.appendImage(image);
      await session.append(tokens, { signal: AbortSignal.timeout(1) }).catch(() => undefined);
      await session.generate({ maxTokens: 5 }).catch(() => undefined);
      await runtime.dispose();`,
      textPath,
      mmprojPath,
    );
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^r{4}[rf]r{3}$/);
  });

  test('a process ends by itself once its work is done, without any dispose', async () => {
    const { textPath, mmprojPath } = toy();
    const { stdout } = await runAlone(
      `const runtime = await openRuntime({ gpu: 'cpu' });
      runtime.onLog(() => undefined);
      ${WORK}
      const { logProbs } = await session.append(tokens, { choices: Int32Array.of(1) });
      console.log(logProbs.length);`,
      textPath,
      mmprojPath,
    );
    expect(stdout).toBe('1\n');
  });

  test('process.exit with everything under way ends with its status and no signal', async () => {
    const { textPath, mmprojPath } = toy();
    for (const delayMs of [0, 3, 30]) {
      const { stdout } = await runAlone(
        `const runtime = await openRuntime({ gpu: 'cpu' });
        ${WORK}
        const second = await model.createContext({ nCtx: 2048, threads: 2 });
        session.append(tokens);
        session.generate({ maxTokens: 1000, onToken: () => undefined });
        second.session().append(tokens);
        model.encodeImage(new Uint8Array(420 * 420 * 3), { width: 420, height: 420 });
        runtime.loadModel({ path: args[0], mmprojPath: args[1], mmap: false });
        setTimeout(() => { console.log('out'); process.exit(0); }, ${delayMs});`,
        textPath,
        mmprojPath,
      );
      expect(stdout).toBe('out\n');
    }
  });

  test('threads use runtimes of their own at the same time, and may be terminated in the middle', async () => {
    const { textPath, mmprojPath, model } = toy();
    const program = `
      const { parentPort, workerData: { args, endless } } = require('node:worker_threads');
      (async () => {
        const { openRuntime } = await import(${JSON.stringify(RUNTIME_URL)});
        const runtime = await openRuntime({ gpu: 'cpu' });
        runtime.onLog(() => undefined);
        ${WORK}
        let { logProbs } = await session.append(tokens.subarray(0, 5), { choices: Int32Array.of(1, 2, 3) });
        parentPort.postMessage(Array.from(logProbs));
        if (!endless) return runtime.dispose();
        model.encodeImage(new Uint8Array(420 * 420 * 3), { width: 420, height: 420 });
        for (;;) await session.fork().then(async (fork) => {
          await fork.append(tokens);
          await fork.dispose();
        });
      })();`;
    const start = (endless: boolean): { worker: Worker; first: Promise<number[]>; exit: Promise<number> } => {
      const worker = new Worker(program, { eval: true, workerData: { args: [textPath, mmprojPath], endless } });
      return {
        worker,
        first: new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)),
        exit: new Promise((resolve) => worker.once('exit', resolve)),
      };
    };
    await using context = await model.createContext({ nCtx: 2048 });
    const threads = [start(false), start(true), start(true)];
    const choices = Int32Array.of(1, 2, 3);
    const { logProbs } = await context.session().append(new Int32Array(5).fill(7), { choices });
    for (const { first } of threads) expect(await first).toEqual(Array.from(logProbs));
    expect(await threads[0]!.exit).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await Promise.all(threads.slice(1).map(async ({ worker }) => worker.terminate()));
    expect((await context.session().append(someTokens(4), { choices })).logProbs.length).toBe(3);
  });

  test('memory does not grow over contexts, sessions, images and models that come and go', async () => {
    const { textPath, mmprojPath } = await writeToyPair(join(toy().folder, 'tiny'));
    const { stdout } = await runAlone(
      `const runtime = await openRuntime({ gpu: 'cpu' });
      const model = await runtime.loadModel({ path: args[0], mmprojPath: args[1], threads: 1, imageMaxTokens: 64 });
      const rss = [];
      const tokens = new Int32Array(20).fill(7);
      for (let i = 0; i < 300; i++) {
        const context = await model.createContext({ nCtx: 256, nBatch: 64 });
        const session = context.session();
        await session.append(tokens, { choices: tokens });
        const fork = await session.fork();
        const image = await model.encodeImage(new Uint8Array(56 * 56 * 3), { width: 56, height: 56 });
        await fork.appendImage(image);
        await fork.append(tokens);
        await fork.score([tokens, tokens.subarray(3)]);
        await fork.generate({ maxTokens: 2, grammar: 'root ::= [a-z]+', onToken: () => undefined });
        const state = await fork.save();
        await session.restore(state);
        if (i % 2) image.dispose();
        await fork.dispose();
        await context.dispose();
        if (i % 10 === 0) await (await runtime.loadModel({ path: args[0], mmprojPath: args[1], threads: 1 })).dispose();
        if (i % 150 === 149) { gc(); rss.push(process.memoryUsage.rss()); }
      }
      console.log(JSON.stringify(rss));
      await runtime.dispose();`,
      textPath,
      mmprojPath,
    );
    // The first half is for caches and compiled code to fill. A leak of one context or image a turn would be some 40 %.
    const [half, end] = JSON.parse(stdout) as [number, number];
    expect(end / half).toBeLessThan(1.15);
  });
});
