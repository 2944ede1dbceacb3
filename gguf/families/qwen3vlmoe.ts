import type { ModelFamily } from './family.js';

/** Qwen3-VL with a mixture of experts where the dense models have one feed-forward network; all else as theirs. */
export const QWEN3VLMOE = {
  architecture: 'qwen3vlmoe',
  title: 'Qwen3-VL-MoE',
  checkpoint: 'Qwen3VLMoeForConditionalGeneration',
  projector: 'qwen3vl_merger',
  patchPx: 16,
  mergeSize: 2,
  hasQkNorm: true,
  ffnNorm: 'ffn_norm',
  hasExperts: true,
  coordinates: 'thousand',
  thinks: false,
  isRecurrent: false,
  preTokenizer: 'qwen2',
  training: {
    // The template qwen3_vl is for the thinking models: it would put an empty thought before every answer.
    template: 'qwen3_vl_nothink',
    exampleModel: 'Qwen/Qwen3-VL-30B-A3B-Instruct',
  },
} as const satisfies ModelFamily;
