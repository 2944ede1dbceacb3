import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { writeToyPair, type ToyOptions, type ToyPair } from '../../gguf/toy.js';
import type { VisionModel } from '../../src/runtime/model.js';
import { openRuntime, type Runtime } from '../../src/runtime/runtime.js';
import type { ModelOptions } from '../../src/runtime/types.js';

/** A toy pair in a folder of its own, gone after the file's tests. */
export interface Toy extends ToyPair {
  readonly folder: string;
  readonly runtime: Runtime;
  readonly model: VisionModel;
}

/** Call at the top of a file: one runtime and one loaded toy model for its tests. */
export function useToy(options: ToyOptions = {}, modelOptions: Partial<ModelOptions> = {}): () => Toy {
  let toy: Toy | undefined;
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'framewright-toy-'));
    const pair = await writeToyPair(folder, options);
    const runtime = await openRuntime({ gpu: 'cpu' });
    const model = await runtime.loadModel({
      path: pair.textPath,
      mmprojPath: pair.mmprojPath,
      threads: 1,
      ...modelOptions,
    });
    toy = { ...pair, folder, runtime, model };
  });
  afterAll(async () => {
    await toy?.runtime.dispose();
    if (toy) await rm(toy.folder, { recursive: true });
  });
  return () => {
    if (!toy) throw new Error('the toy is only there while tests run');
    return toy;
  };
}

/** Some text of the toy's vocabulary, the same for the same seed. */
export function someTokens(n: number, seed = 1): Int32Array {
  let state = seed * 2654435761;
  return Int32Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % 200;
  });
}

/** A random image, the same for the same seed. */
export function someImage(width: number, height: number, seed = 1): Uint8Array {
  let state = seed * 2654435761;
  return Uint8Array.from({ length: width * height * 3 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

/** Every token of the vocabulary: choices that give the whole distribution. */
export function wholeVocabulary(model: VisionModel): Int32Array {
  return Int32Array.from({ length: model.facts.nVocab }, (_, i) => i);
}
