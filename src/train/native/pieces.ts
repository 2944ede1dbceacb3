import type { Size } from '../../base/geometry.js';
import { cellPxOf, FAMILIES } from '../../../gguf/index.js';

/** An image of a conversation: its file, and the frame it is stored at. */
export interface ImagePlace {
  readonly file: string;
  readonly frame: Size;
}

/** A token that is as good as another in part: shares of all that stand for one add up to 1. */
export interface SharedTarget {
  readonly token: number;
  readonly share: number;
}

/**
 * A run of what a conversation holds. `trained`: the model is to learn to say it, in place of a token with `shares` each of
 * these to its share.
 */
export type Piece =
  | {
      readonly kind: 'text';
      readonly tokens: readonly number[];
      readonly trained: boolean;
      /** By the index of the token. */
      readonly shares?: ReadonlyMap<number, readonly SharedTarget[]>;
    }
  | { readonly kind: 'image'; readonly image: ImagePlace };

/** A conversation to learn to answer as it is answered. */
export interface TokenisedConversation {
  readonly pieces: readonly Piece[];
}

/** A conversation and two answers to it. */
export interface TokenisedPair {
  readonly pieces: readonly Piece[];
  readonly chosen: TokenisedAnswer;
  readonly rejected: TokenisedAnswer;
}

/** An answer of a pair, with the token that ends the turn. */
export interface TokenisedAnswer {
  readonly tokens: readonly number[];
  /** Of each token whether the model decides it in use: what its form dictates prefers nothing. */
  readonly decided: readonly boolean[];
}

/** What is trained here is a Qwen2.5-VL: the side of the square that becomes one token of its frame. */
export const CELL_PX = cellPxOf(FAMILIES.qwen2vl);

/** Columns and rows of the tokens of an image. */
export function imageGrid({ frame }: ImagePlace): { readonly columns: number; readonly rows: number } {
  return { columns: frame.width / CELL_PX, rows: frame.height / CELL_PX };
}

export function imagesOf(pieces: readonly Piece[]): ImagePlace[] {
  return pieces.flatMap((piece) => (piece.kind === 'image' ? [piece.image] : []));
}
