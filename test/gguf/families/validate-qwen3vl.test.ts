import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { bool, f32, i32s, str, u32, validatePair, writeToyPair, type ToyOptions } from '../../../gguf/index.js';
import {
  addTensor,
  changeTensor,
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
const own = (name: string): string => `qwen3vl.${name}`;
const vision = (name: string): string => `clip.vision.${name}`;

describe('the text model of a Qwen3-VL', () => {
  const cases: readonly Case[] = [
    [
      'no epsilon',
      drop(own('attention.layer_norm_rms_epsilon')),
      [own('attention.layer_norm_rms_epsilon')],
      /missing, must be a float32/,
    ],
    [
      'an epsilon of 0',
      set(own('attention.layer_norm_rms_epsilon'), f32(0)),
      [own('attention.layer_norm_rms_epsilon')],
      /0, must be a float32 from/,
    ],
    ['heads of an odd size', set(own('attention.key_length'), u32(47)), [own('attention.key_length')], /heads of 47/],
    [
      'values of another size than keys',
      set(own('attention.value_length'), u32(32)),
      [own('attention.value_length')],
      /32, must be left out: this is no plain Qwen3-VL/,
    ],
    ['no word on values', drop(own('attention.value_length')), [own('attention.value_length')], /missing, must be 64/],
    ['a rope of part of a head', set(own('rope.dimension_count'), u32(16)), [own('rope.dimension_count')], /left out/],
    [
      'sections of another head',
      set(own('rope.dimension_sections'), i32s([6, 5, 5, 0])),
      [own('rope.dimension_sections')],
      /sum to 32/,
    ],
    ['deepstack in the last layer', set(own('n_deepstack_layers'), u32(3)), [own('n_deepstack_layers')], /from 0 to 2/],
    ['experts', set(own('expert_count'), u32(8)), [own('expert_count')], /no plain Qwen3-VL/],
    [
      'no norm of queries',
      dropTensor('blk.1.attn_q_norm.weight'),
      ['tensor blk.1.attn_q_norm.weight'],
      /missing, must be \[64\]/,
    ],
    [
      'a norm of all heads together',
      changeTensor('blk.0.attn_k_norm.weight', { shape: [128] }),
      ['tensor blk.0.attn_k_norm.weight'],
      /\[128\], must be \[64\]/,
    ],
    [
      'queries as wide as the embedding',
      changeTensor('blk.0.attn_q.weight', { shape: [64, 64] }),
      ['tensor blk.0.attn_q.weight'],
      /\[64, 64\], must be \[64, 128\]/,
    ],
    [
      'an output bias',
      addTensor({ name: 'output.bias', type: 'F32', shape: [270] }),
      ['tensor output.bias'],
      /must not be there/,
    ],
    [
      'its keys under the other family’s name',
      ({ metadata }) => void metadata.set('general.architecture', str('qwen2vl')),
      [
        'qwen2vl.embedding_length',
        'qwen2vl.block_count',
        'qwen2vl.feed_forward_length',
        'qwen2vl.context_length',
      ].concat('qwen2vl.attention.head_count', 'qwen2vl.rope.dimension_sections'),
      /missing/,
    ],
  ];
  test.each(cases)('%s is a problem', (...broken) => expectProblems(folder, 'text', broken, 'qwen3vl'));

  test.each<readonly [string, (draft: Draft) => void]>([
    ['an untied output matrix', addTensor({ name: 'output.weight', type: 'Q8_0', shape: [64, 270] })],
    ['no deepstack', drop(own('n_deepstack_layers'))],
    ['biases', addTensor({ name: 'blk.0.attn_q.bias', type: 'F32', shape: [128] })],
  ])('%s is none', async (_, change) => {
    expect(await problemsAfter(folder, 'text', change, 'qwen3vl')).toEqual([]);
  });
});

describe('the vision file of a Qwen3-VL', () => {
  const cases: readonly Case[] = [
    [
      'the other family’s activation',
      set('clip.use_silu', bool(true)),
      ['clip.use_silu'],
      /true, must be the bool false/,
    ],
    ['no activation', drop('clip.use_gelu'), ['clip.use_gelu'], /missing/],
    [
      'the other family’s patch',
      set(vision('patch_size'), u32(14)),
      [vision('patch_size')],
      /14, must be a uint32 from 16 to 16/,
    ],
    ['windows', set(vision('n_wa_pattern'), u32(2)), [vision('n_wa_pattern')], /2, must be a uint32 from 0 to 0/],
    ['another merge', set(vision('spatial_merge_size'), u32(1)), [vision('spatial_merge_size')], /no plain Qwen3-VL/],
    ['no patch bias', dropTensor('v.patch_embd.bias'), ['tensor v.patch_embd.bias'], /missing, must be \[64\]/],
    ['no learned positions', dropTensor('v.position_embd.weight'), ['tensor v.position_embd.weight'], /missing/],
    [
      'positions no interpolation takes',
      changeTensor('v.position_embd.weight', { type: 'F16' }),
      ['tensor v.position_embd.weight'],
      /F16, must be F32/,
    ],
    [
      'positions of another grid',
      set(vision('image_size'), u32(512)),
      ['tensor v.position_embd.weight'],
      /\[64, 256\], must be \[64, 1024\]/,
    ],
    ['no fused attention', dropTensor('v.blk.1.attn_qkv.weight'), ['tensor v.blk.1.attn_qkv.weight'], /\[64, 192\]/],
    [
      'no bias of it',
      dropTensor('v.blk.1.attn_qkv.bias'),
      ['tensor v.blk.1.attn_qkv.bias'],
      /missing, must be \[192\]/,
    ],
    [
      'a gate',
      addTensor({ name: 'v.blk.0.ffn_gate.weight', type: 'F32', shape: [64, 128] }),
      ['tensor v.blk.0.ffn_gate.weight'],
      /must not be there/,
    ],
    [
      'half a merger',
      dropTensor('v.deepstack.1.fc2.weight'),
      ['tensor v.deepstack.1.fc2.weight'],
      /missing, must be \[256, 64\]/,
    ],
    [
      'a merger to another width',
      changeTensor('v.deepstack.0.fc2.weight', { shape: [256, 32] }),
      ['tensor v.deepstack.0.fc2.weight'],
      /must be \[256, 64\]/,
    ],
    [
      'a merger behind no layer',
      addTensor({ name: 'v.deepstack.3.fc1.weight', type: 'F32', shape: [256, 256] }),
      ['tensor v.deepstack.3.fc1.weight'],
      /must not be there/,
    ],
  ];
  test.each(cases)('%s is a problem', (...broken) => expectProblems(folder, 'mmproj', broken, 'qwen3vl'));

  test.each<readonly [string, (draft: Draft) => void]>([
    ['no post-norm', (draft) => (draft.tensors = draft.tensors.filter(({ name }) => !name.startsWith('v.post_ln')))],
    ['no word on merging', drop(vision('spatial_merge_size'))],
    ['no mergers', (draft) => (draft.tensors = draft.tensors.filter(({ name }) => !name.includes('deepstack')))],
  ])('%s is none', async (_, change) => {
    expect(await problemsAfter(folder, 'mmproj', change, 'qwen3vl')).toEqual([]);
  });
});

describe('files of two models', () => {
  const pair = (name: string, options: ToyOptions): ReturnType<typeof writeToyPair> =>
    writeToyPair(path.join(folder, name), { sparse: true, ...options });

  test.each<readonly [string, ToyOptions, ToyOptions, string, RegExp]>([
    [
      'of two families',
      { family: 'qwen3vl' },
      {},
      'clip.projector_type',
      /for the text model is a Qwen3-VL: the files are of/,
    ],
    [
      'of two families, the other way',
      {},
      { family: 'qwen3vl' },
      'clip.projector_type',
      /for the text model is a Qwen2.5-VL/,
    ],
    [
      'of two depths of deepstack',
      { family: 'qwen3vl' },
      { family: 'qwen3vl', vision: { deepstackLayers: [1] } },
      'tensor v.deepstack',
      /mergers of 1 layers, must be as many as the text model's n_deepstack_layers 2/,
    ],
  ])('%s are told apart', async (_, text, mmproj, where, message) => {
    const { textPath } = await pair('text', text);
    const { mmprojPath } = await pair('mmproj', mmproj);
    const [problem] = await validatePair(textPath, mmprojPath);
    expect(problem).toMatchObject({ where, message: expect.stringMatching(message) as string });
  });
});
