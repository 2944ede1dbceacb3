import { describe, expect, test } from 'vitest';
import { u32 } from '../../../gguf/index.js';
import { addTensor, changeTensor, drop, dropTensor, expectProblems, problemsAfter, set, type Case } from '../broken.js';
import { temporaryFolder } from '../temporary.js';

const folder = await temporaryFolder();
const own = (name: string): string => `qwen3vlmoe.${name}`;

describe('the text model of a Qwen3-VL with experts', () => {
  const cases: readonly Case[] = [
    [
      'no count of experts',
      drop(own('expert_count')),
      [own('expert_count')],
      /missing, must be a uint32 from 1 to 1024/,
    ],
    ['1025 experts', set(own('expert_count'), u32(1025)), [own('expert_count')], /1025, must be/],
    [
      'more used than there are',
      set(own('expert_used_count'), u32(5)),
      [own('expert_used_count')],
      /5, must be a uint32 from 1 to 4/,
    ],
    ['none used', set(own('expert_used_count'), u32(0)), [own('expert_used_count')], /0, must be/],
    ['no width of theirs', drop(own('expert_feed_forward_length')), [own('expert_feed_forward_length')], /missing/],
    ['groups of experts', set(own('expert_group_count'), u32(2)), [own('expert_group_count')], /no plain Qwen3-VL-MoE/],
    [
      'nothing that chooses',
      dropTensor('blk.0.ffn_gate_inp.weight'),
      ['tensor blk.0.ffn_gate_inp.weight'],
      /must be \[64, 4\]/,
    ],
    [
      'an expert too few',
      changeTensor('blk.1.ffn_up_exps.weight', { shape: [64, 32, 3] }),
      ['tensor blk.1.ffn_up_exps.weight'],
      /\[64, 32, 3\], must be \[64, 32, 4\]/,
    ],
    [
      'experts the other way round',
      changeTensor('blk.1.ffn_down_exps.weight', { shape: [64, 32, 4] }),
      ['tensor blk.1.ffn_down_exps.weight'],
      /must be \[32, 64, 4\]/,
    ],
    [
      'a network beside them',
      addTensor({ name: 'blk.0.ffn_up.weight', type: 'F32', shape: [64, 128] }),
      ['tensor blk.0.ffn_up.weight'],
      /must not be there/,
    ],
  ];
  test.each(cases)('%s is a problem', (...broken) => expectProblems(folder, 'text', broken, 'qwen3vlmoe'));

  test('all of them used is none', async () => {
    expect(await problemsAfter(folder, 'text', set(own('expert_used_count'), u32(4)), 'qwen3vlmoe')).toEqual([]);
  });
});
