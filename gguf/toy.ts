import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buildVocabulary, tokenizerMetadata, type TokenizerOptions } from './tokenizer.js';
import type { FamilyName, ModelFamily } from './families/family.js';
import { FAMILIES } from './families/index.js';
import { headSizeOf, type PairSizes, type TextShape, type VisionShape } from './families/shapes.js';
import { checkToyShape, ropeSections, toyShapeOf, type ToyPreset } from './toy-shapes.js';
import { textTensors, visionTensors, type ToyWeights } from './toy-tensors.js';
import { bool, bools, f32, f32s, i32s, str, u32, type GgufMetadata, type GgufValue } from './values.js';
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

/** `general.file_type` (llama_ftype): mostly this type. */
const FILE_TYPE = { F32: 0, F16: 1, Q8_0: 7 } as const;

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
        ...tokenizerMetadata(vocabulary),
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
  const { architecture, hasQkNorm } = FAMILIES[family];
  const headSize = headSizeOf(shape);
  const key = (name: string): string => `${architecture}.${name}`;
  return new Map([
    ['general.architecture', str(architecture)],
    ['general.type', str('model')],
    ['general.name', str('Framewright toy')],
    ['general.file_type', u32(FILE_TYPE[type])],
    ['general.quantization_version', u32(2)],
    [key('block_count'), u32(shape.nLayer)],
    [key('context_length'), u32(shape.nCtx)],
    [key('embedding_length'), u32(shape.nEmbd)],
    [key('feed_forward_length'), u32(shape.nFf)],
    [key('attention.head_count'), u32(shape.nHead)],
    [key('attention.head_count_kv'), u32(shape.nHeadKv)],
    [key('attention.layer_norm_rms_epsilon'), f32(1e-6)],
    [key('rope.freq_base'), f32(hasQkNorm ? 5e6 : 1e6)],
    [key('rope.dimension_sections'), i32s(ropeSections(headSize, family))],
    ...(family === 'qwen2vl'
      ? []
      : ([
          [key('attention.key_length'), u32(headSize)],
          [key('attention.value_length'), u32(headSize)],
          [key('n_deepstack_layers'), u32(nDeepstack)],
        ] as const)),
  ]);
}

/** The metadata of a vision file whose output has the size of the text model's embedding. */
export function visionMetadata(
  shape: VisionShape,
  projectionDim: number,
  type: ToyWeights['type'],
  family: ModelFamily = FAMILIES.qwen2vl,
): GgufMetadata {
  const isQwen3 = family.projector === 'qwen3vl_merger';
  const pixels = isQwen3 ? HALVES : CLIP_PIXELS;
  return new Map([
    ['general.architecture', str('clip')],
    ['general.type', str('mmproj')],
    ['general.name', str('Framewright toy')],
    ['general.file_type', u32(FILE_TYPE[type])],
    ['general.quantization_version', u32(2)],
    ['clip.has_vision_encoder', bool(true)],
    ['clip.projector_type', str(family.projector)],
    [isQwen3 ? 'clip.use_gelu' : 'clip.use_silu', bool(true)],
    ['clip.vision.projection_dim', u32(projectionDim)],
    ['clip.vision.image_size', u32(shape.imageSizePx)],
    ['clip.vision.patch_size', u32(family.patchPx)],
    ['clip.vision.embedding_length', u32(shape.nEmbd)],
    ['clip.vision.feed_forward_length', u32(shape.nFf)],
    ['clip.vision.block_count', u32(shape.nLayer)],
    ['clip.vision.attention.head_count', u32(shape.nHead)],
    ['clip.vision.attention.layer_norm_epsilon', f32(1e-6)],
    ['clip.vision.image_mean', f32s(pixels.mean)],
    ['clip.vision.image_std', f32s(pixels.std)],
    ...(isQwen3
      ? ([
          ['clip.vision.spatial_merge_size', u32(family.mergeSize)],
          ['clip.vision.is_deepstack_layers', deepstackFlags(shape)],
        ] as const)
      : ([['clip.vision.n_wa_pattern', u32(shape.nWaPattern)]] as const)),
  ]);
}

function deepstackFlags({ nLayer, deepstackLayers = [] }: VisionShape): GgufValue {
  return bools(Array.from({ length: nLayer }, (_, i) => deepstackLayers.includes(i)));
}
