import { mutatedPair } from './fuzz/mutated-pair.js';
import { validatePair } from '../gguf/index.js';
import { mkdtemp, writeFile } from 'node:fs/promises';
import path from 'node:path';
const folder = await mkdtemp('/tmp/fuzz-');
const counts = new Map<string, number>();
const byMutation = new Map<string, [number, number]>();
for (let seed = 0; seed < Number(process.argv[2]); seed++) {
  const { text, mmproj, mutations } = mutatedPair(seed);
  const [t, m] = [path.join(folder, 'model.gguf'), path.join(folder, 'mmproj.gguf')];
  await writeFile(t, text);
  await writeFile(m, mmproj);
  const started = performance.now();
  const problems = await validatePair(t, m);
  const ms = performance.now() - started;
  if (ms > 200) console.log('slow', seed, ms, mutations);
  const key = problems[0]?.code ?? 'valid';
  counts.set(key, (counts.get(key) ?? 0) + 1);
  if (mutations.length === 1) {
    const e = byMutation.get(mutations[0]!) ?? [0, 0];
    e[problems.length === 0 ? 0 : 1]++;
    byMutation.set(mutations[0]!, e);
  }
}
console.log(counts, process.memoryUsage().rss / 1e6);
console.log([...byMutation].sort());
