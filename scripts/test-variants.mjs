// The tests that rest on what the model computes, on two more of the CPU backend's variants besides the best, which
// `npm test` runs on: processors round otherwise, and no test may take one's rounding for a fact. After `npm run build`.
// Usage: npm run test:variants [-- variant ...]
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { chooseVariants } from './choose-variants.mjs';

const root = path.resolve(import.meta.dirname, '..');

/**
 * Where an assertion is about log-probabilities, scores, texts, boxes or memory that come out of ggml's CPU kernels. What
 * only passes through a model (signals, threads, journals, output files) is the same on all of them.
 */
const FILES = [
  'test/runtime/session',
  'test/runtime/model.test.ts',
  'test/runtime/quantize.test.ts',
  'test/runtime/backends/cpu-variants.test.ts',
  'test/vlm',
  'test/cropper/auto.test.ts',
  'test/cropper/hold.test.ts',
  'test/cropper/same-question.test.ts',
  'test/attention/photo-attention.test.ts',
  'test/eval/vlm.test.ts',
  'test/cli/crop/jobs.test.ts',
  'test/cli/commands/attention.test.ts',
  'test/cli/commands/eval.test.ts',
  'test/cli/commands/eval-adapters.test.ts',
  'test/gguf/toy-in-llama.test.ts',
  'test/model/lora.test.ts',
  'test/model/plan/predict.test.ts',
  'test/train/parity.test.ts',
];

/** The plainest variant takes about three times as long as the best (a crop by the nano, 2026-11). */
const TIMEOUT = '--testTimeout=240000';

const { executable, best, others } = await chooseVariants();
const wanted = process.argv.length > 2 ? process.argv.slice(2) : others;
console.log(`CPU variants this machine executes: ${executable.join(', ') || 'one, of a build from source'}`);
console.log(`npm test runs on the best, ${best ?? 'that one'}; now ${wanted.join(' and ') || 'no other'}`);
for (const variant of wanted) {
  const start = performance.now();
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
  const { status } = spawnSync(process.execPath, [vitest, 'run', TIMEOUT, ...FILES], {
    cwd: root,
    env: { ...process.env, FRAMEWRIGHT_CPU: variant },
    stdio: 'inherit',
  });
  console.log(`== CPU variant ${variant}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
  if (status !== 0) process.exit(1);
}
