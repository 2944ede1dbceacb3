import { GgufError } from '../errors.js';
import type { ModelFamily } from '../families/family.js';
import { FAMILIES, familyTitles } from '../families/index.js';
import { whyRefused } from '../families/refused.js';
import {
  recurrentLayersOf,
  type Experts,
  type LinearAttention,
  type TextShape,
  type VisionShape,
} from '../families/shapes.js';
import { isObject, readJsonObject, type JsonObject } from '../json-object.js';

/** What a checkpoint's config.json says of its model. */
export interface CheckpointConfig {
  readonly family: ModelFamily;
  readonly text: TextShape & {
    readonly headSize: number;
    readonly nVocab: number;
    readonly epsilon: number;
    readonly ropeBase: number;
    readonly ropeSections: readonly number[];
  };
  readonly vision: VisionShape & { readonly deepstackLayers: readonly number[] };
  /** Tokens named by number, where the tokenizer's own files name none. */
  readonly tokenIds: { readonly bos: number | undefined; readonly eos: number | undefined };
}

const MAX_BYTES = 4 * 2 ** 20;
/** Side of the windows llama.cpp's Qwen2.5-VL looks through. */
const WINDOW_PX = 112;
/** The image size of a vision file where nothing follows from it (llama.cpp's converter writes the same). */
const IMAGE_SIZE_PX = 560;
/** What transformers takes where a Qwen3.5's config.json names none (Qwen3_5TextRotaryEmbedding, Qwen3_5TextConfig). */
const QWEN35_SECTIONS: readonly number[] = [11, 11, 10];
const QWEN35_TURNING = 0.25;

/**
 * @throws GgufError `UNSUPPORTED` for another model than those of the families, or one that computes otherwise, `INVALID`
 * for sizes that are missing or no sizes, `MALFORMED`, `IO`
 */
export async function readCheckpointConfig(path: string): Promise<CheckpointConfig> {
  const config = await readJsonObject(path, MAX_BYTES);
  const family = familyOf(path, config);
  const top = new Section(path, '', config);
  if (config.quantization_config !== undefined)
    top.refuse('quantization_config', 'quantised weights are not taken; convert the original');
  // Older checkpoints have the text model's sizes at the top.
  const text = isObject(config.text_config)
    ? new Section(path, 'text_config.', { ...config, ...config.text_config })
    : top;
  if (!isObject(config.vision_config)) throw new GgufError('INVALID', `${path}: vision_config must be an object`);
  const vision = new Section(path, 'vision_config.', config.vision_config);
  const sizes = textSizes(family, text);
  vision.require('out_hidden_size', sizes.nEmbd);
  return {
    family,
    text: sizes,
    vision: family.projector === 'qwen3vl_merger' ? qwen3Tower(family, vision) : qwen2Tower(family, vision),
    tokenIds: { bos: text.optional('bos_token_id'), eos: text.optional('eos_token_id') },
  };
}

function familyOf(path: string, { architectures }: JsonObject): ModelFamily {
  const [named] = Array.isArray(architectures) ? (architectures as unknown[]) : [];
  const family = Object.values<ModelFamily>(FAMILIES).find(({ checkpoint }) => checkpoint === named);
  if (family) return family;
  throw new GgufError(
    'UNSUPPORTED',
    `${path}: architectures names ${typeof named === 'string' ? named : 'no model'}; ` +
      (whyRefused(named) ?? `checkpoints of ${familyTitles()} are converted`),
  );
}

function textSizes({ hasQkNorm, hasExperts, isRecurrent }: ModelFamily, text: Section): CheckpointConfig['text'] {
  const nEmbd = text.size('hidden_size');
  const nHead = text.size('num_attention_heads');
  text.require('hidden_act', 'silu');
  text.require('use_sliding_window', false, 'optional');
  if (hasQkNorm) text.require('attention_bias', false, 'optional');
  const rope = { ...text.object('rope_scaling'), ...text.object('rope_parameters') };
  const kind = rope.rope_type ?? rope.type ?? 'default';
  if (kind !== 'default' && kind !== 'mrope')
    text.refuse('rope_scaling', `${JSON.stringify(kind)} positions are not taken`);
  const sections: unknown = rope.mrope_section ?? (isRecurrent ? QWEN35_SECTIONS : undefined);
  if (!Array.isArray(sections) || sections.length !== 3 || !sections.every((n) => Number.isSafeInteger(n)))
    return text.refuse('rope_scaling', 'mrope_section must be three whole numbers');
  const headSize = hasQkNorm ? text.size('head_dim') : nEmbd / nHead;
  const nLayer = text.size('num_hidden_layers');
  return {
    nEmbd,
    nHead,
    nHeadKv: text.size('num_key_value_heads'),
    headSize,
    nLayer,
    ...(isRecurrent && { nRot: turningOf(text, rope, headSize), linear: linearSizes(text, nLayer) }),
    nFf: text.size('intermediate_size'),
    nCtx: text.size('max_position_embeddings'),
    nVocab: text.size('vocab_size'),
    epsilon: text.number('rms_norm_eps'),
    ropeBase: typeof rope.rope_theta === 'number' ? rope.rope_theta : text.number('rope_theta'),
    ropeSections: [...(sections as number[]), 0],
    tied: text.flag('tie_word_embeddings'),
    ...(hasExperts && { experts: expertSizes(text) }),
  };
}

/** Dimensions of a head that turn with the position. */
function turningOf(text: Section, rope: JsonObject, headSize: number): number {
  const share = rope.partial_rotary_factor ?? text.fraction('partial_rotary_factor') ?? QWEN35_TURNING;
  if (typeof share === 'number') return Math.floor(headSize * share);
  return text.refuse('rope_parameters', 'partial_rotary_factor must be a number', 'INVALID');
}

function linearSizes(text: Section, nLayer: number): LinearAttention {
  text.require('attn_output_gate', true, 'optional');
  const headSize = text.size('linear_key_head_dim');
  text.require('linear_value_head_dim', headSize); // llama.cpp has one size for both
  const fullInterval = text.optional('full_attention_interval') ?? 4;
  const types = text.texts('layer_types', ['linear_attention', 'full_attention'], nLayer);
  const recurrentLayers = types?.map((type) => type === 'linear_attention');
  const byInterval = recurrentLayersOf({ nLayer, linear: { fullInterval } });
  return {
    nConv: text.size('linear_conv_kernel_dim'),
    nKeyHeads: text.size('linear_num_key_heads'),
    nValueHeads: text.size('linear_num_value_heads'),
    headSize,
    fullInterval,
    ...(recurrentLayers && recurrentLayers.join() !== byInterval.join() && { recurrentLayers }),
  };
}

function expertSizes(text: Section): Experts {
  text.require('norm_topk_prob', true, 'optional');
  text.require('decoder_sparse_step', 1, 'optional');
  text.requireEmpty('mlp_only_layers', 'llama.cpp runs experts in every layer');
  return {
    count: text.size('num_experts'),
    used: text.size('num_experts_per_tok'),
    nFf: text.size('moe_intermediate_size'),
  };
}

function towerSizes(
  { patchPx, mergeSize }: ModelFamily,
  vision: Section,
): Pick<VisionShape, 'nEmbd' | 'nLayer' | 'nHead' | 'nFf'> {
  vision.require('patch_size', patchPx);
  vision.require('spatial_merge_size', mergeSize);
  vision.require('temporal_patch_size', 2);
  return {
    nEmbd: vision.size('hidden_size'),
    nLayer: vision.size('depth'),
    nHead: vision.size('num_heads'),
    nFf: vision.size('intermediate_size'),
  };
}

function qwen2Tower(family: ModelFamily, vision: Section): CheckpointConfig['vision'] {
  const sizes = towerSizes(family, vision);
  vision.require('hidden_act', 'silu');
  vision.require('window_size', WINDOW_PX);
  // llama.cpp knows a pattern, not a list.
  const full = vision.layers('fullatt_block_indexes', sizes.nLayer);
  const nWaPattern = (full[0] ?? 0) + 1;
  const byPattern = Array.from({ length: sizes.nLayer }, (_, i) => i).filter((i) => (i + 1) % nWaPattern === 0);
  if (nWaPattern === 1 || full.join() !== byPattern.join())
    vision.refuse('fullatt_block_indexes', 'llama.cpp runs whole attention in every n-th layer, n from 2 on');
  return { ...sizes, nWaPattern, deepstackLayers: [], imageSizePx: IMAGE_SIZE_PX };
}

function qwen3Tower(family: ModelFamily, vision: Section): CheckpointConfig['vision'] {
  const sizes = towerSizes(family, vision);
  vision.require('hidden_act', 'gelu_pytorch_tanh');
  const side = Math.sqrt(vision.size('num_position_embeddings'));
  if (!Number.isInteger(side)) vision.refuse('num_position_embeddings', 'must be a square number', 'INVALID');
  const deepstackLayers = family.isRecurrent ? [] : vision.layers('deepstack_visual_indexes', sizes.nLayer);
  if (family.isRecurrent) vision.requireEmpty('deepstack_visual_indexes', `a ${family.title} has no deepstack`);
  return { ...sizes, nWaPattern: 0, deepstackLayers, imageSizePx: side * family.patchPx };
}

/** An object of config.json, whose keys are checked as they are read. */
class Section {
  readonly #path: string;
  readonly #prefix: string;
  readonly #values: JsonObject;

  constructor(path: string, prefix: string, values: JsonObject) {
    this.#path = path;
    this.#prefix = prefix;
    this.#values = values;
  }

  refuse(key: string, why: string, code: 'UNSUPPORTED' | 'INVALID' = 'UNSUPPORTED'): never {
    throw new GgufError(code, `${this.#path}: ${this.#prefix}${key}: ${why}`);
  }

  /** A whole number above 0. */
  size(key: string): number {
    const value = this.#values[key];
    if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
    return this.refuse(
      key,
      `${value === undefined ? 'is missing' : JSON.stringify(value)}, must be a whole number above 0`,
      'INVALID',
    );
  }

  number(key: string): number {
    const value = this.#values[key];
    if (typeof value === 'number' && value > 0) return value;
    return this.refuse(key, 'must be a number above 0', 'INVALID');
  }

  optional(key: string): number | undefined {
    const value = this.#values[key];
    return Number.isSafeInteger(value) ? (value as number) : undefined;
  }

  fraction(key: string): number | undefined {
    const value = this.#values[key];
    return value === undefined ? undefined : this.number(key);
  }

  flag(key: string): boolean {
    return this.#values[key] === true;
  }

  object(key: string): JsonObject {
    const value = this.#values[key];
    return isObject(value) ? value : {};
  }

  /** A value without which the model would compute something else than llama.cpp does. */
  require(key: string, wanted: string | number | boolean, optional?: 'optional'): void {
    const value = this.#values[key];
    if (value === wanted || (optional && value === undefined)) return;
    this.refuse(
      key,
      `${value === undefined ? 'is missing' : JSON.stringify(value)}, must be ${JSON.stringify(wanted)}`,
    );
  }

  requireEmpty(key: string, why: string): void {
    const value = this.#values[key];
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) this.refuse(key, why);
  }

  /** One of some words for each layer; the list may be left out. */
  texts(key: string, allowed: readonly string[], nLayer: number): readonly string[] | undefined {
    const value = this.#values[key];
    if (value === undefined) return undefined;
    const isKnown = (word: unknown): word is string => allowed.includes(word as string);
    if (Array.isArray(value) && value.length === nLayer && value.every(isKnown)) return value;
    return this.refuse(key, `must be ${allowed.join(' or ')} for each of the ${nLayer} layers`, 'INVALID');
  }

  /** Numbers of layers, ascending. */
  layers(key: string, nLayer: number): readonly number[] {
    const value = this.#values[key];
    const isLayer = (n: unknown, i: number, all: readonly unknown[]): boolean =>
      Number.isSafeInteger(n) &&
      (n as number) >= 0 &&
      (n as number) < nLayer &&
      (i === 0 || (n as number) > (all[i - 1] as number));
    if (Array.isArray(value) && value.every(isLayer)) return value as number[];
    return this.refuse(key, `must be numbers of the ${nLayer} layers, in order`, 'INVALID');
  }
}
