import type { ModelFamily } from './family.js';

/**
 * The dense models. Most layers keep a running state (gated delta net), the others attend to everything before; boxes
 * are relative to the image, from 0 to 1000 on both axes.
 */
export const QWEN35 = {
  architecture: 'qwen35',
  title: 'Qwen3.5',
  checkpoint: 'Qwen3_5ForConditionalGeneration',
  projector: 'qwen3vl_merger',
  patchPx: 16,
  mergeSize: 2,
  hasQkNorm: true,
  ffnNorm: 'post_attention_norm',
  hasExperts: false,
  coordinates: 'thousand',
  thinks: true,
  isRecurrent: true,
  preTokenizer: 'qwen35',
  training: {
    // The template qwen3_5 trains thoughts before every answer; this one the closed think block that is asked with here.
    template: 'qwen3_5_nothink',
    exampleModel: 'Qwen/Qwen3.5-9B',
  },
} as const satisfies ModelFamily;
