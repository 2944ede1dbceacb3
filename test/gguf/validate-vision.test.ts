import { describe, expect, test } from 'vitest';
import { bool, f32, f32s, i32s, str, u32, type GgufValue } from '../../gguf/index.js';
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

describe('vision file', () => {
  const key = (name: string): string => `clip.vision.${name}`;
  const count = key('attention.head_count');
  const cases: readonly Case[] = [
    ['a text model', set('general.architecture', str('qwen2vl')), ['general.architecture'], /text model or an adapter/],
    [
      'another projector',
      set('clip.projector_type', str('qwen2vl_merger')),
      ['clip.projector_type'],
      /Qwen2-VL has an older vision tower; a Qwen2.5-VL or Qwen3-VL runs/,
    ],
    ['no projector', drop('clip.projector_type'), ['clip.projector_type'], /missing/],
    [
      'no vision encoder',
      drop('clip.has_vision_encoder'),
      ['clip.has_vision_encoder'],
      /missing, must be the bool true/,
    ],
    [
      'a vision encoder switched off',
      set('clip.has_vision_encoder', bool(false)),
      ['clip.has_vision_encoder'],
      /false/,
    ],
    ['a switch of another type', set('clip.has_vision_encoder', u32(1)), ['clip.has_vision_encoder'], /uint32/],
    [
      'an audio encoder',
      set('clip.has_audio_encoder', bool(true)),
      ['clip.has_audio_encoder'],
      /must be the bool false/,
    ],
    ['no SiLU', drop('clip.use_silu'), ['clip.use_silu'], /missing/],
    ['SiLU and GELU', set('clip.use_gelu', bool(true)), ['clip.use_gelu'], /true, must be the bool false/],
    ['a name that is no string', set('general.name', f32(1)), ['general.name'], /float32, must be a string/],
    ['a foreign key of another type', set('clip.minicpmv_version', str('3')), ['clip.minicpmv_version'], /string/],
    ['tiles', set(key('image_grid_pinpoints'), i32s([1, 2])), [key('image_grid_pinpoints')], /must be left out/],
    ['chosen layers', set(key('feature_layer'), i32s([1])), [key('feature_layer')], /must be left out/],
    ['no mean', drop(key('image_mean')), [key('image_mean')], /missing, must be an array of 3 float32/],
    ['a mean of two', set(key('image_mean'), f32s([0, 0])), [key('image_mean')], /2 items/],
    ['a mean of NaN', set(key('image_mean'), f32s([0, NaN, 0])), [key('image_mean')], /finite/],
    ['a deviation of 0', set(key('image_std'), f32s([0.2, 0, 0.2])), [key('image_std')], /from 0.001/],
    ['an infinite deviation', set(key('image_std'), f32s([0.2, Infinity, 0.2])), [key('image_std')], /Infinity/],
    [
      'an epsilon of 0',
      set(key('attention.layer_norm_epsilon'), f32(0)),
      [key('attention.layer_norm_epsilon')],
      /0, must/,
    ],
    ['no epsilon', drop(key('attention.layer_norm_epsilon')), [key('attention.layer_norm_epsilon')], /missing/],
    ['2^31 layers', set(key('block_count'), u32(2 ** 31)), [key('block_count')], /2147483648, must be/],
    ['129 layers', set(key('block_count'), u32(129)), [key('block_count')], /from 1 to 128/],
    ['heads that do not divide', set(count, u32(3)), [count], /3 heads of an embedding of 64/],
    ['heads of an odd quarter', set(count, u32(5)), [count], /multiple of 4/],
    ['no heads', set(count, u32(0)), [count], /0, must be/],
    ['another patch', set(key('patch_size'), u32(16)), [key('patch_size')], /16, must be a uint32 from 14 to 14/],
    ['a patch of 0', set(key('patch_size'), u32(0)), [key('patch_size')], /0, must be/],
    ['an endless image', set(key('image_size'), u32(2 ** 30)), [key('image_size')], /from 28 to 8192/],
    ['an image size of another type', set(key('image_size'), i32(560)), [key('image_size')], /int32, must be a uint32/],
    ['no window pattern', drop(key('n_wa_pattern')), [key('n_wa_pattern')], /missing/],
    [
      'a window pattern without windows',
      set(key('n_wa_pattern'), u32(1)),
      [key('n_wa_pattern')],
      /must be 0 where all/,
    ],
    ['another merge', set(key('spatial_merge_size'), u32(4)), [key('spatial_merge_size')], /must be left out/],
    ['a merge of another type', set(key('spatial_merge_size'), i32(2)), [key('spatial_merge_size')], /int32/],
    ['fewer key heads', set(key('attention.head_count_kv'), u32(1)), [key('attention.head_count_kv')], /left out/],
    ['another head size', set(key('attention.head_dim'), u32(16)), [key('attention.head_dim')], /left out/],
    [
      'a feed-forward of the embedding size',
      (draft) => {
        set(key('feed_forward_length'), u32(64))(draft);
        draft.tensors = draft.tensors.map((tensor) =>
          tensor.name.includes('ffn_') ? { ...tensor, shape: tensor.shape.map(() => 64) } : tensor,
        );
      },
      [key('feed_forward_length')],
      /64, must differ from the embedding_length/,
    ],
    ['no patch kernel', dropTensor('v.patch_embd.weight.1'), ['tensor v.patch_embd.weight.1'], /missing/],
    [
      'a quantised patch kernel',
      changeTensor('v.patch_embd.weight', { type: 'BF16' }),
      ['tensor v.patch_embd.weight'],
      /BF16, must be F32 or F16/,
    ],
    ['no query bias', dropTensor('v.blk.1.attn_q.bias'), ['tensor v.blk.1.attn_q.bias'], /missing, must be \[64\]/],
    ['no projector bias', dropTensor('mm.2.bias'), ['tensor mm.2.bias'], /missing/],
    [
      'up and down swapped',
      (draft) => {
        changeTensor('v.blk.0.ffn_up.weight', { shape: [128, 64] })(draft);
        changeTensor('v.blk.0.ffn_down.weight', { shape: [64, 128] })(draft);
      },
      ['tensor v.blk.0.ffn_up.weight', 'tensor v.blk.0.ffn_down.weight'],
      /\[128, 64\], must be \[64, 128\]/,
    ],
    [
      'a half-float norm',
      changeTensor('v.blk.0.ln1.weight', { type: 'F16' }),
      ['tensor v.blk.0.ln1.weight'],
      /must be F32/,
    ],
    [
      'a class embedding',
      addTensor({ name: 'v.class_embd', type: 'F32', shape: [64] }),
      ['tensor v.class_embd'],
      /must not be there/,
    ],
    [
      'another projection than it says',
      set(key('projection_dim'), u32(32)),
      ['tensor mm.2.weight', 'tensor mm.2.bias'],
      /\[256, 64\], must be \[256, 32\]/,
    ],
  ];
  test.each(cases)('%s is a problem', (...broken) => expectProblems(folder, 'mmproj', broken));

  test.each<readonly [string, (draft: Draft) => void]>([
    ['full attention everywhere', set(key('n_wa_pattern'), u32(0))],
    ['no post-norm', dropTensor('v.post_ln.weight')],
    [
      'no feed-forward biases',
      (draft) => (draft.tensors = draft.tensors.filter(({ name }) => !/ffn_.*bias/.test(name))),
    ],
    ['a merge size that is said', set(key('spatial_merge_size'), u32(2))],
  ])('%s is none', async (_, change) => {
    expect(await problemsAfter(folder, 'mmproj', change)).toEqual([]);
  });
});
