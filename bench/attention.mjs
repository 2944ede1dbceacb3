// What ggml's flash attention costs on a CPU against the plain one: the same crops by two croppers in turn.
// `node bench/attention.mjs [--model file.gguf] [--rounds 5] [--threads 2]` after `npm run build`; without a model, a random
// one with the sizes of the tiny toy.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { writeToyPair } from '../dist/gguf/index.js';
import { openCropper } from '../dist/src/index.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const photo = path.resolve(import.meta.dirname, '..', 'examples', 'photos', 'mountains.jpg');
const folder = mkdtempSync(path.join(tmpdir(), 'framewright-bench-'));
const seconds = { plain: [], flash: [] };
try {
  const model = values.model ?? (await writeToyPair(folder, { preset: 'tiny', type: 'F32', seed: '1' })).textPath;
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const way of Object.keys(seconds)) {
      const options = { model, gpu: 'cpu', threads: Number(values.threads), flashAttention: way === 'flash' };
      const cropper = await openCropper(options);
      const start = performance.now();
      await cropper.crop(photo);
      seconds[way].push((performance.now() - start) / 1000);
      await cropper.dispose();
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
for (const [way, list] of Object.entries(seconds)) console.log(`${way}: median ${median(list).toFixed(3)} s a photo`);
console.log(`flash takes ${(median(seconds.flash) / median(seconds.plain)).toFixed(2)} times as long`);
