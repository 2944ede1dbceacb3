import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  bools,
  f32,
  i32s,
  requireValidPair,
  str,
  u32,
  readGguf,
  validateLora,
  validatePair,
  writeGguf,
  writeToyPair,
  type TensorToWrite,
} from '../../../gguf/index.js';
import { openRuntime } from '../../../src/runtime/runtime.js';
import {
  addTensor,
  changeTensor,
  draftOf,
  drop,
  dropTensor,
  expectProblems,
  problemsAfter,
  set,
  type Case,
  type Draft,
} from '../broken.js';
import { temporaryFolder } from '../temporary.js';

const folder = await temporaryFolder();
const own = (name: string): string => `qwen35.${name}`;
const LAYERS = own('attention.recurrent_layers');

/** The block for guessing ahead that published files may end with, after the four layers of the toy. */
function withMtp(draft: Draft): void {
  draft.metadata.set(own('block_count'), u32(5));
  draft.metadata.set(own('nextn_predict_layers'), u32(1));
  draft.metadata.set(LAYERS, bools([true, false, true, false, false]));
  const hole = (name: string, ...shape: number[]): TensorToWrite => ({ name, type: 'F32', shape, data: 'hole' });
  draft.tensors.push(
    ...draft.tensors
      .filter(({ name }) => name.startsWith('blk.3.'))
      .map((tensor) => ({ ...tensor, name: tensor.name.replace('blk.3.', 'blk.4.') })),
    hole('blk.4.nextn.eh_proj.weight', 128, 64),
    hole('blk.4.nextn.enorm.weight', 64),
    hole('blk.4.nextn.hnorm.weight', 64),
    hole('blk.4.nextn.shared_head_norm.weight', 64),
  );
}

const afterMtp =
  (change: (draft: Draft) => void) =>
  (draft: Draft): void => {
    withMtp(draft);
    change(draft);
  };

describe('the text model of a Qwen3.5', () => {
  const sizes: readonly Case[] = [
    [
      'no convolution',
      drop(own('ssm.conv_kernel')),
      [own('ssm.conv_kernel')],
      /missing, must be a uint32 from 3 to 15/,
    ],
    [
      'a convolution no kernel is made for',
      set(own('ssm.conv_kernel'), u32(6)),
      [own('ssm.conv_kernel')],
      /6, must be one of 3, 4, 5, 9, 15/,
    ],
    [
      'a state no kernel is made for',
      set(own('ssm.state_size'), u32(48)),
      [own('ssm.state_size')],
      /48, must be one of 16, 32, 64, 128/,
    ],
    ['no heads of keys', set(own('ssm.group_count'), u32(0)), [own('ssm.group_count')], /0, must be a uint32 from 1/],
    ['no heads of values', drop(own('ssm.time_step_rank')), [own('ssm.time_step_rank')], /missing/],
    [
      'heads of values that the keys do not divide',
      set(own('ssm.group_count'), u32(3)),
      [own('ssm.time_step_rank')],
      /4, must be a multiple of the 3 heads of keys/,
    ],
    [
      'values of another width',
      set(own('ssm.inner_size'), u32(128)),
      [own('ssm.inner_size')],
      /128, must be a uint32 from 64 to 64/,
    ],
    [
      'more turning than a head has',
      set(own('rope.dimension_count'), u32(66)),
      [own('rope.dimension_count')],
      /66, must be a uint32 from 2 to 64/,
    ],
    ['half a pair turning', set(own('rope.dimension_count'), u32(15)), [own('rope.dimension_count')], /must be even/],
    [
      'sections of the whole head',
      set(own('rope.dimension_sections'), i32s([11, 11, 10, 0])),
      [own('rope.dimension_sections')],
      /sum to 8, half of what turns of a head/,
    ],
    [
      'all of a head turning where a part has sections',
      drop(own('rope.dimension_count')),
      [own('rope.dimension_sections')],
      /sum to 32, half the head size/,
    ],
    ['experts', set(own('expert_count'), u32(8)), [own('expert_count')], /no plain Qwen3.5/],
  ];
  const layers: readonly Case[] = [
    ['too few words on layers', set(LAYERS, bools([true, false])), [LAYERS], /2 items, must be an array of 4 bool/],
    ['only running states', set(LAYERS, bools([true, true, true, true])), [LAYERS], /some true and some false/],
    ['no running state', set(LAYERS, bools([false, false, false, false])), [LAYERS], /some true and some false/],
    ['numbers for layers', set(LAYERS, i32s([1, 0, 1, 0])), [LAYERS], /array of int32, must be an array of 4 bool/],
    [
      'an interval of 0, by which llama.cpp divides',
      (draft) => {
        drop(LAYERS)(draft);
        set(own('full_attention_interval'), u32(0))(draft);
      },
      [own('full_attention_interval')],
      /0, must be a uint32 from 2 to 4/,
    ],
    [
      'an interval no layer reaches',
      (draft) => {
        drop(LAYERS)(draft);
        set(own('full_attention_interval'), u32(5))(draft);
      },
      [own('full_attention_interval')],
      /5, must be a uint32 from 2 to 4/,
    ],
  ];
  const tensors: readonly Case[] = [
    ['no fading', dropTensor('blk.0.ssm_a'), ['tensor blk.0.ssm_a'], /missing, must be \[4\]/],
    [
      'fading in half precision',
      changeTensor('blk.2.ssm_a', { type: 'F16' }),
      ['tensor blk.2.ssm_a'],
      /F16, must be F32/,
    ],
    [
      'fading by the name of a state space model’s',
      ({ tensors }) => {
        const i = tensors.findIndex(({ name }) => name === 'blk.0.ssm_dt.bias');
        tensors[i] = { ...tensors[i]!, name: 'blk.0.ssm_dt.weight' };
      },
      ['tensor blk.0.ssm_dt.bias', 'tensor blk.0.ssm_dt.weight'],
      /missing, must be \[4\]/,
    ],
    [
      'a convolution in half precision',
      changeTensor('blk.0.ssm_conv1d.weight', { type: 'F16' }),
      ['tensor blk.0.ssm_conv1d.weight'],
      /F16, must be F32/,
    ],
    [
      'a convolution that was not squeezed',
      changeTensor('blk.0.ssm_conv1d.weight', { shape: [4, 1, 128] }),
      ['tensor blk.0.ssm_conv1d.weight'],
      /\[4, 1, 128\], must be \[4, 128\]/,
    ],
    [
      'nothing that goes into the convolution',
      dropTensor('blk.0.attn_qkv.weight'),
      ['tensor blk.0.attn_qkv.weight'],
      /missing, must be \[64, 128\]/,
    ],
    ['no gate of the output', dropTensor('blk.2.attn_gate.weight'), ['tensor blk.2.attn_gate.weight'], /\[64, 64\]/],
    [
      'a norm of all heads together',
      changeTensor('blk.0.ssm_norm.weight', { shape: [64] }),
      ['tensor blk.0.ssm_norm.weight'],
      /\[64\], must be \[16\]/,
    ],
    [
      'queries without their gate',
      changeTensor('blk.1.attn_q.weight', { shape: [64, 128] }),
      ['tensor blk.1.attn_q.weight'],
      /\[64, 128\], must be \[64, 256\]/,
    ],
    [
      'a norm by a Qwen3’s name',
      ({ tensors }) => {
        const i = tensors.findIndex(({ name }) => name === 'blk.3.post_attention_norm.weight');
        tensors[i] = { ...tensors[i]!, name: 'blk.3.ffn_norm.weight' };
      },
      ['tensor blk.3.post_attention_norm.weight', 'tensor blk.3.ffn_norm.weight'],
      /missing, must be \[64\]/,
    ],
    [
      'attention beside a running state',
      addTensor({ name: 'blk.0.attn_q.weight', type: 'F32', shape: [64, 256] }),
      ['tensor blk.0.attn_q.weight'],
      /must not be there/,
    ],
  ];
  test.each([...sizes, ...layers, ...tensors])('%s is a problem', (...broken) =>
    expectProblems(folder, 'text', broken, 'qwen35'),
  );

  test('layers the other way round are told by their tensors', async () => {
    const change = set(LAYERS, bools([false, true, false, true]));
    const wheres = (await problemsAfter(folder, 'text', change, 'qwen35')).map(({ where }) => where);
    expect(wheres).toContain('tensor blk.0.attn_q.weight');
    expect(wheres).toContain('tensor blk.1.ssm_a');
  });

  test.each<readonly [string, (draft: Draft) => void]>([
    ['an untied output matrix', addTensor({ name: 'output.weight', type: 'Q8_0', shape: [64, 270] })],
    ['an interval without a list', drop(LAYERS)],
    ['a list without an interval', drop(own('full_attention_interval'))],
    [
      'a list that an interval does not make',
      ({ metadata }) => void metadata.set(own('full_attention_interval'), u32(4)),
    ],
    ['the tokenizer of a Qwen3', set('tokenizer.ggml.pre', str('qwen2'))],
  ])('%s is none', async (_, change) => {
    expect(await problemsAfter(folder, 'text', change, 'qwen35')).toEqual([]);
  });
});

describe('a block that guesses ahead', () => {
  const cases: readonly Case[] = [
    [
      'all layers called such',
      afterMtp(set(own('nextn_predict_layers'), u32(5))),
      [own('nextn_predict_layers')],
      /5, must be a uint32 from 0 to 4/,
    ],
    [
      'with a running state, it',
      afterMtp(set(LAYERS, bools([true, false, true, false, true]))),
      [LAYERS],
      /must be an array of 5 bool, of the first 4 some true/,
    ],
    [
      'without what it begins with, it',
      afterMtp(dropTensor('blk.4.nextn.eh_proj.weight')),
      ['tensor blk.4.nextn.eh_proj.weight'],
      /missing, must be \[128, 64\]/,
    ],
    [
      'without attention, it',
      afterMtp(dropTensor('blk.4.attn_k.weight')),
      ['tensor blk.4.attn_k.weight'],
      /missing, must be \[64, 64\]/,
    ],
    [
      'in the place of a layer, it',
      addTensor({ name: 'blk.3.nextn.enorm.weight', type: 'F32', shape: [64] }),
      ['tensor blk.3.nextn.enorm.weight'],
      /must not be there/,
    ],
  ];
  test.each(cases)('%s is a problem', (...broken) => expectProblems(folder, 'text', broken, 'qwen35'));

  test('not counted, it is a layer whose tensors are wrong', async () => {
    const problems = await problemsAfter(folder, 'text', afterMtp(drop(own('nextn_predict_layers'))), 'qwen35');
    expect(problems.map(({ where }) => where)).toEqual([
      'tensor blk.4.nextn.eh_proj.weight',
      'tensor blk.4.nextn.enorm.weight',
      'tensor blk.4.nextn.hnorm.weight',
      'tensor blk.4.nextn.shared_head_norm.weight',
    ]);
  });

  test('is in the file and not among the layers, and llama.cpp loads the model without it', async () => {
    const { mmprojPath } = await writeToyPair(path.join(folder, 'mtp'), { family: 'qwen35' });
    const draft = draftOf('text', 'qwen35');
    withMtp(draft);
    const textPath = path.join(folder, 'mtp', 'with-mtp.gguf');
    await writeGguf(textPath, draft);
    const { textSizes } = await requireValidPair(textPath, mmprojPath);
    expect(textSizes).toMatchObject({ nLayer: 4, nMtp: 1 });
    await using runtime = await openRuntime({ gpu: 'cpu' });
    await using model = await runtime.loadModel({ path: textPath, mmprojPath, threads: 1 });
    expect(model.facts.nEmbd).toBe(64);
  });
});

describe('files of a Qwen3.5 and another model', () => {
  test('a vision file with deepstack is a Qwen3-VL’s', async () => {
    const { textPath } = await writeToyPair(path.join(folder, 'text'), { family: 'qwen35' });
    const { mmprojPath } = await writeToyPair(path.join(folder, 'mmproj'), { family: 'qwen3vl' });
    const [problem] = await validatePair(textPath, mmprojPath);
    expect(problem).toMatchObject({ where: 'tensor v.deepstack', found: 'mergers of 2 layers' });
  });

  test('one with experts is refused', async () => {
    const [problem] = await problemsAfter(folder, 'text', set('general.architecture', str('qwen35moe')), 'qwen35');
    expect(problem).toMatchObject({ code: 'UNSUPPORTED' });
    expect(problem!.message).toMatch(/Qwen3.5 with experts is not supported/);
  });
});

test('the sizes of a Qwen3.5 are read as they were written', async () => {
  const linear = { nConv: 4, nKeyHeads: 2, nValueHeads: 4, headSize: 16, fullInterval: 4 };
  const recurrentLayers = [true, true, false, true];
  const { textPath, mmprojPath } = await writeToyPair(path.join(folder, 'irregular'), {
    family: 'qwen35',
    text: { linear: { ...linear, recurrentLayers } },
  });
  const { textSizes, family } = await requireValidPair(textPath, mmprojPath);
  expect(family.title).toBe('Qwen3.5');
  expect(textSizes).toMatchObject({ nLayer: 4, headSize: 64, nRot: 16, nDeepstack: 0 });
  expect(textSizes.linear).toEqual({ ...linear, recurrentLayers });
});

test.each([
  ['a matrix of a running state', 'blk.0.ssm_out.weight', 64, 64, undefined],
  [
    'a convolution, which llama.cpp would quietly leave as it is,',
    'blk.0.ssm_conv1d.weight',
    4,
    128,
    /only the matrices/,
  ],
  ['the block that guesses ahead', 'blk.4.attn_k.weight', 64, 64, /only the matrices of layers/],
] as const)('an adapter for %s', async (_, name, nIn, nOut, refused) => {
  const draft = draftOf('text', 'qwen35');
  withMtp(draft);
  const textPath = path.join(folder, 'base.gguf');
  await writeGguf(textPath, draft);
  const lora = path.join(folder, 'lora.gguf');
  await writeGguf(lora, {
    metadata: new Map([
      ['general.architecture', str('qwen35')],
      ['general.type', str('adapter')],
      ['adapter.type', str('lora')],
      ['adapter.lora.alpha', f32(8)],
    ]),
    tensors: [
      { name: `${name}.lora_a`, type: 'F32', shape: [nIn, 4], data: 'hole' },
      { name: `${name}.lora_b`, type: 'F32', shape: [4, nOut], data: 'hole' },
    ],
  });
  const problems = await validateLora(lora, await readGguf(textPath));
  if (!refused) expect(problems).toEqual([]);
  else expect(problems).toMatchObject([{ code: 'INVALID', message: expect.stringMatching(refused) as string }]);
});
