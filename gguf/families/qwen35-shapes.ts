import type { PairSizes } from './shapes.js';

/** What the heads of all published sizes have in common. */
const QWEN35_HEADS = { headSize: 256, nRot: 64, nCtx: 262144 } as const;
const QWEN35_LINEAR = { nConv: 4, nKeyHeads: 16, headSize: 128, fullInterval: 4 } as const;
const QWEN35_TOWER = { nEmbd: 1024, nLayer: 24, nHead: 16, nFf: 4096, nWaPattern: 0, imageSizePx: 768 } as const;

/** `0.8b`, `2b`, `4b` and `9b` have the sizes of Qwen3.5-0.8B, -2B, -4B and -9B (their config.json). */
export const QWEN35_SHAPES = {
  tiny: {
    text: {
      ...{ nEmbd: 64, nLayer: 4, nHead: 2, nHeadKv: 1, headSize: 64, nRot: 16, nFf: 128, nCtx: 8192, tied: true },
      linear: { nConv: 4, nKeyHeads: 2, nValueHeads: 4, headSize: 16, fullInterval: 2 },
    },
    vision: { nEmbd: 64, nLayer: 3, nHead: 2, nFf: 128, nWaPattern: 0, imageSizePx: 256 },
    tokenizer: {},
  },
  small: {
    text: {
      ...{ nEmbd: 256, nLayer: 6, nHead: 4, nHeadKv: 2, headSize: 96, nRot: 48, nFf: 704, nCtx: 8192, tied: true },
      linear: { nConv: 4, nKeyHeads: 4, nValueHeads: 8, headSize: 32, fullInterval: 3 },
    },
    vision: { nEmbd: 192, nLayer: 6, nHead: 3, nFf: 512, nWaPattern: 0, imageSizePx: 512 },
    tokenizer: {},
  },
  '300m': {
    text: {
      ...{ nEmbd: 1024, nLayer: 24, nHead: 8, nHeadKv: 2, headSize: 128, nRot: 32, nFf: 2560, nCtx: 32768, tied: true },
      linear: { nConv: 4, nKeyHeads: 4, nValueHeads: 8, headSize: 128, fullInterval: 4 },
    },
    vision: { nEmbd: 512, nLayer: 12, nHead: 8, nFf: 1408, nWaPattern: 0, imageSizePx: 768 },
    tokenizer: { vocabSize: 32000 },
  },
  '0.8b': {
    text: {
      ...{ nEmbd: 1024, nLayer: 24, nHead: 8, nHeadKv: 2, ...QWEN35_HEADS, nFf: 3584, tied: true },
      linear: { ...QWEN35_LINEAR, nValueHeads: 16 },
    },
    vision: { nEmbd: 768, nLayer: 12, nHead: 12, nFf: 3072, nWaPattern: 0, imageSizePx: 768 },
    tokenizer: { vocabSize: 248320 },
  },
  '2b': {
    text: {
      ...{ nEmbd: 2048, nLayer: 24, nHead: 8, nHeadKv: 2, ...QWEN35_HEADS, nFf: 6144, tied: true },
      linear: { ...QWEN35_LINEAR, nValueHeads: 16 },
    },
    vision: QWEN35_TOWER,
    tokenizer: { vocabSize: 248320 },
  },
  '4b': {
    text: {
      ...{ nEmbd: 2560, nLayer: 32, nHead: 16, nHeadKv: 4, ...QWEN35_HEADS, nFf: 9216, tied: true },
      linear: { ...QWEN35_LINEAR, nValueHeads: 32 },
    },
    vision: QWEN35_TOWER,
    tokenizer: { vocabSize: 248320 },
  },
  '9b': {
    text: {
      ...{ nEmbd: 4096, nLayer: 32, nHead: 16, nHeadKv: 4, ...QWEN35_HEADS, nFf: 12288, tied: false },
      linear: { ...QWEN35_LINEAR, nValueHeads: 32 },
    },
    vision: { nEmbd: 1152, nLayer: 27, nHead: 16, nFf: 4304, nWaPattern: 0, imageSizePx: 768 },
    tokenizer: { vocabSize: 248320 },
  },
} as const satisfies Readonly<Record<string, PairSizes>>;
