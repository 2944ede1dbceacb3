import type { TokenizerOptions } from '../tokenizer.js';

/** Sizes of the text model. */
export interface TextShape {
  readonly nEmbd: number;
  readonly nLayer: number;
  readonly nHead: number;
  readonly nHeadKv: number;
  /** Width of a head. Default `nEmbd / nHead`, which Qwen2.5-VL's always is. */
  readonly headSize?: number;
  readonly nFf: number;
  /** Where each layer has many feed-forward networks instead of one of `nFf`. */
  readonly experts?: Experts;
  /** Context the model claims to be trained for, in positions. */
  readonly nCtx: number;
  /** Whether the token embedding is the output matrix too. */
  readonly tied: boolean;
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

/** Values of a text model's matrices; its norms and biases are a ten-thousandth of them. */
export function countTextValues(text: TextShape, nVocab: number): number {
  const { nEmbd, nLayer, nHead, nHeadKv, nFf, tied, experts } = text;
  const nAttention = 2 * headSizeOf(text) * (nHead + nHeadKv);
  const nFeedForward = experts ? experts.count * (3 * experts.nFf + 1) : 3 * nFf;
  return nLayer * nEmbd * (nAttention + nFeedForward) + nEmbd * nVocab * (tied ? 1 : 2);
}
