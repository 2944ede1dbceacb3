import type { ModelFamily } from './family.js';

/** Its bounding boxes are absolute pixels of the resized image (Qwen2.5-VL technical report, section 2.2.2). */
export const QWEN2VL = {
  architecture: 'qwen2vl',
  title: 'Qwen2.5-VL',
  checkpoint: 'Qwen2_5_VLForConditionalGeneration',
  projector: 'qwen2.5vl_merger',
  patchPx: 14,
  mergeSize: 2,
  hasQkNorm: false,
  ffnNorm: 'ffn_norm',
  hasExperts: false,
  coordinates: 'pixels',
  thinks: false,
  isRecurrent: false,
  preTokenizer: 'qwen2',
  training: { template: 'qwen2_vl', exampleModel: 'Qwen/Qwen2.5-VL-7B-Instruct' },
} as const satisfies ModelFamily;
