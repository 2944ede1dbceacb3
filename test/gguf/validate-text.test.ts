import { describe, expect, test } from 'vitest';
import { bool, f32, i32s, str, strings, u32, type GgufValue } from '../../gguf/index.js';
import {
  addTensor,
  changeTensor,
  drop,
  dropTensor,
  problemsAfter,
  set,
  expectProblems,
  type Case,
  type Draft,
} from './broken.js';
import { temporaryFolder } from './temporary.js';

const folder = await temporaryFolder();
const i32 = (value: number): GgufValue => ({ type: 'int32', value });
const sections = 'qwen2vl.rope.dimension_sections';
const heads = 'qwen2vl.attention.head_count';

describe('text model', () => {
  const cases: readonly Case[] = [
    ['another architecture', set('general.architecture', str('llama')), ['general.architecture'], /only Qwen2.5-VL/],
    [
      'a model that is refused',
      set('general.architecture', str('qwen35moe')),
      ['general.architecture'],
      /Qwen3.5 with experts is not supported; a Qwen3.5 without \(0.8B to 27B\) or a Qwen3-VL-MoE runs/,
    ],
    ['a vision file', set('general.architecture', str('clip')), ['general.architecture'], /vision \(mmproj\) file/],
    ['no architecture', drop('general.architecture'), ['general.architecture'], /missing/],
    ['an adapter', set('general.type', str('adapter')), ['general.architecture'], /"adapter".*no whole model/],
    ['numbers chosen by a number', set('framewright.numbers', u32(1)), ['framewright.numbers'], /uint32, must be the/],
    ['a name that is no string', set('general.name', u32(1)), ['general.name'], /uint32, must be a string/],
    ['a file type that is no number', set('general.file_type', str('F16')), ['general.file_type'], /string, must be/],
    ['no layer count', drop('qwen2vl.block_count'), ['qwen2vl.block_count'], /missing, must be a uint32 from 1 to 512/],
    ['513 layers', set('qwen2vl.block_count', u32(513)), ['qwen2vl.block_count'], /513, must be a uint32/],
    ['a layer count of another type', set('qwen2vl.block_count', i32(2)), ['qwen2vl.block_count'], /int32, must be/],
    ['no embedding size', drop('qwen2vl.embedding_length'), ['qwen2vl.embedding_length'], /missing/],
    ['no feed-forward size', drop('qwen2vl.feed_forward_length'), ['qwen2vl.feed_forward_length'], /missing/],
    ['sizes a layer', set(heads, i32s([2, 2])), [heads], /array of int32, must be a uint32/],
    ['no context length', drop('qwen2vl.context_length'), ['qwen2vl.context_length'], /missing/],
    ['a context of 0', set('qwen2vl.context_length', u32(0)), ['qwen2vl.context_length'], /from 256/],
    ['heads that do not divide', set(heads, u32(3)), [heads], /3 heads of an embedding of 64/],
    ['heads of 4', set(heads, u32(16)), [heads], /even size from 8 to 512/],
    [
      'key heads that do not divide',
      set('qwen2vl.attention.head_count_kv', u32(3)),
      ['qwen2vl.attention.head_count_kv'],
      /3, must divide 2/,
    ],
    ['no rope sections', drop(sections), [sections], /missing, must be an array of 4 int32/],
    ['three rope sections', set(sections, i32s([4, 6, 6])), [sections], /3 items/],
    ['rope sections of 0', set(sections, i32s([0, 0, 0, 0])), [sections], /\[0, 0, 0, 0\].*sum to 16/],
    ['rope sections that sum to more', set(sections, i32s([4, 6, 7, 0])), [sections], /sum to 16/],
    ['a rope of the last section only', set(sections, i32s([0, 0, 0, 16])), [sections], /not all in the last/],
    ['a negative rope section', set(sections, i32s([20, -4, 0, 0])), [sections], /at least 0/],
    ['a rope base of 0', set('qwen2vl.rope.freq_base', f32(0)), ['qwen2vl.rope.freq_base'], /0, must be a float32/],
    ['a rope base of NaN', set('qwen2vl.rope.freq_base', f32(NaN)), ['qwen2vl.rope.freq_base'], /NaN/],
    [
      'an unknown rope scaling',
      set('qwen2vl.rope.scaling.type', str('spiral')),
      ['qwen2vl.rope.scaling.type'],
      /"spiral", must be the string "none" or "linear" or "yarn"/,
    ],
    [
      'an infinite rope scale',
      set('qwen2vl.rope.scaling.factor', f32(Infinity)),
      ['qwen2vl.rope.scaling.factor'],
      /Infinity/,
    ],
    [
      'an epsilon of another type',
      set('qwen2vl.attention.layer_norm_rms_epsilon', str('1e-6')),
      ['qwen2vl.attention.layer_norm_rms_epsilon'],
      /string, must be a float32/,
    ],
    ['attention that looks ahead', set('qwen2vl.attention.causal', bool(false)), ['qwen2vl.attention.causal'], /false/],
    ['another key size', set('qwen2vl.attention.key_length', u32(16)), ['qwen2vl.attention.key_length'], /16/],
    ['another value size', set('qwen2vl.attention.value_length', u32(16)), ['qwen2vl.attention.value_length'], /16/],
    ['another rope size', set('qwen2vl.rope.dimension_count', u32(8)), ['qwen2vl.rope.dimension_count'], /8/],
    ['experts', set('qwen2vl.expert_count', u32(8)), ['qwen2vl.expert_count'], /no plain Qwen2.5-VL/],
    [
      'more predicted layers than layers',
      set('qwen2vl.nextn_predict_layers', u32(9)),
      ['qwen2vl.nextn_predict_layers'],
      /9/,
    ],
    ['pooling', set('qwen2vl.pooling_type', u32(1)), ['qwen2vl.pooling_type'], /must be left out/],
    [
      'class labels',
      set('qwen2vl.classifier.output_labels', strings(['yes'])),
      ['qwen2vl.classifier.output_labels'],
      /yes/,
    ],
    [
      'an alignment no buffer has',
      (draft) => (draft.alignment = 16),
      ['general.alignment'],
      /16, must be a multiple of 32/,
    ],
    [
      'a missing tensor',
      dropTensor('blk.1.ffn_up.weight'),
      ['tensor blk.1.ffn_up.weight'],
      /missing, must be \[64, 128\]/,
    ],
    ['no token embedding', dropTensor('token_embd.weight'), ['tensor token_embd.weight'], /must be \[64, 270\]/],
    [
      'a tensor of another shape',
      changeTensor('blk.0.attn_k.weight', { shape: [64, 64] }),
      ['tensor blk.0.attn_k.weight'],
      /\[64, 64\], must be \[64, 32\]/,
    ],
    [
      'a tensor of transposed shape',
      changeTensor('blk.0.ffn_down.weight', { shape: [64, 128] }),
      ['tensor blk.0.ffn_down.weight'],
      /\[64, 128\], must be \[128, 64\]/,
    ],
    [
      'a matrix of integers',
      changeTensor('blk.0.attn_q.weight', { type: 'I32' }),
      ['tensor blk.0.attn_q.weight'],
      /I32, must be of a type weights can have/,
    ],
    [
      'a matrix of a type without a dot product',
      changeTensor('token_embd.weight', { type: 'Q8_1' }),
      ['tensor token_embd.weight'],
      /Q8_1/,
    ],
    [
      'a half-float bias',
      changeTensor('blk.0.attn_q.bias', { type: 'F16' }),
      ['tensor blk.0.attn_q.bias'],
      /F16, must be F32/,
    ],
    [
      'a half-float norm',
      changeTensor('output_norm.weight', { type: 'F16' }),
      ['tensor output_norm.weight'],
      /must be F32/,
    ],
    [
      'a tensor of another model',
      addTensor({ name: 'blk.0.attn_qkv.weight', type: 'F32', shape: [64, 128] }),
      ['tensor blk.0.attn_qkv.weight'],
      /must not be there/,
    ],
    [
      'a layer too many',
      addTensor({ name: 'blk.2.attn_norm.weight', type: 'F32', shape: [64] }),
      ['tensor blk.2.attn_norm.weight'],
      /must not be there/,
    ],
    ['no tensors', (draft) => (draft.tensors = []), ['file', ...textTensorNames()], /no tensors; it must hold some/],
  ];
  test.each(cases)('%s is a problem', (...broken) => expectProblems(folder, 'text', broken));

  test.each<readonly [string, (draft: Draft) => void]>([
    ['an untied output matrix', addTensor({ name: 'output.weight', type: 'Q8_0', shape: [64, 270] })],
    ['no biases', (draft) => (draft.tensors = draft.tensors.filter(({ name }) => !name.endsWith('.bias')))],
    ['no head_count_kv where all heads have keys', drop('qwen2vl.attention.head_count_kv')],
    ['no rope base', drop('qwen2vl.rope.freq_base')],
    ['keys nobody reads', set('qwen2vl.framewright', str('hello'))],
  ])('%s is none', async (_, change) => {
    const withOwnKeys = (draft: Draft): void => {
      draft.metadata.set('qwen2vl.attention.head_count_kv', u32(2));
      draft.tensors = draft.tensors.map((tensor) =>
        /attn_[kv]\./.test(tensor.name) ? { ...tensor, shape: tensor.shape.map(() => 64) } : tensor,
      );
      change(draft);
    };
    expect(await problemsAfter(folder, 'text', withOwnKeys)).toEqual([]);
  });
});

function textTensorNames(): string[] {
  const layer = (i: number): string[] =>
    [
      ...['attn_norm', 'attn_q', 'attn_k', 'attn_v', 'attn_output'],
      ...['ffn_norm', 'ffn_gate', 'ffn_up', 'ffn_down'],
    ].map((part) => `tensor blk.${i}.${part}.weight`);
  return ['tensor token_embd.weight', 'tensor output_norm.weight', ...layer(0), ...layer(1)];
}
