import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buildVocabulary, tokenizerMetadata, type TokenizerOptions } from './tokenizer.js';
import type { FamilyName, ModelFamily } from './families/family.js';
import { FAMILIES } from './families/index.js';
import { describeText, describeVision } from './families/metadata.js';
import { headSizeOf, nRotOf, type PairSizes, type TextShape, type VisionShape } from './families/shapes.js';
import { checkToyShape, ropeSections, toyShapeOf, type ToyPreset } from './toy-shapes.js';
import { textTensors, visionTensors, type ToyWeights } from './toy-tensors.js';
import type { GgufMetadata } from './values.js';
import { writeGguf, type GgufToWrite } from './writer.js';

export interface ToyOptions {
  /** Default `qwen2vl`. */
  readonly family?: FamilyName;
  /** Sizes to start from; default `tiny`, the smallest (both files in F32 under 2 MB). */
  readonly preset?: ToyPreset;
  readonly text?: Partial<TextShape>;
  readonly vision?: Partial<VisionShape>;
  readonly tokenizer?: TokenizerOptions;
  /** Type of the matrices; norms and biases stay F32. Default F32. */
  readonly type?: ToyWeights['type'];
  /** Same seed and options, same bytes. Default 0. */
  readonly seed?: number | string;
  /** Multiplies the spread of every matrix. Default 1: logits spread by about 2. */
  readonly initScale?: number;
  /** Writes the headers and leaves holes for the data: a file of full size that takes no space. Default false. */
  readonly sparse?: boolean;
  /** File names in the folder; default `model.gguf` and `mmproj.gguf`. */
  readonly textName?: string;
  readonly mmprojName?: string;
  readonly signal?: AbortSignal;
}

export interface ToyPair {
  readonly textPath: string;
  readonly mmprojPath: string;
}

/** What pixels from 0 to 1 are normalised with, as preprocessor_config.json says: Qwen2.5-VL as CLIP, Qwen3-VL plainly. */
const CLIP_PIXELS = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};
const HALVES = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

/** `rope_theta` in the config.json of each. */
const ROPE_BASE: Readonly<Record<FamilyName, number>> = { qwen2vl: 1e6, qwen3vl: 5e6, qwen3vlmoe: 5e6, qwen35: 1e7 };

const TOY_NAME = 'Framewright toy';

/**
 * Writes a random pair of a family that llama.cpp loads and runs: text model and vision file. It knows nothing, and
 * answers differently for another image or another position. Existing files of the same names are replaced.
 *
 * @throws GgufError `WRITE` for sizes no such model can have, `IO`; the signal's reason.
 */
export async function writeToyPair(folder: string, options: ToyOptions = {}): Promise<ToyPair> {
  const { textName = 'model.gguf', mmprojName = 'mmproj.gguf', signal } = options;
  const pair = describeToyPair(options);
  await mkdir(folder, { recursive: true });
  const textPath = join(folder, textName);
  const mmprojPath = join(folder, mmprojName);
  const writeOptions = signal ? { signal } : {};
  await writeGguf(textPath, pair.text, writeOptions);
  await writeGguf(mmprojPath, pair.mmproj, writeOptions);
  return { textPath, mmprojPath };
}

/** The two files of `writeToyPair`, not yet written: their tensors can be changed first. */
export function describeToyPair(options: ToyOptions = {}): {
  readonly text: GgufToWrite;
  readonly mmproj: GgufToWrite;
} {
  const { family = 'qwen2vl', preset = 'tiny', type = 'F32', seed = 0, initScale = 1, sparse = false } = options;
  const base = toyShapeOf(family, preset);
  const shape: PairSizes = {
    text: { ...base.text, ...options.text },
    vision: { ...base.vision, ...options.vision },
    tokenizer: { ...base.tokenizer, ...options.tokenizer },
  };
  checkToyShape(family, shape);
  const of = FAMILIES[family];
  const weights: ToyWeights = { seed: String(seed), type, initScale, sparse };
  const vocabulary = buildVocabulary(shape.tokenizer);
  return {
    text: {
      metadata: new Map([
        ...textMetadata(shape.text, type, family, shape.vision.deepstackLayers?.length),
        ...tokenizerMetadata(vocabulary, of.preTokenizer),
      ]),
      tensors: textTensors(of, shape.text, vocabulary.tokens.length, weights),
    },
    mmproj: {
      metadata: visionMetadata(shape.vision, shape.text.nEmbd, type, of),
      tensors: visionTensors(of, shape.vision, shape.text.nEmbd, weights),
    },
  };
}

/** The metadata of a text file, without its tokenizer. `nDeepstack`: embeddings an image token brings beside its own. */
export function textMetadata(
  shape: TextShape,
  type: ToyWeights['type'],
  family: FamilyName = 'qwen2vl',
  nDeepstack = 0,
): GgufMetadata {
  const headSize = headSizeOf(shape);
  return describeText(FAMILIES[family], TOY_NAME, type, {
    ...shape,
    headSize,
    nDeepstack,
    epsilon: 1e-6,
    ropeBase: ROPE_BASE[family],
    ropeSections: ropeSections(nRotOf(shape), family),
  });
}

/** The metadata of a vision file whose output has the size of the text model's embedding. */
export function visionMetadata(
  shape: VisionShape,
  projectionDim: number,
  type: ToyWeights['type'],
  family: ModelFamily = FAMILIES.qwen2vl,
): GgufMetadata {
  const pixels = family.projector === 'qwen3vl_merger' ? HALVES : CLIP_PIXELS;
  return describeVision(family, TOY_NAME, type, { ...shape, ...pixels, projectionDim, epsilon: 1e-6 });
}
