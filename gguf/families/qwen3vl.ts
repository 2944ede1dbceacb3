import type { ModelFamily } from './family.js';

/** The dense models; its bounding boxes are relative to the image, from 0 to 1000 on both axes. */
export const QWEN3VL = {
  architecture: 'qwen3vl',
  title: 'Qwen3-VL',
  checkpoint: 'Qwen3VLForConditionalGeneration',
  projector: 'qwen3vl_merger',
  patchPx: 16,
  mergeSize: 2,
  hasQkNorm: true,
  ffnNorm: 'ffn_norm',
  hasExperts: false,
  coordinates: 'thousand',
  thinks: false,
  isRecurrent: false,
  preTokenizer: 'qwen2',
  training: {
    // The template qwen3_vl is for the thinking models: it would put an empty thought before every answer.
    template: 'qwen3_vl_nothink',
    exampleModel: 'Qwen/Qwen3-VL-8B-Instruct',
  },
} as const satisfies ModelFamily;
