import {
  countTextValues,
  FAMILIES,
  headSizeOf,
  requireValidPair,
  type GgmlType,
  type ModelFamily,
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
  const { nEmbd, nLayer, nFf, nHead, nHeadKv, nVocab, tied, experts } = text;
  const nQ = headSize * nHead;
  const nKv = headSize * nHeadKv;
  const type = ESTIMATED_TYPE[variant.name] ?? 'F16';
  const matrices: readonly { name: string; nIn: number; nOut: number; count?: number }[] = [
    { name: 'attn_q.weight', nIn: nEmbd, nOut: nQ },
    { name: 'attn_k.weight', nIn: nEmbd, nOut: nKv },
    { name: 'attn_v.weight', nIn: nEmbd, nOut: nKv },
    { name: 'attn_output.weight', nIn: nQ, nOut: nEmbd },
    ...(experts
      ? [
          { name: 'ffn_gate_inp.weight', nIn: nEmbd, nOut: experts.count },
          { name: 'ffn_gate_exps.weight', nIn: nEmbd, nOut: experts.nFf, count: experts.count },
          { name: 'ffn_up_exps.weight', nIn: nEmbd, nOut: experts.nFf, count: experts.count },
          { name: 'ffn_down_exps.weight', nIn: experts.nFf, nOut: nEmbd, count: experts.count },
        ]
      : [
          { name: 'ffn_gate.weight', nIn: nEmbd, nOut: nFf },
          { name: 'ffn_up.weight', nIn: nEmbd, nOut: nFf },
          { name: 'ffn_down.weight', nIn: nFf, nOut: nEmbd },
        ]),
  ];
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
    },
    vision: { ...vision, deepstackLayers, projector: family.projector, projectionDim: nEmbd },
    embedding: weight('token_embd.weight', nEmbd, nVocab),
    output: tied ? undefined : weight('output.weight', nEmbd, nVocab),
    outputRest: [],
    layers: Array.from({ length: nLayer }, () =>
      matrices.map(({ name, nIn, nOut, count }) => weight(name, nIn, nOut, count)),
    ),
    visionBytes: sizeOf(variant.mmproj),
  };
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
