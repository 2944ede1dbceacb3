// LoRA training of a toy of about 9 million parameters, sequence 512, here and in torch: tokens a second and peak memory of
// forward, backward and an AdamW step, in turns in the same run.
//   npm run build && node bench/train.mjs [--python python3] [--rounds 3] [--steps 8] [--threads 2]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeToyPair } from '../dist/gguf/index.js';
import { quantizeModel } from '../dist/src/runtime/quantize.js';
import { openRuntime } from '../dist/src/runtime/runtime.js';

const N_TOKENS = 512;
const N_ROWS = 256;
const TEXT = { nEmbd: 384, nLayer: 6, nHead: 6, nHeadKv: 2, nFf: 896, nCtx: 8192, tied: true };
const { values: flags } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '8' },
    threads: { type: 'string', default: '2' },
    worker: { type: 'string' },
    recompute: { type: 'boolean', default: false },
  },
});
const steps = Number(flags.steps);
const threads = Number(flags.threads);
const root = path.resolve(import.meta.dirname, '..');

if (flags.worker) await work(flags.worker);
else await compare();

/** One process of ours: what training/lora/speed.py is of torch's. */
async function work(file) {
  const runtime = await openRuntime({ gpu: 'cpu' });
  const trainer = await runtime.openTrainer({ path: file, threads, recompute: flags.recompute });
  const tokens = Int32Array.from({ length: N_TOKENS }, (_, i) => (i * 7919) % 200);
  const line = Array.from({ length: N_TOKENS }, (_, i) => i);
  const sample = {
    tokens,
    imageRows: new Float32Array(0),
    positions: Int32Array.from([...line, ...line, ...line]),
    branches: new Int32Array(N_TOKENS),
    rows: Int32Array.from({ length: N_ROWS }, (_, i) => N_TOKENS - N_ROWS - 1 + i),
    targets: tokens.slice(N_TOKENS - N_ROWS),
    signs: new Float32Array(N_ROWS).fill(1),
  };
  const adamw = { learningRate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clipNorm: 1 };
  const step = async () => {
    await trainer.accumulate(sample, { weight: 1 / N_ROWS, beta: 0, reference: 0 });
    await trainer.step(adamw);
  };
  const beforeBytes = process.resourceUsage().maxRSS * 1024;
  await step();
  const seconds = [];
  const startCpu = process.cpuUsage();
  for (let i = 0; i < steps; i++) {
    const start = performance.now();
    await step();
    seconds.push((performance.now() - start) / 1000);
  }
  const { user, system } = process.cpuUsage(startCpu);
  const cpuSeconds = (user + system) / 1e6 / steps;
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  console.log(JSON.stringify({ seconds, cpuSeconds, peakBytes, beforeBytes, computeBytes: trainer.computeBytes() }));
  await runtime.dispose();
}

async function compare() {
  const folder = mkdtempSync(path.join(tmpdir(), 'framewright-bench-'));
  try {
    const { textPath } = await writeToyPair(folder, { text: TEXT });
    const quantised = path.join(folder, 'q8.gguf');
    await quantizeModel(textPath, quantised, { type: 'Q8_0', pure: true });
    const own = (file, ...more) =>
      run(process.execPath, [fileURLToPath(import.meta.url), '--worker', file, ...common(), ...more]);
    const torch = () =>
      run(flags.python, ['-m', 'lora.speed', '--model', textPath, '--tokens', N_TOKENS, '--rows', N_ROWS, ...common()]);
    const runs = {
      'torch, F32': torch,
      'framewright, F32': () => own(textPath),
      'framewright, F32, recompute': () => own(textPath, '--recompute'),
      'framewright, Q8_0': () => own(quantised),
    };
    const found = Object.fromEntries(Object.keys(runs).map((name) => [name, []]));
    for (let round = 0; round < Number(flags.rounds); round++)
      for (const [name, start] of Object.entries(runs)) found[name].push(start());
    const results = Object.entries(found).map(([name, each]) => ({
      name,
      tokensPerSecond: Math.round(N_TOKENS / median(each.flatMap(({ seconds }) => seconds))),
      tokensPerCpuSecond: Math.round(N_TOKENS / median(each.map(({ cpuSeconds }) => cpuSeconds))),
      peakMB: Math.round(median(each.map(({ peakBytes }) => peakBytes)) / 1e6),
      peakOverLoadedMB: Math.round(median(each.map(({ peakBytes, beforeBytes }) => peakBytes - beforeBytes)) / 1e6),
    }));
    console.table(results);
    const report = {
      cpu: cpus()[0].model,
      threads,
      nTokens: N_TOKENS,
      nRows: N_ROWS,
      text: TEXT,
      torch: found['torch, F32'][0].version,
      results,
    };
    writeFileSync(path.join(import.meta.dirname, 'results', 'train.json'), `${JSON.stringify(report, null, 2)}\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function common() {
  return ['--threads', threads, '--steps', steps];
}

function run(program, args) {
  const env = { ...process.env, PYTHONPATH: path.join(root, 'training'), OMP_NUM_THREADS: String(threads) };
  const { status, stdout, stderr } = spawnSync(program, args.map(String), { encoding: 'utf8', env });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
