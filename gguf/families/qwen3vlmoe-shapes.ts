import { QWEN3VL_SHAPES } from './qwen3vl-shapes.js';
import type { PairSizes } from './shapes.js';

/** `30b` has the sizes of Qwen3-VL-30B-A3B-Instruct (its config.json); the others those of the dense toys, with experts. */
export const QWEN3VLMOE_SHAPES = {
  tiny: {
    ...QWEN3VL_SHAPES.tiny,
    text: { ...QWEN3VL_SHAPES.tiny.text, experts: { count: 4, used: 2, nFf: 32 } },
  },
  small: {
    ...QWEN3VL_SHAPES.small,
    text: { ...QWEN3VL_SHAPES.small.text, experts: { count: 8, used: 3, nFf: 96 } },
  },
  '30b': {
    text: {
      ...{ nEmbd: 2048, nLayer: 48, nHead: 32, nHeadKv: 4, headSize: 128, nFf: 6144, nCtx: 262144, tied: false },
      experts: { count: 128, used: 8, nFf: 768 },
    },
    vision: QWEN3VL_SHAPES['8b'].vision,
    tokenizer: { vocabSize: 151936 },
  },
} as const satisfies Readonly<Record<string, PairSizes>>;
