import { encodeTensor, type EncodableType } from './encode-tensor.js';
import { fillUniform, seededWords } from './random.js';
import { GGML_TYPES, countElements } from './types.js';
import type { ModelFamily } from './families/family.js';
import {
  headSizeOf,
  linearWidthsOf,
  queryRowsOf,
  recurrentLayersOf,
  type Experts,
  type LinearAttention,
  type TextShape,
  type VisionShape,
} from './families/shapes.js';
import type { TensorToWrite } from './writer.js';

export interface ToyWeights {
  readonly seed: string;
  /** Type of the matrices; norms and biases stay F32. */
  readonly type: 'F32' | 'F16' | 'Q8_0';
  /** Multiplies the spread of every matrix. */
  readonly initScale: number;
  /** Leaves holes where the data would be. */
  readonly sparse: boolean;
}

/** How a tensor's values are drawn. */
interface Spread {
  readonly mean: number;
  readonly std: number;
}

const NORM: Spread = { mean: 1, std: 0.1 };
const BIAS: Spread = { mean: 0, std: 0.1 };
/** As much as what the patches themselves bring. */
const POSITION: Spread = { mean: 0, std: 1 };
/** `ssm_a` and `ssm_dt.bias`: a state keeps half of what it held 20 to 100 tokens ago. */
const DECAY: Spread = { mean: -1, std: 0.2 };
const DECAY_STEP: Spread = { mean: -4, std: 0.3 };
/** Logits spread by about this much: some tokens are likelier than others, none takes all. */
const LOGIT_STD = 2;
/** Values made at a time: 1 MiB of floats, and a whole number of blocks of every encodable type. */
const CHUNK_VALUES = 1 << 18;

export function textTensors(
  family: ModelFamily,
  shape: TextShape,
  nVocab: number,
  weights: ToyWeights,
): TensorToWrite[] {
  const { nEmbd, nFf, tied, experts, linear: linearAttention } = shape;
  const embedding: Spread = { mean: 0, std: (LOGIT_STD * weights.initScale) / Math.sqrt(nEmbd) };
  const tensors = [
    tensor('token_embd.weight', matrixType(nEmbd, weights), [nEmbd, nVocab], embedding, weights),
    vector('output_norm.weight', nEmbd, NORM, weights),
  ];
  if (!tied) {
    tensors.push(tensor('output.weight', matrixType(nEmbd, weights), [nEmbd, nVocab], embedding, weights));
  }
  for (const [i, isRecurrent] of recurrentLayersOf(shape).entries()) {
    const name = (part: string): string => `blk.${i}.${part}`;
    tensors.push(
      vector(name('attn_norm.weight'), nEmbd, NORM, weights),
      ...(isRecurrent
        ? linearAttentionTensors(name, nEmbd, linearAttention!, weights)
        : attentionTensors(name, family, shape, weights)),
      vector(name(`${family.ffnNorm}.weight`), nEmbd, NORM, weights),
      ...(experts
        ? expertTensors(name, nEmbd, experts, weights)
        : [
            ...linear(name('ffn_gate'), nEmbd, nFf, weights),
            ...linear(name('ffn_up'), nEmbd, nFf, weights),
            ...linear(name('ffn_down'), nFf, nEmbd, weights),
          ]),
    );
  }
  return tensors;
}

type PartName = (part: string) => string;

function attentionTensors(
  name: PartName,
  { hasQkNorm }: ModelFamily,
  shape: TextShape,
  weights: ToyWeights,
): TensorToWrite[] {
  const { nEmbd, nHead, nHeadKv } = shape;
  const headSize = headSizeOf(shape);
  const nQ = headSize * nHead;
  const nKv = headSize * nHeadKv;
  // Qwen2.5 adds to queries, keys and values what Qwen3 has its norms for.
  const bias = hasQkNorm ? undefined : 'bias';
  return [
    ...linear(name('attn_q'), nEmbd, queryRowsOf(shape), weights, bias),
    ...linear(name('attn_k'), nEmbd, nKv, weights, bias),
    ...linear(name('attn_v'), nEmbd, nKv, weights, bias),
    ...(hasQkNorm
      ? ['attn_q_norm.weight', 'attn_k_norm.weight'].map((part) => vector(name(part), headSize, NORM, weights))
      : []),
    ...linear(name('attn_output'), nQ, nEmbd, weights),
  ];
}

/** A gated delta net: what goes into its convolution, what gates its output, and how fast its state fades. */
function linearAttentionTensors(
  name: PartName,
  nEmbd: number,
  shape: LinearAttention,
  weights: ToyWeights,
): TensorToWrite[] {
  const { nConv, nValueHeads, headSize } = shape;
  const { nValue, nQkv } = linearWidthsOf(shape);
  const kernel: Spread = { mean: 0, std: weights.initScale / Math.sqrt(nConv) };
  return [
    ...linear(name('attn_qkv'), nEmbd, nQkv, weights),
    ...linear(name('attn_gate'), nEmbd, nValue, weights),
    // llama.cpp's convolution takes no other type.
    tensor(name('ssm_conv1d.weight'), 'F32', [nConv, nQkv], kernel, weights),
    vector(name('ssm_dt.bias'), nValueHeads, DECAY_STEP, weights),
    vector(name('ssm_a'), nValueHeads, DECAY, weights),
    ...linear(name('ssm_beta'), nEmbd, nValueHeads, weights),
    ...linear(name('ssm_alpha'), nEmbd, nValueHeads, weights),
    vector(name('ssm_norm.weight'), headSize, NORM, weights),
    ...linear(name('ssm_out'), nValue, nEmbd, weights),
  ];
}

/** The matrix that chooses, and three stacks of matrices, one of each for every expert. */
function expertTensors(name: PartName, nEmbd: number, { count, nFf }: Experts, weights: ToyWeights): TensorToWrite[] {
  const stack = (part: string, nIn: number, nOut: number): TensorToWrite => {
    const spread: Spread = { mean: 0, std: weights.initScale / Math.sqrt(nIn) };
    return tensor(name(`${part}.weight`), matrixType(nIn, weights), [nIn, nOut, count], spread, weights);
  };
  // llama.cpp keeps what chooses in single precision.
  const choice: Spread = { mean: 0, std: (2 * weights.initScale) / Math.sqrt(nEmbd) };
  return [
    tensor(name('ffn_gate_inp.weight'), 'F32', [nEmbd, count], choice, weights),
    stack('ffn_gate_exps', nEmbd, nFf),
    stack('ffn_up_exps', nEmbd, nFf),
    stack('ffn_down_exps', nFf, nEmbd),
  ];
}

/** The tensors of a vision file whose output has the size of the text model's embedding. */
export function visionTensors(
  family: ModelFamily,
  shape: VisionShape,
  projectionDim: number,
  weights: ToyWeights,
): TensorToWrite[] {
  const tower = family.projector === 'qwen3vl_merger' ? qwen3Tower : qwen2Tower;
  const nMerged = family.mergeSize ** 2 * shape.nEmbd;
  return [
    ...patchKernels(family, shape, weights),
    ...tower(family, shape, projectionDim, weights),
    ...linear('mm.0', nMerged, nMerged, weights, 'bias'),
    ...linear('mm.2', nMerged, projectionDim, weights, 'bias'),
  ];
}

type Tower = typeof visionTensors;

const qwen2Tower: Tower = (_family, { nEmbd, nLayer, nFf }, _projectionDim, weights) => [
  ...Array.from({ length: nLayer }, (_, i) => {
    const name = (part: string): string => `v.blk.${i}.${part}`;
    return [
      vector(name('ln1.weight'), nEmbd, NORM, weights),
      ...linear(name('attn_q'), nEmbd, nEmbd, weights, 'bias'),
      ...linear(name('attn_k'), nEmbd, nEmbd, weights, 'bias'),
      ...linear(name('attn_v'), nEmbd, nEmbd, weights, 'bias'),
      ...linear(name('attn_out'), nEmbd, nEmbd, weights, 'bias'),
      vector(name('ln2.weight'), nEmbd, NORM, weights),
      ...linear(name('ffn_gate'), nEmbd, nFf, weights, 'bias'),
      ...linear(name('ffn_up'), nEmbd, nFf, weights, 'bias'),
      ...linear(name('ffn_down'), nFf, nEmbd, weights, 'bias'),
    ];
  }).flat(),
  vector('v.post_ln.weight', nEmbd, NORM, weights),
];

const qwen3Tower: Tower = ({ patchPx, mergeSize }, shape, projectionDim, weights) => {
  const { nEmbd, nLayer, nFf, imageSizePx, deepstackLayers = [] } = shape;
  const nMerged = mergeSize ** 2 * nEmbd;
  const norm = (name: string, size: number): TensorToWrite[] => [
    vector(`${name}.weight`, size, NORM, weights),
    vector(`${name}.bias`, size, BIAS, weights),
  ];
  const layer = (i: number): TensorToWrite[] => {
    const name = (part: string): string => `v.blk.${i}.${part}`;
    return [
      ...norm(name('ln1'), nEmbd),
      ...linear(name('attn_qkv'), nEmbd, 3 * nEmbd, weights, 'bias'),
      ...linear(name('attn_out'), nEmbd, nEmbd, weights, 'bias'),
      ...norm(name('ln2'), nEmbd),
      ...linear(name('ffn_up'), nEmbd, nFf, weights, 'bias'),
      ...linear(name('ffn_down'), nFf, nEmbd, weights, 'bias'),
    ];
  };
  const merger = (i: number): TensorToWrite[] => [
    ...norm(`v.deepstack.${i}.norm`, nMerged),
    ...linear(`v.deepstack.${i}.fc1`, nMerged, nMerged, weights, 'bias'),
    ...linear(`v.deepstack.${i}.fc2`, nMerged, projectionDim, weights, 'bias'),
  ];
  return [
    vector('v.patch_embd.bias', nEmbd, BIAS, weights),
    // Interpolated to the grid of an image, for which llama.cpp takes F32 alone.
    tensor('v.position_embd.weight', 'F32', [nEmbd, (imageSizePx / patchPx) ** 2], POSITION, weights),
    ...Array.from({ length: nLayer }, (_, i) => layer(i)).flat(),
    ...norm('v.post_ln', nEmbd),
    ...deepstackLayers.flatMap(merger),
  ];
};

/**
 * The two halves are summed, so together they have the fan-in of both; llama.cpp's convolution takes no quantised kernel.
 */
function patchKernels({ patchPx }: ModelFamily, { nEmbd }: VisionShape, weights: ToyWeights): TensorToWrite[] {
  const spread: Spread = { mean: 0, std: weights.initScale / Math.sqrt(2 * 3 * patchPx ** 2) };
  const type = weights.type === 'F32' ? 'F32' : 'F16';
  const shape = [patchPx, patchPx, 3, nEmbd];
  return ['v.patch_embd.weight', 'v.patch_embd.weight.1'].map((name) => tensor(name, type, shape, spread, weights));
}

/** A matrix that keeps the size of what passes through it, with or without its bias. */
function linear(name: string, nIn: number, nOut: number, weights: ToyWeights, bias?: 'bias'): TensorToWrite[] {
  const spread: Spread = { mean: 0, std: weights.initScale / Math.sqrt(nIn) };
  const matrix = tensor(`${name}.weight`, matrixType(nIn, weights), [nIn, nOut], spread, weights);
  return bias ? [matrix, vector(`${name}.bias`, nOut, BIAS, weights)] : [matrix];
}

function vector(name: string, size: number, spread: Spread, weights: ToyWeights): TensorToWrite {
  return tensor(name, 'F32', [size], spread, weights);
}

/** A row that is no whole number of Q8_0 blocks stays F16, as llama.cpp's own quantiser falls back. */
function matrixType(nIn: number, { type }: ToyWeights): EncodableType {
  return type === 'Q8_0' && nIn % GGML_TYPES.Q8_0.blockSize !== 0 ? 'F16' : type;
}

function tensor(
  name: string,
  type: EncodableType,
  shape: readonly number[],
  spread: Spread,
  weights: ToyWeights,
): TensorToWrite {
  if (weights.sparse) return { name, type, shape, data: 'hole' };
  function* data(): Generator<Uint8Array> {
    const next = seededWords(`${weights.seed}/${name}`);
    const chunk = new Float32Array(Math.min(CHUNK_VALUES, countElements(shape)));
    for (let left = countElements(shape); left > 0; left -= chunk.length) {
      const values = chunk.subarray(0, Math.min(left, chunk.length));
      fillUniform(values, next, spread.mean, spread.std);
      yield encodeTensor(type, values);
    }
  }
  return { name, type, shape, data };
}
