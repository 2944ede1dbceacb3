import { bool, bools, f32, f32s, i32s, str, u32, type GgufMetadata, type GgufValue } from '../values.js';
import type { ModelFamily } from './family.js';
import {
  linearWidthsOf,
  nRotOf,
  recurrentLayersOf,
  type LinearAttention,
  type TextShape,
  type VisionShape,
} from './shapes.js';

/** `general.file_type` (llama_ftype): mostly this type. */
const FILE_TYPE = { F32: 0, F16: 1, Q8_0: 7, BF16: 32 } as const;
export type FileType = keyof typeof FILE_TYPE;

export interface DescribedText extends TextShape {
  readonly headSize: number;
  /** Embeddings an image token brings beside its own. */
  readonly nDeepstack: number;
  readonly epsilon: number;
  readonly ropeBase: number;
  /** Of half of what turns of a head: time, height, width, 0. */
  readonly ropeSections: readonly number[];
}

export interface DescribedVision extends VisionShape {
  readonly projectionDim: number;
  readonly epsilon: number;
  /** What pixels from 0 to 1 are normalised with. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** The metadata of a text file of mostly one type, without its tokenizer. */
export function describeText(
  { architecture, isRecurrent }: ModelFamily,
  name: string,
  type: FileType,
  text: DescribedText,
): GgufMetadata {
  const own = (key: string, value: GgufValue): [string, GgufValue] => [`${architecture}.${key}`, value];
  return new Map([
    ['general.architecture', str(architecture)],
    ['general.type', str('model')],
    ...general(name, type),
    own('block_count', u32(text.nLayer)),
    own('context_length', u32(text.nCtx)),
    own('embedding_length', u32(text.nEmbd)),
    own('feed_forward_length', u32(text.nFf)),
    own('attention.head_count', u32(text.nHead)),
    own('attention.head_count_kv', u32(text.nHeadKv)),
    own('attention.layer_norm_rms_epsilon', f32(text.epsilon)),
    own('rope.freq_base', f32(text.ropeBase)),
    own('rope.dimension_sections', i32s(text.ropeSections)),
    ...(text.experts
      ? [
          own('expert_count', u32(text.experts.count)),
          own('expert_used_count', u32(text.experts.used)),
          own('expert_feed_forward_length', u32(text.experts.nFf)),
        ]
      : []),
    ...(architecture === 'qwen2vl'
      ? []
      : [
          own('attention.key_length', u32(text.headSize)),
          own('attention.value_length', u32(text.headSize)),
          ...(isRecurrent ? [] : [own('n_deepstack_layers', u32(text.nDeepstack))]),
        ]),
    ...(text.linear ? linearAttention(text, text.linear).map(([key, value]) => own(key, value)) : []),
  ]);
}

/** The sizes of a gated delta net under the names that llama.cpp has for those of a state space model. */
function linearAttention(text: DescribedText, linear: LinearAttention): [string, GgufValue][] {
  return [
    ['rope.dimension_count', u32(nRotOf(text))],
    ['ssm.conv_kernel', u32(linear.nConv)],
    ['ssm.state_size', u32(linear.headSize)],
    ['ssm.group_count', u32(linear.nKeyHeads)],
    ['ssm.time_step_rank', u32(linear.nValueHeads)],
    ['ssm.inner_size', u32(linearWidthsOf(linear).nValue)],
    ['attention.recurrent_layers', bools(recurrentLayersOf(text))],
    ['full_attention_interval', u32(linear.fullInterval)],
  ];
}

/** The metadata of a vision file. */
export function describeVision(
  { projector, patchPx, mergeSize }: ModelFamily,
  name: string,
  type: FileType,
  vision: DescribedVision,
): GgufMetadata {
  const own = (key: string, value: GgufValue): [string, GgufValue] => [`clip.vision.${key}`, value];
  const isQwen3 = projector === 'qwen3vl_merger';
  const { nLayer, deepstackLayers = [] } = vision;
  return new Map([
    ['general.architecture', str('clip')],
    ['general.type', str('mmproj')],
    ...general(name, type),
    ['clip.has_vision_encoder', bool(true)],
    ['clip.projector_type', str(projector)],
    [isQwen3 ? 'clip.use_gelu' : 'clip.use_silu', bool(true)],
    own('projection_dim', u32(vision.projectionDim)),
    own('image_size', u32(vision.imageSizePx)),
    own('patch_size', u32(patchPx)),
    own('embedding_length', u32(vision.nEmbd)),
    own('feed_forward_length', u32(vision.nFf)),
    own('block_count', u32(nLayer)),
    own('attention.head_count', u32(vision.nHead)),
    own('attention.layer_norm_epsilon', f32(vision.epsilon)),
    own('image_mean', f32s(vision.mean)),
    own('image_std', f32s(vision.std)),
    ...(isQwen3
      ? [
          own('spatial_merge_size', u32(mergeSize)),
          own('is_deepstack_layers', bools(Array.from({ length: nLayer }, (_, i) => deepstackLayers.includes(i)))),
        ]
      : [own('n_wa_pattern', u32(vision.nWaPattern))]),
  ]);
}

function general(name: string, type: FileType): [string, GgufValue][] {
  return [
    ['general.name', str(name)],
    ['general.file_type', u32(FILE_TYPE[type])],
    ['general.quantization_version', u32(2)],
  ];
}
