import { GgufError } from './errors.js';
import type { TokenizerOptions } from './tokenizer.js';

/** Sizes of the text model; `nEmbd / nHead` is the head's. */
export interface TextShape {
  readonly nEmbd: number;
  readonly nLayer: number;
  readonly nHead: number;
  readonly nHeadKv: number;
  readonly nFf: number;
  /** Context the model claims to be trained for, in positions. */
  readonly nCtx: number;
  /** Whether the token embedding is the output matrix too. */
  readonly tied: boolean;
}

/** Sizes of the vision tower. The patch is 14 px and 2x2 patches merge into one token, as llama.cpp fixes it. */
export interface VisionShape {
  readonly nEmbd: number;
  readonly nLayer: number;
  readonly nHead: number;
  /** Must differ from nEmbd: llama.cpp tells up from down by it. */
  readonly nFf: number;
  /**
   * Layer i looks at the whole image where (i + 1) is a multiple of it, at 112 px windows elsewhere; 0: everywhere. Not 1,
   * which would say the same as 0 but aborts llama.cpp.
   */
  readonly nWaPattern: number;
  readonly imageSizePx: number;
}

export interface ToyShape {
  readonly text: TextShape;
  readonly vision: VisionShape;
  readonly tokenizer: TokenizerOptions;
}

export const PATCH_SIZE_PX = 14;

/** `7b` has the sizes of Qwen2.5-VL-7B-Instruct (its config.json); `300m` the text layers of Qwen2-0.5B, narrower. */
export const TOY_PRESETS = {
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
} as const satisfies Readonly<Record<string, ToyShape>>;

export type ToyPreset = keyof typeof TOY_PRESETS;

/**
 * How a head's position dimensions are shared between time, height and width: a quarter, three eighths, three eighths,
 * as in Qwen2.5-VL (16, 24, 24 of 64).
 */
export function ropeSections(headSize: number): readonly [number, number, number, number] {
  const half = headSize / 2;
  const time = Math.max(1, Math.floor(half / 4));
  const height = Math.floor((half - time) / 2);
  return [time, height, half - time - height, 0];
}

/** @throws GgufError `WRITE` for sizes no Qwen2.5-VL pair can have. */
export function checkToyShape({ text, vision }: ToyShape): void {
  const require = (holds: boolean, rule: string): void => {
    if (!holds) throw new GgufError('WRITE', `no model has these sizes: ${rule}`);
  };
  const { imageSizePx, nWaPattern, ...visionSizes } = vision;
  const sizes = [...Object.entries(text), ...Object.entries(visionSizes)];
  for (const [name, size] of sizes.filter(([name]) => name !== 'tied')) {
    require(Number.isSafeInteger(size) && size > 0, `${name} must be a whole number above 0, not ${size}`);
  }
  require(text.nEmbd % text.nHead === 0, `text nEmbd ${text.nEmbd} must be a multiple of nHead ${text.nHead}`);
  require(text.nHead % text.nHeadKv === 0, `text nHead ${text.nHead} must be a multiple of nHeadKv ${text.nHeadKv}`);
  require((text.nEmbd / text.nHead) % 2 === 0, 'the text head size must be even');
  require(vision.nEmbd % (vision.nHead * 4) ===
    0, `vision nEmbd ${vision.nEmbd} must be a multiple of 4 x nHead ${vision.nHead}`);
  require(vision.nFf !== vision.nEmbd, 'vision nFf must differ from vision nEmbd');
  require(Number.isSafeInteger(nWaPattern) &&
    nWaPattern >= 0 &&
    nWaPattern !== 1, `nWaPattern must be 0 or from 2, not ${nWaPattern}`);
  require(imageSizePx > 0 &&
    imageSizePx % (2 * PATCH_SIZE_PX) === 0, `imageSizePx ${imageSizePx} must be a multiple of ${2 * PATCH_SIZE_PX}`);
}
