import type { TokenizerOptions } from '../tokenizer.js';

/** Sizes of the text model. */
export interface TextShape {
  readonly nEmbd: number;
  readonly nLayer: number;
  readonly nHead: number;
  readonly nHeadKv: number;
  /** Width of a head. Default `nEmbd / nHead`, which Qwen2.5-VL's always is. */
  readonly headSize?: number;
  /** Dimensions of a head that turn with the position. Default all. */
  readonly nRot?: number;
  /** Where most layers keep a running state instead of attending to everything before. */
  readonly linear?: LinearAttention;
  readonly nFf: number;
  /** Where each layer has many feed-forward networks instead of one of `nFf`. */
  readonly experts?: Experts;
  /** Context the model claims to be trained for, in positions. */
  readonly nCtx: number;
  /** Whether the token embedding is the output matrix too. */
  readonly tied: boolean;
}

/** Sizes of the layers that keep a running state (gated delta net). */
export interface LinearAttention {
  /** Positions its convolution looks at, the last among them. */
  readonly nConv: number;
  /** Of queries as well. */
  readonly nKeyHeads: number;
  /** A multiple of nKeyHeads. */
  readonly nValueHeads: number;
  /** Width of a head, of keys and of values alike: llama.cpp knows one for both. */
  readonly headSize: number;
  /** Layer i attends to everything before where (i + 1) is a multiple of it. */
  readonly fullInterval: number;
  /** Of each layer, whether it keeps a running state. Left out, all do but the `fullInterval`-th ones. */
  readonly recurrentLayers?: readonly boolean[];
}

/** Feed-forward networks of a layer. */
export interface Experts {
  readonly count: number;
  /** As many of them as a token goes through. */
  readonly used: number;
  readonly nFf: number;
}

/** Sizes of the vision tower; those of its patch are the family's. */
export interface VisionShape {
  readonly nEmbd: number;
  readonly nLayer: number;
  readonly nHead: number;
  /** Must differ from nEmbd in a Qwen2.5-VL: llama.cpp tells up from down by it. */
  readonly nFf: number;
  /**
   * Layer i looks at the whole image where (i + 1) is a multiple of it, at 112 px windows elsewhere; 0: everywhere, as
   * always in a Qwen3-VL. Not 1, which would say the same as 0 but aborts llama.cpp.
   */
  readonly nWaPattern: number;
  /** Layers whose output reaches the text model beside the last one's (deepstack), in order. Default none. */
  readonly deepstackLayers?: readonly number[];
  /** In a Qwen3-VL the learned positions are a grid of this side over the patch's. */
  readonly imageSizePx: number;
}

/** All sizes of a pair. */
export interface PairSizes {
  readonly text: TextShape;
  readonly vision: VisionShape;
  readonly tokenizer: TokenizerOptions;
}

/** Width of a head of the text model. */
export function headSizeOf({ headSize, nEmbd, nHead }: Pick<TextShape, 'headSize' | 'nEmbd' | 'nHead'>): number {
  return headSize ?? nEmbd / nHead;
}

/** Rows of the matrix of queries: beside layers of linear attention they come with a gate of their size, head by head. */
export function queryRowsOf(text: Pick<TextShape, 'headSize' | 'nEmbd' | 'nHead' | 'linear'>): number {
  return headSizeOf(text) * text.nHead * (text.linear ? 2 : 1);
}

/** Of each layer, whether it keeps a running state. */
export function recurrentLayersOf({
  nLayer,
  linear,
}: {
  readonly nLayer: number;
  readonly linear?: Pick<LinearAttention, 'fullInterval' | 'recurrentLayers'>;
}): readonly boolean[] {
  const byInterval = (_: unknown, i: number): boolean => linear !== undefined && (i + 1) % linear.fullInterval !== 0;
  return linear?.recurrentLayers ?? Array.from({ length: nLayer }, byInterval);
}

/** Dimensions of a head of the text model that turn with the position. */
export function nRotOf(text: Pick<TextShape, 'nRot' | 'headSize' | 'nEmbd' | 'nHead'>): number {
  return text.nRot ?? headSizeOf(text);
}

/** Widths of what a linear-attention layer's matrices make: all keys, all values, and both with the queries. */
export function linearWidthsOf({ nKeyHeads, nValueHeads, headSize }: LinearAttention): {
  readonly nKey: number;
  readonly nValue: number;
  readonly nQkv: number;
} {
  const nKey = nKeyHeads * headSize;
  const nValue = nValueHeads * headSize;
  return { nKey, nValue, nQkv: 2 * nKey + nValue };
}

/** Values of a text model's matrices; its norms and biases are a ten-thousandth of them. */
export function countTextValues(text: TextShape, nVocab: number): number {
  const { nEmbd, nHead, nHeadKv, nFf, tied, experts, linear } = text;
  const nAttention = queryRowsOf(text) + headSizeOf(text) * (nHead + 2 * nHeadKv);
  const nFeedForward = experts ? experts.count * (3 * experts.nFf + 1) : 3 * nFf;
  const ofLayers = recurrentLayersOf(text).map(
    (isRecurrent) => (isRecurrent ? countLinearRows(linear!) : nAttention) + nFeedForward,
  );
  return nEmbd * (ofLayers.reduce((sum, n) => sum + n, 0) + nVocab * (tied ? 1 : 2));
}

/** Rows of the width of the embedding in the matrices of a linear-attention layer. */
function countLinearRows(linear: LinearAttention): number {
  const { nValue, nQkv } = linearWidthsOf(linear);
  return nQkv + 2 * nValue + 2 * linear.nValueHeads;
}
