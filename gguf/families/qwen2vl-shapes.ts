import type { PairSizes } from './shapes.js';

/** `7b` has the sizes of Qwen2.5-VL-7B-Instruct (its config.json); `300m` the text layers of Qwen2-0.5B, narrower. */
export const QWEN2VL_SHAPES = {
  tiny: {
    text: { nEmbd: 64, nLayer: 2, nHead: 2, nHeadKv: 1, nFf: 128, nCtx: 8192, tied: true },
    vision: { nEmbd: 64, nLayer: 2, nHead: 2, nFf: 128, nWaPattern: 2, imageSizePx: 560 },
    tokenizer: {},
  },
  small: {
    text: { nEmbd: 256, nLayer: 6, nHead: 4, nHeadKv: 2, nFf: 704, nCtx: 8192, tied: true },
    vision: { nEmbd: 192, nLayer: 6, nHead: 3, nFf: 512, nWaPattern: 3, imageSizePx: 560 },
    tokenizer: {},
  },
  '300m': {
    text: { nEmbd: 896, nLayer: 24, nHead: 14, nHeadKv: 2, nFf: 3072, nCtx: 32768, tied: true },
    vision: { nEmbd: 512, nLayer: 12, nHead: 8, nFf: 1408, nWaPattern: 4, imageSizePx: 560 },
    tokenizer: { vocabSize: 32000 },
  },
  '7b': {
    text: { nEmbd: 3584, nLayer: 28, nHead: 28, nHeadKv: 4, nFf: 18944, nCtx: 128000, tied: false },
    vision: { nEmbd: 1280, nLayer: 32, nHead: 16, nFf: 3420, nWaPattern: 8, imageSizePx: 560 },
    tokenizer: { vocabSize: 152064 },
  },
} as const satisfies Readonly<Record<string, PairSizes>>;
