import type { PairSizes } from './shapes.js';

const QWEN3VL_TOWER = { nEmbd: 1024, nLayer: 24, nHead: 16, nFf: 4096, nWaPattern: 0, imageSizePx: 768 } as const;

/** `2b`, `4b` and `8b` have the sizes of Qwen3-VL-2B-, -4B- and -8B-Instruct (their config.json). */
export const QWEN3VL_SHAPES = {
  tiny: {
    text: { nEmbd: 64, nLayer: 3, nHead: 2, nHeadKv: 1, headSize: 64, nFf: 128, nCtx: 8192, tied: true },
    vision: { nEmbd: 64, nLayer: 3, nHead: 2, nFf: 128, nWaPattern: 0, deepstackLayers: [0, 1], imageSizePx: 256 },
    tokenizer: {},
  },
  small: {
    text: { nEmbd: 256, nLayer: 6, nHead: 4, nHeadKv: 2, headSize: 96, nFf: 704, nCtx: 8192, tied: true },
    vision: { nEmbd: 192, nLayer: 6, nHead: 3, nFf: 512, nWaPattern: 0, deepstackLayers: [1, 2, 4], imageSizePx: 512 },
    tokenizer: {},
  },
  '300m': {
    text: { nEmbd: 896, nLayer: 24, nHead: 14, nHeadKv: 2, headSize: 64, nFf: 3072, nCtx: 32768, tied: true },
    vision: {
      ...{ nEmbd: 512, nLayer: 12, nHead: 8, nFf: 1408, nWaPattern: 0 },
      ...{ deepstackLayers: [3, 6, 9], imageSizePx: 768 },
    },
    tokenizer: { vocabSize: 32000 },
  },
  '2b': {
    text: { nEmbd: 2048, nLayer: 28, nHead: 16, nHeadKv: 8, headSize: 128, nFf: 6144, nCtx: 262144, tied: true },
    vision: { ...QWEN3VL_TOWER, deepstackLayers: [5, 11, 17] },
    tokenizer: { vocabSize: 151936 },
  },
  '4b': {
    text: { nEmbd: 2560, nLayer: 36, nHead: 32, nHeadKv: 8, headSize: 128, nFf: 9728, nCtx: 262144, tied: true },
    vision: { ...QWEN3VL_TOWER, deepstackLayers: [5, 11, 17] },
    tokenizer: { vocabSize: 151936 },
  },
  '8b': {
    text: { nEmbd: 4096, nLayer: 36, nHead: 32, nHeadKv: 8, headSize: 128, nFf: 12288, nCtx: 262144, tied: false },
    vision: {
      ...{ nEmbd: 1152, nLayer: 27, nHead: 16, nFf: 4304, nWaPattern: 0 },
      ...{ deepstackLayers: [8, 16, 24], imageSizePx: 768 },
    },
    tokenizer: { vocabSize: 151936 },
  },
} as const satisfies Readonly<Record<string, PairSizes>>;
