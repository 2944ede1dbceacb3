import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { declareWhere } from '../../support/system-tools.js';
import { someTokens, useToy } from '../toy.js';

const toy = useToy();

test('time is told apart by what was decoded, and reading it counted beside', async () => {
  await using context = await toy().model.createContext({ nCtx: 512 });
  const session = context.session();
  expect(context.counters()).toMatchObject({ decodeMs: 0, imageMs: 0, stepMs: 0, readMs: 0 });

  await session.append(someTokens(20));
  const prompt = context.counters();
  expect(prompt).toMatchObject({ imageMs: 0, stepMs: 0, nSingleTokenSteps: 0 });
  expect(prompt.decodeMs).toBeGreaterThan(0);

  using image = await toy().model.encodeImage(new Uint8Array(56 * 56 * 3), { width: 56, height: 56 });
  await session.appendImage(image);
  const shown = context.counters();
  expect(shown.imageMs).toBeCloseTo(shown.decodeMs - prompt.decodeMs, 6);
  expect(shown.stepMs).toBe(0);

  await session.append(someTokens(3), { choices: Int32Array.of(1, 2) });
  const asked = context.counters();
  expect(asked.stepMs).toBe(0);
  await session.append(someTokens(1), { choices: Int32Array.of(1, 2) });
  const stepped = context.counters();
  expect(stepped.nSingleTokenSteps).toBe(1);
  expect(stepped.stepMs).toBeCloseTo(stepped.decodeMs - asked.decodeMs, 6);
  expect(stepped.imageMs).toBe(shown.imageMs);
  expect(stepped.readMs).toBeGreaterThan(asked.readMs);
});

declareWhere(process.platform === 'linux', 'names of threads', 'Linux', () => {
  test('threads have names that profilers show', async () => {
    await using _context = await toy().model.createContext({ nCtx: 64 });
    const names = readdirSync('/proc/self/task').map((id) => readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim());
    expect(names).toEqual(expect.arrayContaining(['framewright mod', 'framewright con']));
  });
});
