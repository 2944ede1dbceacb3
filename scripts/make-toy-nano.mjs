// Writes a seeded random pair and its manifest to gguf/nano: the stand-in until a trained model takes its place.
// Run after `npm run build`.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { TOY_PRESETS, writeToyPair } from '../dist/gguf/index.js';
import { loadPromptProfile } from '../dist/src/prompt/profile.js';
import { NANO_USE } from '../dist/training/nano/nano-use.js';
import { nanoTokenizer } from '../dist/training/nano/vocabulary.js';

const folder = path.resolve(import.meta.dirname, '..', 'gguf', 'nano');
const textName = 'nano.gguf';
const mmprojName = 'nano-mmproj.gguf';
const { reasons } = await loadPromptProfile(NANO_USE.promptProfile);
await writeToyPair(folder, {
  preset: 'tiny',
  type: 'Q8_0',
  text: { ...TOY_PRESETS.tiny.text, tied: false },
  vision: { ...TOY_PRESETS.tiny.vision, nWaPattern: 0 }, // as the trained model has it
  seed: 7,
  tokenizer: nanoTokenizer(reasons.kind === 'phrase' ? reasons.phrases : []),
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
  ...NANO_USE,
  notes: { weights: 'random, from scripts/make-toy-nano.mjs; no photo was seen' },
};
writeFileSync(path.join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
