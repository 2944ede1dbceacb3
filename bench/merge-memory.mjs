// Peak memory of `framewright gguf lora-merge` on a random model of about 2 GB, which is made first, or kept in a folder:
//   npm run build && node bench/merge-memory.mjs [folder] > bench/results/merge-memory.json
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { encodeTensor, f32, readGguf, str, writeGguf, writeToyPair } from '../dist/gguf/index.js';
import { fillUniform, seededWords } from '../dist/gguf/random.js';

const RANK = 16;
const main = path.join(import.meta.dirname, '..', 'dist', 'src', 'cli', 'main.js');
const folder = process.argv[2] ?? (await mkdtemp(path.join(tmpdir(), 'framewright-merge-')));

const textPath = path.join(folder, 'model.gguf');
if (!existsSync(textPath)) {
  const text = { nEmbd: 2048, nHead: 16, nHeadKv: 2, nFf: 11008, nLayer: 12 };
  await writeToyPair(folder, { type: 'F16', text });
}
const adapter = path.join(folder, 'adapter.gguf');
await writeAdapter(textPath, adapter);
const output = path.join(folder, 'merged.gguf');
const startMs = performance.now();
const { peakBytes, code } = await peakOf(['gguf', 'lora-merge', textPath, adapter, '-o', output, '--json', '--force']);
const result = {
  what: 'peak resident memory of gguf lora-merge, all matrices of all layers changed',
  date: new Date().toISOString().slice(0, 10),
  cpu: cpus()[0]?.model,
  node: process.version,
  exitCode: code,
  modelBytes: (await stat(textPath)).size,
  rank: RANK,
  seconds: Math.round((performance.now() - startMs) / 1000),
  peakBytes,
};
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
if (process.argv[2] === undefined) await rm(folder, { recursive: true });
process.exitCode = code === 0 && peakBytes < 600e6 ? 0 : 1;

async function writeAdapter(basePath, file) {
  const { tensors } = await readGguf(basePath);
  const next = seededWords('merge-memory');
  const random = (n, std) => {
    const values = new Float32Array(n);
    fillUniform(values, next, 0, std);
    return encodeTensor('F32', values);
  };
  await writeGguf(file, {
    metadata: new Map([
      ['general.architecture', str('qwen2vl')],
      ['general.type', str('adapter')],
      ['adapter.type', str('lora')],
      ['adapter.lora.alpha', f32(2 * RANK)],
    ]),
    tensors: tensors
      .filter(({ name, shape }) => name.startsWith('blk.') && shape.length === 2)
      .flatMap(({ name, shape: [nIn, nOut] }) => [
        { name: `${name}.lora_a`, type: 'F32', shape: [nIn, RANK], data: random(nIn * RANK, nIn ** -0.5) },
        { name: `${name}.lora_b`, type: 'F32', shape: [RANK, nOut], data: random(nOut * RANK, 0.01) },
      ]),
  });
}

/** Runs the command in a process of its own, which says at its end what it took at most. */
function peakOf(args) {
  const program = `
    process.argv = [process.argv[0], ...${JSON.stringify(args)}];
    await import(${JSON.stringify(main)});
    process.send(process.resourceUsage().maxRSS * 1024, () => process.disconnect());
  `;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    let peakBytes = 0;
    child.on('message', (bytes) => (peakBytes = bytes));
    child.on('error', reject);
    child.on('close', (code) => resolve({ peakBytes, code }));
  });
}
