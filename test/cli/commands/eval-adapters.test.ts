import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { f32, findTensor, readGguf, str, writeGguf, type TensorToWrite } from '../../../gguf/index.js';
import { examplePhoto, projectFile } from '../../support/photos.js';
import { framewright } from '../run.js';

const RANK = 4;
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'framewright-adapters-'));
  await cp(examplePhoto('pagoda'), join(root, 'pagoda.jpg'));
  await writeFile(join(root, 'labels.jsonl'), '{"photo": "pagoda.jpg", "boxes": [[10, 10, 400, 300]]}\n');
  await cp(projectFile('gguf', 'nano'), join(root, 'copy'), { recursive: true });
  await writeAdapter('sft.gguf', 1);
  await writeAdapter('dpo.gguf', 2);
});
afterAll(() => rm(root, { recursive: true }));

/** An adapter of the bundled model's first queries. */
async function writeAdapter(name: string, spread: number): Promise<void> {
  const header = await readGguf(projectFile('gguf', 'nano', 'nano.gguf'));
  const [nIn, nOut] = findTensor(header, 'blk.0.attn_q.weight').shape as [number, number];
  const matrix = (suffix: string, shape: readonly [number, number]): TensorToWrite => ({
    name: `blk.0.attn_q.weight.${suffix}`,
    type: 'F32',
    shape,
    data: new Uint8Array(Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => spread * Math.sin(i)).buffer),
  });
  await writeGguf(join(root, name), {
    metadata: new Map([
      ['general.architecture', str('qwen2vl')],
      ['general.type', str('adapter')],
      ['adapter.type', str('lora')],
      ['adapter.lora.alpha', f32(RANK)],
    ]),
    tensors: [matrix('lora_a', [nIn, RANK]), matrix('lora_b', [RANK, nOut])],
  });
}

interface Result {
  readonly methods: readonly {
    readonly name: string;
    readonly key: string;
    readonly nReused: number;
    readonly ablation?: object;
    readonly sweeps?: readonly object[];
    readonly figures: Readonly<Record<string, { readonly value: number }>>;
  }[];
}

test('adapters off, their scale and model files are methods of one run, the same weights asked once', async () => {
  const [sft, dpo] = [join(root, 'sft.gguf'), join(root, 'dpo.gguf')];
  const copy = join(root, 'copy');
  const { code, stdout, stderr } = await framewright([
    ...['eval', 'own', root, '--engine', 'vlm', '--gpu', 'cpu', '--json', '--journal', join(root, 'journal.jsonl')],
    ...['--adapters', 'base=', '--adapters', `SFT=${sft}`, '--adapters', `DPO=${sft},${dpo}:0.5`],
    ...['--sweep', 'adapter-scale=0,1', '--sweep', `model=nano,${copy}`],
  ]);
  expect(stderr.replace(/^.*untrained.*\n/m, '')).toBe('');
  expect(code).toBe(0);
  const { methods } = JSON.parse(stdout) as Result;
  expect(methods.map(({ name, nReused }) => [name, nReused])).toEqual([
    ['DPO', 0],
    ['DPO, adapter scale 0', 0],
    ['DPO, copy', 1],
    ['base', 0],
    ['base, copy', 1],
    ['SFT', 0],
    ['SFT, adapter scale 0', 0],
    ['SFT, copy', 1],
  ]);
  const named = (name: string): Result['methods'][number] => methods.find((method) => method.name === name)!;
  expect(named('base').ablation).toEqual({ of: 'DPO', change: 'adapters: base' });
  expect(named('DPO').sweeps).toMatchObject([
    { parameter: 'adapter scale', value: 1, series: 'DPO' },
    { parameter: 'model (bits a weight)', label: 'nano', series: 'DPO' },
  ]);
  // Without any weight an adapter changes nothing; with it, these change the crop.
  expect(named('DPO, adapter scale 0').figures).toEqual(named('base').figures);
  expect(named('DPO').figures).not.toEqual(named('base').figures);
  expect(named('DPO').key).not.toBe(named('SFT').key);
});
