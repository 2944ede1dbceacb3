import type { Size } from '../../base/geometry.js';
import { IMAGE_TOKEN_PX } from '../../runtime/native-constants.js';

/** An image of a conversation: its file, and the frame it is stored at. */
export interface ImagePlace {
  readonly file: string;
  readonly frame: Size;
}

/** A run of what a conversation holds. `trained`: the model is to learn to say it. */
export type Piece =
  | { readonly kind: 'text'; readonly tokens: readonly number[]; readonly trained: boolean }
  | { readonly kind: 'image'; readonly image: ImagePlace };

/** A conversation to learn to answer as it is answered. */
export interface TokenisedConversation {
  readonly pieces: readonly Piece[];
}

/** A conversation and two answers to it. */
export interface TokenisedPair {
  readonly pieces: readonly Piece[];
  /** With the token that ends the turn. */
  readonly chosen: readonly number[];
  readonly rejected: readonly number[];
}

/** Columns and rows of the tokens of an image. */
export function imageGrid({ frame }: ImagePlace): { readonly columns: number; readonly rows: number } {
  return { columns: frame.width / IMAGE_TOKEN_PX, rows: frame.height / IMAGE_TOKEN_PX };
}

export function imagesOf(pieces: readonly Piece[]): ImagePlace[] {
  return pieces.flatMap((piece) => (piece.kind === 'image' ? [piece.image] : []));
}
