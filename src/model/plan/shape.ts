import {
  countTextValues,
  FAMILIES,
  headSizeOf,
  linearWidthsOf,
  queryRowsOf,
  recurrentLayersOf,
  requireValidPair,
  type GgmlType,
  type LinearAttention,
  type ModelFamily,
  type TextShape,
  type TextSizes,
  type ValidPair,
  type VisionSizes,
} from '../../../gguf/index.js';
import type { ModelFile, ModelSizes, ModelVariant } from '../catalog.js';

export interface TextModelShape extends TextSizes {
  readonly nVocab: number;
}

export type VisionModelShape = VisionSizes;

export interface WeightTensor {
  readonly name: string;
  readonly type: GgmlType;
  readonly nBytes: number;
  /** Innermost dimension. */
  readonly nIn: number;
  readonly nOut: number;
  /** One such matrix for each expert, in one tensor. */
  readonly isStack?: boolean;
}

/** Everything the memory of a pair depends on: sizes, and the tensors of each part. */
export interface PairShape {
  readonly family: ModelFamily;
  readonly text: TextModelShape;
  readonly vision: VisionModelShape;
  readonly embedding: WeightTensor;
  /** Absent where the embedding is the output matrix too. */
  readonly output: WeightTensor | undefined;
  readonly outputRest: readonly WeightTensor[];
  readonly layers: readonly (readonly WeightTensor[])[];
  readonly visionBytes: number;
}

/**
 * The shape of a model whose files are not here: sizes from the catalogue, bytes of the files shared out evenly over
 * what is in them. Off by a few per cent where a quantisation mixes types.
 */
export function estimatePairShape({ family: name, text, vision }: ModelSizes, variant: ModelVariant): PairShape {
  const family = FAMILIES[name];
  const { deepstackLayers = [] } = vision;
  const headSize = headSizeOf(text);
  const { nEmbd, nLayer, nFf, nHead, nHeadKv, nVocab, tied, experts, linear } = text;
  const type = ESTIMATED_TYPE[variant.name] ?? 'F16';
  const feedForward = feedForwardMatrices(text);
  const attention = [...attentionMatrices(text), ...feedForward];
  const recurrent = linear ? [...linearMatrices(nEmbd, linear), ...feedForward] : [];
  const bytesPerValue = sizeOf(variant.text) / countTextValues(text, nVocab);
  const weight = (name: string, nIn: number, nOut: number, count = 1): WeightTensor => ({
    name,
    type,
    nBytes: nIn * nOut * count * bytesPerValue,
    nIn,
    nOut,
    isStack: count > 1,
  });
  return {
    family,
    text: {
      ...{ nEmbd, nLayer, nFf, nHead, nHeadKv, headSize, nVocab },
      nCtx: text.nCtx,
      nDeepstack: deepstackLayers.length,
      ...(experts && { experts }),
      ...(linear && { linear }),
    },
    vision: { ...vision, deepstackLayers, projector: family.projector, projectionDim: nEmbd },
    embedding: weight('token_embd.weight', nEmbd, nVocab),
    output: tied ? undefined : weight('output.weight', nEmbd, nVocab),
    outputRest: [],
    layers: recurrentLayersOf(text).map((isRecurrent) =>
      (isRecurrent ? recurrent : attention).map(({ name, nIn, nOut, count }) => weight(name, nIn, nOut, count)),
    ),
    visionBytes: sizeOf(variant.mmproj),
  };
}

interface Matrix {
  readonly name: string;
  readonly nIn: number;
  readonly nOut: number;
  /** One of these for each expert. */
  readonly count?: number;
}

function attentionMatrices(text: TextShape): readonly Matrix[] {
  const { nEmbd, nHead, nHeadKv } = text;
  const nQ = headSizeOf(text) * nHead;
  const nKv = headSizeOf(text) * nHeadKv;
  return [
    { name: 'attn_q.weight', nIn: nEmbd, nOut: queryRowsOf(text) },
    { name: 'attn_k.weight', nIn: nEmbd, nOut: nKv },
    { name: 'attn_v.weight', nIn: nEmbd, nOut: nKv },
    { name: 'attn_output.weight', nIn: nQ, nOut: nEmbd },
  ];
}

function linearMatrices(nEmbd: number, linear: LinearAttention): readonly Matrix[] {
  const { nValue, nQkv } = linearWidthsOf(linear);
  return [
    { name: 'attn_qkv.weight', nIn: nEmbd, nOut: nQkv },
    { name: 'attn_gate.weight', nIn: nEmbd, nOut: nValue },
    { name: 'ssm_alpha.weight', nIn: nEmbd, nOut: linear.nValueHeads },
    { name: 'ssm_beta.weight', nIn: nEmbd, nOut: linear.nValueHeads },
    { name: 'ssm_out.weight', nIn: nValue, nOut: nEmbd },
  ];
}

function feedForwardMatrices({ nEmbd, nFf, experts }: TextShape): readonly Matrix[] {
  if (!experts) {
    return [
      { name: 'ffn_gate.weight', nIn: nEmbd, nOut: nFf },
      { name: 'ffn_up.weight', nIn: nEmbd, nOut: nFf },
      { name: 'ffn_down.weight', nIn: nFf, nOut: nEmbd },
    ];
  }
  const { count, nFf: nFfOfEach } = experts;
  return [
    { name: 'ffn_gate_inp.weight', nIn: nEmbd, nOut: count },
    { name: 'ffn_gate_exps.weight', nIn: nEmbd, nOut: nFfOfEach, count },
    { name: 'ffn_up_exps.weight', nIn: nEmbd, nOut: nFfOfEach, count },
    { name: 'ffn_down_exps.weight', nIn: nFfOfEach, nOut: nEmbd, count },
  ];
}

/** The type most of a variant's matrices have. */
const ESTIMATED_TYPE: Readonly<Record<string, GgmlType>> = { Q4_K_M: 'Q4_K', Q6_K: 'Q6_K', Q8_0: 'Q8_0' };

function sizeOf({ bytes, aboutBytes = 0 }: ModelFile): number {
  return bytes ?? aboutBytes;
}

/** @throws GgufError for a pair that would not run; the signal's reason */
export async function readPairShape(textPath: string, mmprojPath: string, signal?: AbortSignal): Promise<PairShape> {
  return shapeOfPair(await requireValidPair(textPath, mmprojPath, signal ? { signal } : {}));
}

/** From the headers of both files. */
export function shapeOfPair({ family, text, textSizes, mmproj, visionSizes }: ValidPair): PairShape {
  const tensors = text.tensors.map(({ name, type, shape, nBytes }) => ({
    name,
    type,
    nBytes,
    nIn: shape[0] ?? 1,
    nOut: shape[1] ?? 1,
    isStack: shape.length > 2,
  }));
  const named = (name: string): WeightTensor | undefined => tensors.find((tensor) => tensor.name === name);
  const embedding = named('token_embd.weight')!; // validation saw to it
  return {
    family,
    text: { ...textSizes, nVocab: embedding.nOut },
    vision: visionSizes,
    embedding,
    output: named('output.weight'),
    outputRest: tensors.filter(({ name }) => name === 'output_norm.weight' || name === 'output.bias'),
    layers: Array.from({ length: textSizes.nLayer }, (_, i) =>
      tensors.filter(({ name }) => name.startsWith(`blk.${i}.`)),
    ),
    visionBytes: mmproj.tensors.reduce((sum, { nBytes }) => sum + nBytes, 0),
  };
}
