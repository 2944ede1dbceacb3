import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { mannerOf } from '../../scripts/fuzz/child.js';
import { judgePair } from '../../scripts/fuzz/judge.js';
import { mutatedPair } from '../../scripts/fuzz/mutated-pair.js';
import { openRuntime } from '../../src/runtime/runtime.js';
import { temporaryFolder } from './temporary.js';

const folder = await temporaryFolder();
const N_SEEDS = 100;

// The first seeds of scripts/fuzz-gguf.ts. A crash of native code ends this file's process, and vitest says so.
test(`${N_SEEDS} mutated pairs each end in a typed error or a working model`, async () => {
  const [textPath, mmprojPath] = [path.join(folder, 'model.gguf'), path.join(folder, 'mmproj.gguf')];
  const kinds = new Map<string, number>();
  await using runtime = await openRuntime({ gpu: 'cpu' });
  for (let seed = 0; seed < N_SEEDS; seed++) {
    const { text, mmproj, mutations } = mutatedPair(seed);
    await writeFile(textPath, text);
    await writeFile(mmprojPath, mmproj);
    const verdict = await judgePair(runtime, textPath, mmprojPath, mannerOf(seed)).catch((error: unknown) => {
      throw new Error(`seed ${seed} (${mutations.join(', ')})`, { cause: error });
    });
    kinds.set(verdict.kind, (kinds.get(verdict.kind) ?? 0) + 1);
  }
  // Each way out is taken, or the mutations test less than they seem to.
  expect([...kinds.keys()].sort()).toEqual(['failed', 'refused', 'works']);
  expect(kinds.get('works')).toBeGreaterThan(N_SEEDS / 10);
});

test('a seed makes the same pair again', () => {
  expect(mutatedPair(17).text.equals(mutatedPair(17).text)).toBe(true);
  expect(mutatedPair(17).mutations).not.toEqual(mutatedPair(18).mutations);
});
