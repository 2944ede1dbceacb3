// Writes a seeded random pair and its manifest to gguf/nano: the stand-in until a trained model takes its place.
// Run after `npm run build`.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeToyPair } from '../dist/gguf/index.js';

const folder = path.resolve(import.meta.dirname, '..', 'gguf', 'nano');
const textName = 'nano.gguf';
const mmprojName = 'nano-mmproj.gguf';
await writeToyPair(folder, {
  preset: 'tiny',
  type: 'Q8_0',
  seed: 7,
  tokenizer: { maxInteger: 999 },
  textName,
  mmprojName,
});

const describe = (name) => {
  const bytes = readFileSync(path.join(folder, name));
  return { name, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
};
const manifest = {
  schemaVersion: 1,
  name: 'nano',
  licence: 'MIT',
  trained: false,
  files: { text: describe(textName), mmproj: describe(mmprojName) },
  promptProfile: 'compact',
  pixelBudget: { min: 28 * 28, max: 224 * 224 },
  contextCells: 2048,
  preprocess: { positionRamps: false },
  overlay: { labels: false },
  notes: { weights: 'random, from scripts/make-toy-nano.mjs; no photo was seen' },
};
writeFileSync(path.join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
