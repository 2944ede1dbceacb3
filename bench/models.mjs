// The random models that benches run.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeToyPair } from '../dist/gguf/index.js';

/**
 * Random models, digits spelled one by one as in the real Qwen. The tiny one gets the full prompts with their sentences of
 * reason; the larger one the short prompts and fewer photos, or a run would take an hour on two cores.
 */
export const MODELS = {
  tiny: {
    pair: { preset: 'tiny', type: 'F32', seed: 1 },
    maxPixels: 224 * 224,
    prompts: 'standard',
    nPhotos: 5,
    rounds: 3,
    warmup: 1,
  },
  // A photo takes the peer a minute: what warming up saves is lost in it.
  '300m': {
    pair: { preset: '300m', type: 'Q8_0', seed: 1 },
    maxPixels: 336 * 336,
    prompts: 'compact',
    nPhotos: 1,
    rounds: 2,
    warmup: 0,
  },
};

/** One of MODELS as a folder to open. */
export async function writeModel(folder, name) {
  const { pair, maxPixels, prompts } = MODELS[name];
  mkdirSync(folder, { recursive: true });
  const { textPath, mmprojPath } = await writeToyPair(folder, pair);
  const file = (filePath) => ({ name: path.basename(filePath), bytes: 1, sha256: '0'.repeat(64) });
  const manifest = {
    schemaVersion: 1,
    name,
    licence: 'none',
    trained: false,
    files: { text: file(textPath), mmproj: file(mmprojPath) },
    promptProfile: prompts,
    pixelBudget: { min: 784, max: maxPixels },
    contextCells: 8192,
    preprocess: { positionRamps: false },
    overlay: { labels: true },
  };
  writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
  return { textPath, mmprojPath };
}
