import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  convertCheckpoint,
  readGguf,
  readTensor,
  requireValidPair,
  type ConvertedType,
  type GgufHeader,
  type GgufMetadata,
} from '../../gguf/index.js';
import { openRuntime } from '../../src/runtime/runtime.js';
import { nativeCodec } from '../../src/runtime/tensor-codec.js';
import { projectFile } from '../support/photos.js';
import { greatestDifference } from '../support/reproducibility.js';
import { temporaryFolder } from './temporary.js';

const folder = await temporaryFolder();
const CHECKPOINTS = ['qwen2.5-vl', 'qwen3-vl', 'qwen3-vl-moe', 'qwen3.5'] as const;
const TYPES = ['F32', 'F16', 'BF16', 'Q8_0'] as const satisfies readonly ConvertedType[];
const checkpoint = (name: string): string => projectFile('test', 'fixtures', 'convert', name);

/** Of llama.cpp's converter: a tensor's type, shape and the sha256 of its data. */
type Written = Readonly<Record<string, readonly [type: string, shape: readonly number[], sha256: string]>>;
interface Expected {
  /** Of transformers. */
  readonly logProbs: readonly number[];
  readonly text: Readonly<Record<ConvertedType, { metadata?: Readonly<Record<string, unknown>>; tensors: Written }>>;
  readonly mmproj: Expected['text'];
}
const expected = JSON.parse(await readFile(checkpoint('expected.json'), 'utf8')) as Readonly<Record<string, Expected>>;

async function tensorsOf(header: GgufHeader): Promise<Written> {
  const entries = header.tensors.map(async (tensor) => {
    const sha256 = createHash('sha256')
      .update(await readTensor(header, tensor))
      .digest('hex');
    return [tensor.name, [tensor.type, tensor.shape, sha256]] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** As the fixture has it: without what is general, arrays as lists. */
function plainMetadata(metadata: GgufMetadata): Record<string, unknown> {
  const own = [...metadata].filter(([key]) => !key.startsWith('general.'));
  return Object.fromEntries(
    own.map(([key, entry]): [string, unknown] => {
      if (entry.type !== 'array') return [key, entry.value];
      const items = Array.from<unknown>(entry.value);
      return [key, entry.itemType === 'bool' ? items.map(Boolean) : items];
    }),
  );
}

describe.each(CHECKPOINTS)('a checkpoint of a %s', (name) => {
  test.each(TYPES)('becomes in %s, to the bit, what llama.cpp’s own converter makes of it', async (type) => {
    const { textPath, mmprojPath } = await convertCheckpoint(checkpoint(name), path.join(folder, 'out'), { type });
    const [text, mmproj] = [await readGguf(textPath), await readGguf(mmprojPath)];
    expect(await tensorsOf(text)).toEqual(expected[name]!.text[type].tensors);
    expect(await tensorsOf(mmproj)).toEqual(expected[name]!.mmproj[type].tensors);
    if (type !== 'F32') return;
    expect(plainMetadata(text.metadata)).toEqual(expected[name]!.text.F32.metadata);
    expect(plainMetadata(mmproj.metadata)).toEqual(expected[name]!.mmproj.F32.metadata);
    expect(path.basename(textPath)).toBe(`${name}-F32.gguf`);
    expect(path.basename(mmprojPath)).toBe(`mmproj-${name}-F32.gguf`);
  });

  test('is the same by llama.cpp’s own quantiser', async () => {
    const codec = await nativeCodec();
    const out = path.join(folder, 'native');
    const { textPath } = await convertCheckpoint(checkpoint(name), out, { type: 'Q8_0', mmprojType: 'F16', codec });
    expect(await tensorsOf(await readGguf(textPath))).toEqual(expected[name]!.text.Q8_0.tensors);
  });

  test('converted, answers after an image as transformers does', async () => {
    const { textPath, mmprojPath } = await convertCheckpoint(checkpoint(name), path.join(folder, 'run'), {
      type: 'F32',
    });
    await using runtime = await openRuntime({ gpu: 'cpu' });
    await using model = await runtime.loadModel({ path: textPath, mmprojPath, threads: 1, flashAttention: false });
    const [width, height] = [3 * model.cellPx, 4 * model.cellPx];
    const rgb = new Uint8Array(3 * width * height);
    // As make.py draws it.
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        rgb.set([(x * 5 + y * 3) % 256, (x * y) % 256, (255 - x * 2 + y + 256) % 256], 3 * (y * width + x));
    await using context = await model.createContext({ nCtx: 256, flashAttention: false, kvType: 'f32' });
    const session = context.session();
    await session.append(model.tokenize('<|vision_start|>', { special: true }));
    using image = await model.encodeImage(rgb, { width, height });
    await session.appendImage(image);
    const choices = Int32Array.from(expected[name]!.logProbs.keys());
    const tokens = model.tokenize('<|vision_end|>abc', { special: true });
    const { logProbs } = await session.append(tokens, { choices });
    // Measured 8e-4, 8e-3 and 1.1e-3 (2026-11): llama.cpp's GELU is the approximate one everywhere, theirs not in the mergers.
    expect(greatestDifference(logProbs, expected[name]!.logProbs)).toBeLessThan(0.02);
    expect(Math.max(...logProbs) - Math.min(...logProbs)).toBeGreaterThan(1);
    expect(model.detokenize(model.tokenize('hello the'))).toBe('hello the');
  });
});

describe('what is missing or unknown in a checkpoint is said, and no file is written', () => {
  let nCopies = 0;
  /** A copy of a checkpoint in which some files say something else. */
  async function changed(name: string, change: (copy: string) => Promise<void>): Promise<string> {
    const copy = path.join(folder, `copy-${nCopies++}`);
    await cp(checkpoint(name), copy, { recursive: true });
    await change(copy);
    return copy;
  }
  const edit =
    (file: string, change: (json: Record<string, never>) => void) =>
    async (copy: string): Promise<void> => {
      const json = JSON.parse(await readFile(path.join(copy, file), 'utf8')) as Record<string, never>;
      change(json);
      await writeFile(path.join(copy, file), JSON.stringify(json));
    };
  const set = (file: string, keys: string, value: unknown): ((copy: string) => Promise<void>) =>
    edit(file, (json) => {
      const names = keys.split('.');
      const last = names.pop()!;
      const object = names.reduce<Record<string, never>>((inner, key) => inner[key]!, json);
      Object.assign(object, { [last]: value });
    });
  const without = (file: string) => (copy: string) => rm(path.join(copy, file));
  /** The header of the one file of a Qwen3-VL, changed; its data lie where they lay. */
  const header =
    (change: (tensors: Record<string, { dtype: string; shape: number[] }>) => void) => async (copy: string) => {
      const file = path.join(copy, 'model.safetensors');
      const bytes = await readFile(file);
      const nHeader = Number(bytes.readBigUInt64LE());
      const tensors = JSON.parse(bytes.subarray(8, 8 + nHeader).toString()) as Parameters<typeof change>[0];
      change(tensors);
      const json = Buffer.from(JSON.stringify(tensors));
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(json.length));
      await writeFile(file, Buffer.concat([length, json, bytes.subarray(8 + nHeader)]));
    };
  const shards = 'model.safetensors.index.json';

  test.each<readonly [string, string, (copy: string) => Promise<void>, string, RegExp]>([
    ['no config', 'qwen3-vl', without('config.json'), 'IO', /config\.json/],
    [
      'another model',
      'qwen3-vl',
      set('config.json', 'architectures', ['LlamaForCausalLM']),
      'UNSUPPORTED',
      /names LlamaForCausalLM; checkpoints of Qwen2.5-VL, Qwen3-VL, Qwen3-VL-MoE and Qwen3.5 are converted/,
    ],
    [
      'a Qwen3.5 with experts',
      'qwen3.5',
      set('config.json', 'architectures', ['Qwen3_5MoeForConditionalGeneration']),
      'UNSUPPORTED',
      /Qwen3.5 with experts is not supported/,
    ],
    [
      'layers of a third kind',
      'qwen3.5',
      set('config.json', 'text_config.layer_types', ['linear_attention', 'full_attention', 'mamba', 'full_attention']),
      'INVALID',
      /layer_types: must be linear_attention or full_attention for each of the 4 layers/,
    ],
    [
      'values of another size than keys',
      'qwen3.5',
      set('config.json', 'text_config.linear_value_head_dim', 32),
      'UNSUPPORTED',
      /linear_value_head_dim: 32, must be 16/,
    ],
    [
      'attention without a gate',
      'qwen3.5',
      set('config.json', 'text_config.attn_output_gate', false),
      'UNSUPPORTED',
      /attn_output_gate: false, must be true/,
    ],
    [
      'deepstack where there is none',
      'qwen3.5',
      set('config.json', 'vision_config.deepstack_visual_indexes', [1]),
      'UNSUPPORTED',
      /a Qwen3.5 has no deepstack/,
    ],
    [
      'sections left out, which are those of heads of 256',
      'qwen3.5',
      set('config.json', 'text_config.rope_parameters.mrope_section', undefined),
      'INVALID',
      /dimension_sections: \[11, 11, 10, 0\], must be .* sum to 8/,
    ],
    [
      'heads of values of another number',
      'qwen3.5',
      set('config.json', 'text_config.linear_num_value_heads', 4),
      'INVALID',
      /in_proj_qkv\.weight is \[160, 32\], must be \[128, 32\]/,
    ],
    [
      'no size',
      'qwen3-vl',
      set('config.json', 'text_config.head_dim', undefined),
      'INVALID',
      /text_config\.head_dim: is missing, must be a whole number/,
    ],
    [
      'quantised weights',
      'qwen3-vl',
      set('config.json', 'quantization_config', {}),
      'UNSUPPORTED',
      /convert the original/,
    ],
    [
      'stretched positions',
      'qwen3-vl',
      set('config.json', 'text_config.rope_scaling.rope_type', 'yarn'),
      'UNSUPPORTED',
      /"yarn" positions are not taken/,
    ],
    [
      'another patch',
      'qwen3-vl',
      set('config.json', 'vision_config.patch_size', 14),
      'UNSUPPORTED',
      /patch_size: 14, must be 16/,
    ],
    [
      'another activation',
      'qwen3-vl',
      set('config.json', 'vision_config.hidden_act', 'relu'),
      'UNSUPPORTED',
      /"relu", must be "gelu_pytorch_tanh"/,
    ],
    [
      'an output of another width',
      'qwen3-vl',
      set('config.json', 'vision_config.out_hidden_size', 64),
      'UNSUPPORTED',
      /out_hidden_size: 64, must be 32/,
    ],
    [
      'whole attention nowhere regular',
      'qwen2.5-vl',
      set('config.json', 'vision_config.fullatt_block_indexes', [1, 2]),
      'UNSUPPORTED',
      /every n-th layer/,
    ],
    [
      'layers out of order',
      'qwen3-vl',
      set('config.json', 'vision_config.deepstack_visual_indexes', [2, 0]),
      'INVALID',
      /numbers of the 3 layers, in order/,
    ],
    [
      'a layer too many promised',
      'qwen3-vl',
      set('config.json', 'text_config.num_hidden_layers', 4),
      'INVALID',
      /there is no model\.layers\.3\.input_layernorm\.weight, which a Qwen3-VL has/,
    ],
    [
      'a layer too few promised',
      'qwen3-vl',
      set('config.json', 'text_config.num_hidden_layers', 2),
      'INVALID',
      /model\.layers\.2\..* and 8 more: no part of a Qwen3-VL of this config\.json/,
    ],
    [
      'rows of another vocabulary',
      'qwen3-vl',
      set('config.json', 'text_config.vocab_size', 290),
      'INVALID',
      /embed_tokens\.weight is \[288, 32\], must be \[290, 32\]/,
    ],
    [
      'no weights',
      'qwen3-vl',
      without('model.safetensors'),
      'INVALID',
      /has no model\.safetensors and no model\.safetensors\.index\.json/,
    ],
    [
      'a shard that was not downloaded',
      'qwen2.5-vl',
      without('model-00002-of-00002.safetensors'),
      'INVALID',
      /lacks model-00002-of-00002\.safetensors/,
    ],
    [
      'an index that promises more',
      'qwen2.5-vl',
      set(shards, 'weight_map.x', 'model-00001-of-00002.safetensors'),
      'INVALID',
      /there is no x, which .*index\.json promises/,
    ],
    [
      'an index that leads elsewhere',
      'qwen2.5-vl',
      set(shards, 'weight_map.x', '../x.safetensors'),
      'MALFORMED',
      /weight_map must give/,
    ],
    [
      'weights of another type',
      'qwen3-vl',
      header(
        (tensors) =>
          void (tensors['lm_head.weight'] = { ...tensors['model.language_model.norm.weight']!, dtype: 'F8_E4M3' }),
      ),
      'UNSUPPORTED',
      /lm_head\.weight is F8_E4M3; F32, F16, BF16 are taken/,
    ],
    [
      'a shape that makes other bytes',
      'qwen3-vl',
      header((tensors) => void (tensors['model.language_model.norm.weight']!.shape = [16])),
      'MALFORMED',
      /has 128 bytes, and its shape makes 64/,
    ],
    ['no tokenizer', 'qwen3-vl', without('tokenizer.json'), 'IO', /tokenizer\.json/],
    [
      'another tokenizer',
      'qwen3-vl',
      set('tokenizer.json', 'model.type', 'Unigram'),
      'UNSUPPORTED',
      /only byte-level BPE/,
    ],
    [
      'texts split otherwise',
      'qwen3-vl',
      set('tokenizer.json', 'pre_tokenizer.pretokenizers', []),
      'UNSUPPORTED',
      /splits texts otherwise/,
    ],
    [
      'a token without a row',
      'qwen3-vl',
      set('tokenizer.json', 'model.vocab.zzz', 288),
      'INVALID',
      /token 288 has no row/,
    ],
    [
      'a merge of three',
      'qwen3-vl',
      set('tokenizer.json', 'model.merges', [['a', 'b', 'c']]),
      'MALFORMED',
      /a merge is no pair/,
    ],
    [
      'no control token',
      'qwen3-vl',
      edit('tokenizer.json', (json) => void Object.assign(json, { added_tokens: [] })),
      'INVALID',
      /eos_token|token <\|endoftext\|>/,
    ],
    ['no preprocessing', 'qwen3-vl', without('preprocessor_config.json'), 'IO', /preprocessor_config\.json/],
    [
      'a mean of two',
      'qwen3-vl',
      set('preprocessor_config.json', 'image_mean', [0.5, 0.5]),
      'INVALID',
      /image_mean must be three numbers/,
    ],
  ])('%s', async (_, name, change, code, message) => {
    const copy = await changed(name, change);
    const out = path.join(folder, `out-${nCopies}`);
    await mkdir(out);
    await expect(convertCheckpoint(copy, out)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
    expect(await readdir(out)).toEqual([]);
  });

  test.each([
    ['a number F16 cannot hold', 2 ** 20, /holds 1048576, which F16 cannot; convert to BF16 or F32/],
    ['NaN', NaN, /holds NaN: the checkpoint is damaged/],
    ['NaN where nothing is converted', NaN, /holds NaN or infinity: the checkpoint is damaged/, 'BF16'],
  ] as const)('%s among the weights', async (_, value, message, type: ConvertedType = 'F16') => {
    const copy = await changed('qwen2.5-vl', async (to) => {
      const file = path.join(to, 'model-00001-of-00002.safetensors');
      const bytes = await readFile(file);
      const word = Buffer.alloc(4);
      word.writeFloatLE(value);
      word.copy(bytes, bytes.length - 400, 2, 4); // a bfloat16 is a float's upper half
      await writeFile(file, bytes);
    });
    const out = path.join(folder, `bad-${nCopies}`);
    await expect(convertCheckpoint(copy, out, { type })).rejects.toMatchObject({
      code: 'INVALID',
      message: expect.stringMatching(message) as string,
    });
    expect(await readdir(out)).toEqual([]);
  });

  test('names of all versions of transformers, and buffers old ones saved, are taken', async () => {
    const copy = await changed(
      'qwen3-vl',
      header((tensors) => {
        for (const [name, entry] of Object.entries(tensors)) {
          Reflect.deleteProperty(tensors, name);
          tensors[name.replace('model.language_model.', 'language_model.model.').replace('model.visual.', 'visual.')] =
            entry;
        }
        tensors['visual.rotary_emb.inv_freq'] = { ...tensors['language_model.model.norm.weight']! };
      }),
    );
    const { textPath, mmprojPath } = await convertCheckpoint(copy, path.join(folder, 'older'), { type: 'F32' });
    expect(await tensorsOf(await readGguf(textPath))).toEqual(expected['qwen3-vl']!.text.F32.tensors);
    expect((await requireValidPair(textPath, mmprojPath, { checkNan: true })).family.title).toBe('Qwen3-VL');
  });

  test('a Qwen3.5 that names an interval instead of its layers is the same', async () => {
    const copy = await changed('qwen3.5', set('config.json', 'text_config.layer_types', undefined));
    const { textPath } = await convertCheckpoint(copy, path.join(folder, 'interval'), { type: 'F32' });
    const text = await readGguf(textPath);
    expect(await tensorsOf(text)).toEqual(expected['qwen3.5']!.text.F32.tensors);
    expect(plainMetadata(text.metadata)).toEqual(expected['qwen3.5']!.text.F32.metadata);
  });

  test('an abort leaves nothing behind', async () => {
    const out = path.join(folder, 'aborted');
    const controller = new AbortController();
    const onTensor = (nDone: number): void => {
      if (nDone === 40) controller.abort(new Error('enough'));
    };
    await expect(
      convertCheckpoint(checkpoint('qwen3-vl'), out, { onTensor, signal: controller.signal }),
    ).rejects.toThrow('enough');
    expect(await readdir(out)).toEqual([]);
  });
});
