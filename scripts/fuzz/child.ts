import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openRuntime } from '../../src/runtime/runtime.js';
import { judgePair, type Manner, type Verdict } from './judge.js';
import type { FamilyName } from '../../gguf/index.js';
import { mutatedPair } from './mutated-pair.js';

/** What a child says of a seed: that it begins, and how it ended. */
export type Report =
  | { readonly seed: number; readonly mutations: readonly string[] }
  | { readonly seed: number; readonly verdict: Verdict }
  | { readonly seed: number; readonly error: string };

/** Judges the pairs of some seeds, one after the other, and reports each before and after. */
export async function judgeSeeds(
  seeds: readonly number[],
  family: FamilyName | undefined,
  report: (report: Report) => void,
): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'framewright-fuzz-'));
  const [textPath, mmprojPath] = [path.join(folder, 'model.gguf'), path.join(folder, 'mmproj.gguf')];
  try {
    await using runtime = await openRuntime({ gpu: 'cpu' });
    for (const seed of seeds) {
      try {
        const { text, mmproj, mutations } = mutatedPair(seed, family);
        report({ seed, mutations });
        await writeFile(textPath, text);
        await writeFile(mmprojPath, mmproj);
        report({ seed, verdict: await judgePair(runtime, textPath, mmprojPath, mannerOf(seed)) });
      } catch (error) {
        report({ seed, error: String(error) });
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function mannerOf(seed: number): Manner {
  const image = seed % 3 === 0 ? { columns: 5, rows: 7 } : { columns: 3, rows: 2 };
  return { flashAttention: seed % 2 === 0, image };
}
