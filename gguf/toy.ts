import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buildVocabulary, tokenizerMetadata, type TokenizerOptions } from './tokenizer.js';
import {
  PATCH_SIZE_PX,
  TOY_PRESETS,
  checkToyShape,
  ropeSections,
  type TextShape,
  type ToyPreset,
  type ToyShape,
  type VisionShape,
} from './toy-shapes.js';
import { textTensors, visionTensors, type ToyWeights } from './toy-tensors.js';
import { bool, f32, f32s, i32s, str, u32, type GgufMetadata } from './values.js';
import { writeGguf, type GgufToWrite } from './writer.js';

export interface ToyOptions {
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

/** Pre-processing constants of Qwen2.5-VL, those of CLIP (preprocessor_config.json). */
const IMAGE_MEAN = [0.48145466, 0.4578275, 0.40821073];
const IMAGE_STD = [0.26862954, 0.26130258, 0.27577711];

/** `general.file_type` (llama_ftype): mostly this type. */
const FILE_TYPE = { F32: 0, F16: 1, Q8_0: 7 } as const;

/**
 * Writes a random Qwen2.5-VL pair that llama.cpp loads and runs: text model and vision file. It knows nothing, and
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
  const { preset = 'tiny', type = 'F32', seed = 0, initScale = 1, sparse = false } = options;
  const base: ToyShape = TOY_PRESETS[preset];
  const shape: ToyShape = {
    text: { ...base.text, ...options.text },
    vision: { ...base.vision, ...options.vision },
    tokenizer: { ...base.tokenizer, ...options.tokenizer },
  };
  checkToyShape(shape);
  const weights: ToyWeights = { seed: String(seed), type, initScale, sparse };
  const vocabulary = buildVocabulary(shape.tokenizer);
  return {
    text: {
      metadata: new Map([...textMetadata(shape.text, type), ...tokenizerMetadata(vocabulary)]),
      tensors: textTensors(shape.text, vocabulary.tokens.length, weights),
    },
    mmproj: {
      metadata: visionMetadata(shape.vision, shape.text.nEmbd, type),
      tensors: visionTensors(shape.vision, shape.text.nEmbd, weights),
    },
  };
}

/** The metadata of a text file, without its tokenizer. */
export function textMetadata(shape: TextShape, type: ToyWeights['type']): GgufMetadata {
  return new Map([
    ['general.architecture', str('qwen2vl')],
    ['general.type', str('model')],
    ['general.name', str('Framewright toy')],
    ['general.file_type', u32(FILE_TYPE[type])],
    ['general.quantization_version', u32(2)],
    ['qwen2vl.block_count', u32(shape.nLayer)],
    ['qwen2vl.context_length', u32(shape.nCtx)],
    ['qwen2vl.embedding_length', u32(shape.nEmbd)],
    ['qwen2vl.feed_forward_length', u32(shape.nFf)],
    ['qwen2vl.attention.head_count', u32(shape.nHead)],
    ['qwen2vl.attention.head_count_kv', u32(shape.nHeadKv)],
    ['qwen2vl.attention.layer_norm_rms_epsilon', f32(1e-6)],
    ['qwen2vl.rope.freq_base', f32(1e6)],
    ['qwen2vl.rope.dimension_sections', i32s(ropeSections(shape.nEmbd / shape.nHead))],
  ]);
}

/** The metadata of a vision file whose output has the size of the text model's embedding. */
export function visionMetadata(shape: VisionShape, projectionDim: number, type: ToyWeights['type']): GgufMetadata {
  return new Map([
    ['general.architecture', str('clip')],
    ['general.type', str('mmproj')],
    ['general.name', str('Framewright toy')],
    ['general.file_type', u32(FILE_TYPE[type])],
    ['general.quantization_version', u32(2)],
    ['clip.has_vision_encoder', bool(true)],
    ['clip.projector_type', str('qwen2.5vl_merger')],
    ['clip.use_silu', bool(true)],
    ['clip.vision.projection_dim', u32(projectionDim)],
    ['clip.vision.image_size', u32(shape.imageSizePx)],
    ['clip.vision.patch_size', u32(PATCH_SIZE_PX)],
    ['clip.vision.embedding_length', u32(shape.nEmbd)],
    ['clip.vision.feed_forward_length', u32(shape.nFf)],
    ['clip.vision.block_count', u32(shape.nLayer)],
    ['clip.vision.attention.head_count', u32(shape.nHead)],
    ['clip.vision.attention.layer_norm_epsilon', f32(1e-6)],
    ['clip.vision.image_mean', f32s(IMAGE_MEAN)],
    ['clip.vision.image_std', f32s(IMAGE_STD)],
    ['clip.vision.n_wa_pattern', u32(shape.nWaPattern)],
  ]);
}
