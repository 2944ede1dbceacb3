import { execFileSync } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { convertLora, readGguf, readTensor, writeToyPair } from '../../gguf/index.js';
import { findTensor } from '../../gguf/tensor-data.js';
import { decodeTensor } from '../../gguf/decode-tensor.js';
import { projectFile } from '../support/photos.js';
import { PeftPatterns } from '../../gguf/peft-config.js';
import { temporaryFolder } from './temporary.js';

const folder = await temporaryFolder();
const sft = projectFile('test', 'fixtures', 'lora', 'sft');
const dpo = projectFile('test', 'fixtures', 'lora', 'dpo');

let nCopies = 0;
/** The SFT adapter with another configuration, or tensors named otherwise. */
async function changed(config: object, rename: (name: string) => string = (name) => name): Promise<string> {
  const copy = path.join(folder, String(nCopies++));
  await mkdir(copy);
  const own = JSON.parse(await readFile(path.join(sft, 'adapter_config.json'), 'utf8')) as object;
  await writeFile(path.join(copy, 'adapter_config.json'), JSON.stringify({ ...own, ...config }));
  const bytes = await readFile(path.join(sft, 'adapter_model.safetensors'));
  const nHeader = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, 8 + nHeader).toString()) as Record<string, unknown>;
  const renamed = Buffer.from(
    JSON.stringify(Object.fromEntries(Object.entries(header).map(([k, v]) => [rename(k), v]))),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(renamed.length));
  await writeFile(
    path.join(copy, 'adapter_model.safetensors'),
    Buffer.concat([length, renamed, bytes.subarray(8 + nHeader)]),
  );
  return copy;
}

const out = path.join(folder, 'out.gguf');

test('an adapter’s matrices are copied under llama.cpp’s names, BF16 as F32', async () => {
  expect(await convertLora(sft, out)).toEqual({ nPairs: 14, rank: 4, alpha: 8 });
  const header = await readGguf(out);
  expect([...header.metadata].map(([key, { value }]) => [key, value])).toEqual([
    ['general.architecture', 'qwen2vl'],
    ['general.type', 'adapter'],
    ['adapter.type', 'lora'],
    ['adapter.lora.alpha', 8],
  ]);
  expect(findTensor(header, 'blk.0.ffn_down.weight.lora_a')).toMatchObject({ type: 'F32', shape: [128, 4] });
  expect(findTensor(header, 'blk.1.attn_v.weight.lora_b')).toMatchObject({ type: 'F32', shape: [4, 32] });
});

test('rsLoRA and patterns of ranks and alphas come out as one alpha', async () => {
  const { alpha } = await convertLora(dpo, out);
  const header = await readGguf(out);
  // Each pair's alpha / rank times b must be PEFT's alpha / sqrt(rank) times its b: here the first is attn_output's.
  expect(alpha).toBeCloseTo(3 * Math.sqrt(2), 5);
  const b = async (name: string): Promise<Float32Array> =>
    decodeTensor('F32', await readTensor(header, findTensor(header, `${name}.weight.lora_b`)));
  expect(findTensor(header, 'blk.0.attn_v.weight.lora_a').shape).toEqual([64, 3]);
  const down = await b('blk.0.ffn_down');
  const raw = await readFile(path.join(dpo, 'adapter_model.safetensors'));
  const nHeader = Number(raw.readBigUInt64LE());
  const entries = JSON.parse(raw.subarray(8, 8 + nHeader).toString()) as Record<
    string,
    { data_offsets: [number, number] }
  >;
  const key = 'base_model.model.model.language_model.layers.0.mlp.down_proj.lora_B.weight';
  const first = raw.readFloatLE(8 + nHeader + entries[key]!.data_offsets[0]);
  expect((down[0]! * alpha) / 2).toBeCloseTo((first * 5) / Math.sqrt(2), 5);
});

test.each([
  'model.layers.1.self_attn.q_proj',
  '^model.layers.1.self_attn.q_proj',
  'layers.1.self_attn.q_proj',
  '.*1.self_attn.q_proj',
])('the pattern %s is matched with a module’s whole name, as PEFT does', async (pattern) => {
  const b = async (config: object): Promise<readonly number[]> => {
    await convertLora(await changed(config), out);
    const header = await readGguf(out);
    const { type, ...tensor } = findTensor(header, 'blk.1.attn_q.weight.lora_b');
    return Array.from(decodeTensor(type, await readTensor(header, { type, ...tensor })));
  };
  const plain = await b({});
  expect(await b({ alpha_pattern: { [pattern]: 64 } })).toEqual(plain.map((value) => value * 8));
  await expect(b({ rank_pattern: { [pattern]: 5 } })).rejects.toThrow(/its rank is 4, and adapter_config\.json says 5/);
  expect(await b({ r: 5, rank_pattern: { [pattern]: 4, '.*(layers.0.*|mlp.*|self_attn.[kvo]_proj)': 4 } })).toEqual(
    plain,
  );
});

test('a pattern that begins in the midst of a name says nothing of the module', async () => {
  for (const pattern of ['^layers.1.self_attn.q_proj', 'ayers.1.self_attn.q_proj', 'self_attn.q'])
    await convertLora(await changed({ rank_pattern: { [pattern]: 5 } }), out);
});

test.each([
  { init_lora_weights: true },
  { init_lora_weights: 'gaussian' },
  { init_lora_weights: 'eva' },
  { layer_replication: null, target_parameters: null, trainable_token_indices: null, use_qalora: false },
  { layer_replication: [], target_parameters: [], alora_invocation_tokens: null },
])('%j makes a plain adapter', async (config) => {
  expect(await convertLora(await changed(config), out)).toMatchObject({ nPairs: 14 });
});

test('halves in F16 on request', async () => {
  await convertLora(sft, out, { type: 'F16' });
  expect(new Set((await readGguf(out)).tensors.map(({ type }) => type))).toEqual(new Set(['F16']));
});

describe('what llama.cpp cannot do with an adapter is refused with what to do instead', () => {
  test.each([
    [{ use_dora: true }, /DoRA/],
    [{ modules_to_save: ['lm_head'] }, /modules_to_save \(lm_head\)/],
    [{ bias: 'all' }, /biases/],
    [{ fan_in_fan_out: true }, /fan_in_fan_out/],
    [{ peft_type: 'IA3' }, /peft_type LORA/],
    [{ r: 'x' }, /r and lora_alpha must be numbers/],
    [
      { init_lora_weights: 'pissa_niter_16' },
      /pissa_niter_16 changes the base.*path_initial_model_for_weight_conversion/,
    ],
    [{ init_lora_weights: 'olora' }, /path_initial_model_for_weight_conversion/],
    [{ init_lora_weights: 'corda' }, /path_initial_model_for_weight_conversion/],
    [{ init_lora_weights: 'lora_ga' }, /path_initial_model_for_weight_conversion/],
    [{ init_lora_weights: 'loftq' }, /loftq changes the base.*another initialisation/],
    [{ use_qalora: true }, /QALoRA/],
    [{ layer_replication: [[0, 2]] }, /layer_replication/],
    [{ target_parameters: ['mlp.experts'] }, /target_parameters/],
    [{ trainable_token_indices: [1] }, /trainable_token_indices/],
    [{ trainable_token_indices: { embed_tokens: [1] } }, /trainable_token_indices/],
    [{ alora_invocation_tokens: [1] }, /alora_invocation_tokens/],
    [{ lora_alpha: 0 }, /the alpha of model\.layers\.\S+ is 0/],
    [{ alpha_pattern: { q_proj: 0 } }, /the alpha of \S+q_proj is 0/],
    [{ lora_alpha: '8' }, /r and lora_alpha must be numbers/],
    [{ alpha_pattern: { q_proj: '8' } }, /alpha_pattern must be an object of numbers/],
    [{ rank_pattern: 4 }, /rank_pattern/],
    [{ r: 8 }, /its rank is 4, and adapter_config\.json says 8/],
  ])('%j', async (config, message) => {
    await expect(convertLora(await changed(config), out)).rejects.toThrow(message);
  });

  test.each([
    ['model.layers.0.self_attn.q_proj.lora_A', 'visual.blocks.0.attn.qkv.lora_A', /vision tower/],
    ['model.layers.0.self_attn.q_proj.lora_A', 'model.embed_tokens.lora_embedding_A', /embeddings and output matrix/],
    ['model.layers.0.self_attn.q_proj.lora_A.weight', 'model.layers.0.self_attn.q_proj.lora_magnitude_vector', /DoRA/],
    ['model.layers.0.mlp.up_proj.lora_A', 'model.layers.0.mlp.fc1.lora_A', /has no mlp\.fc1/],
    ['model.layers.0.mlp.up_proj.lora_A', 'model.layers.0.mlp.experts.3.up_proj.lora_A', /it adapts experts/],
    ['model.layers.0.mlp.up_proj.lora_A', 'model.layers.5.mlp.up_proj.lora_A', /has no lora_[AB]/],
  ])('a tensor %s named %s', async (from, to, message) => {
    const copy = await changed({}, (name) => name.replace(from, to));
    await expect(convertLora(copy, out)).rejects.toMatchObject({ message: expect.stringMatching(message) as string });
  });

  test.each([
    ['linear_attn.in_proj_qkv', 'qwen2vl', /a layer of a Qwen2.5-VL has no linear_attn\.in_proj_qkv/],
    ['linear_attn.in_proj_qkv', 'qwen35', /blk\.0\.attn_qkv\.weight: in what order its rows go.*--base/],
    ['linear_attn.conv1d', 'qwen35', /it adapts a convolution.*leave conv1d out/],
    ['linear_attn.norm', 'qwen35', /a layer of a Qwen3.5 has no linear_attn\.norm/],
  ] as const)('%s of a %s', async (module, family, message) => {
    const copy = await changed({}, (name) => name.replace('layers.0.self_attn.q_proj', `layers.0.${module}`));
    await expect(convertLora(copy, out, { family })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(message) as string,
    });
  });

  test('the block that guesses ahead', async () => {
    const copy = await changed({}, (name) => name.replace('model.layers.0.', 'mtp.layers.0.'));
    await expect(convertLora(copy, out, { family: 'qwen35' })).rejects.toThrow(
      /it adapts the block that guesses ahead/,
    );
  });

  test('a base of another shape', async () => {
    const { textPath } = await writeToyPair(path.join(folder, 'wide'), { text: { nEmbd: 128 } });
    await expect(convertLora(sft, out, { base: await readGguf(textPath) })).rejects.toThrow(
      /blk\.0\.attn_k\.weight is 128 x 64 in .*, and the adapter is for 64 x 32/,
    );
  });

  test('files that are cut or no safetensors at all', async () => {
    const copy = path.join(folder, 'cut');
    await cp(sft, copy, { recursive: true });
    const file = path.join(copy, 'adapter_model.safetensors');
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, bytes.length - 100));
    await expect(convertLora(copy, out)).rejects.toMatchObject({ code: 'TRUNCATED' });
    for (const broken of [
      Buffer.from('hello'),
      Buffer.alloc(64),
      Buffer.concat([bytes.subarray(0, 8), Buffer.from('{]'.repeat(20_000))]),
    ]) {
      await writeFile(file, broken);
      await expect(convertLora(copy, out)).rejects.toMatchObject({ code: 'MALFORMED' });
    }
  });
});

describe('patterns of an adapter_config.json', () => {
  test.each([
    ['self_attn.q_proj', 'model.layers.0.self_attn.q_proj', true],
    ['q_proj', 'model.layers.0.self_attn.q_proj', true],
    ['proj', 'model.layers.0.self_attn.q_proj', false],
    ['^model.layers.0.self_attn.q_proj', 'model.layers.0.self_attn.q_proj', true],
    ['.*layers\\.(0|1)\\..*(q|k)_proj$', 'model.layers.1.self_attn.k_proj', true],
    ['.*layers\\.(0|1)\\..*(q|k)_proj$', 'model.layers.2.self_attn.k_proj', false],
    ['layers.[0-9]+.mlp.\\w*', 'model.layers.12.mlp.down_proj', true],
    ['layers.\\d{2,}.mlp.(?:up|down)_proj', 'model.layers.12.mlp.up_proj', true],
    ['layers.\\d{2}.mlp.(?:up|down)_proj', 'model.layers.1.mlp.up_proj', false],
    ['layers.[^02].*', 'layers.1.x', true],
    ['layers.[^0-2].*', 'layers.1.x', false],
    ['[]a-]+', 'a]-', true],
    ['a|b|', '', true],
    ['(a?){3}b+?', 'aab', true],
    ['(a?){3}b+?', 'aaaab', false],
  ])('%s for %s: %s, as PEFT says', (pattern, module, matches) => {
    expect(new PeftPatterns('x', [[pattern, 7]]).valueOf(module)).toBe(matches ? 7 : undefined);
    expect(new RegExp(`^(?:.*\\.)?(?:${pattern})$`).test(module)).toBe(pattern === '[]a-]+' ? false : matches);
  });

  test('that backtracking never ends are matched at once', async () => {
    for (const pattern of ['([a-z_.0-9]+)+!', '(a|a)*b', '(.*)*(.*)*(.*)*!', '((((.*)+)+)+)+!', '(\\w|.){0,30}!']) {
      expect(await convertLora(await changed({ rank_pattern: { [pattern]: 4 } }), out)).toMatchObject({ nPairs: 14 });
      expect(new PeftPatterns('x', [[pattern, 1]]).valueOf('a'.repeat(2000))).toBeUndefined();
    }
  });

  test('are refused where they are none, or take what only backtracking gives, or too long', async () => {
    for (const pattern of ['(', '[a', 'a**', '\\1', '(?=a)', '(?<!a)b', '*', 'a{3,1}', 'b\\b', 'x'.repeat(2000)]) {
      const config = { alpha_pattern: { [pattern]: 4 } };
      await expect(convertLora(await changed(config), out)).rejects.toMatchObject({ code: 'MALFORMED' });
    }
    const many = Array.from({ length: 200 }, (_, i) => [`(.*){0,200}${i}!`, 1] as const);
    const patterns = new PeftPatterns('x', many);
    expect(() => patterns.valueOf('a'.repeat(500))).toThrow(/takes too long/);
    await expect(convertLora(await changed({ rank_pattern: { '((a{99}){99}){99}': 1 } }), out)).rejects.toMatchObject({
      code: 'MALFORMED',
    });
  });
});

test.each([
  ['null', 'null'],
  ['a number', '7'],
  ['nothing', ''],
])('a configuration that is %s is refused', async (_, text) => {
  const copy = await changed({});
  await writeFile(path.join(copy, 'adapter_config.json'), text);
  await expect(convertLora(copy, out)).rejects.toMatchObject({ code: 'MALFORMED' });
});

test('pipes in the place of an adapter’s files are refused at once', async () => {
  for (const name of ['adapter_config.json', 'adapter_model.safetensors']) {
    const copy = await changed({});
    await rm(path.join(copy, name));
    execFileSync('mkfifo', [path.join(copy, name)]);
    await expect(convertLora(copy, out)).rejects.toMatchObject({ code: 'IO' });
  }
});
