import { FramewrightError } from '../../base/errors.js';
import type { TrainSample } from '../../runtime/trainer.js';
import {
  imageGrid,
  type ImagePlace,
  type Piece,
  type TokenisedAnswer,
  type TokenisedConversation,
  type TokenisedPair,
} from './pieces.js';

/** How long a sequence is, and how many of its positions are scored. */
export interface SequenceLength {
  readonly nTokens: number;
  readonly nRows: number;
}

const COMMON = 0;
const CHOSEN = 1;
const REJECTED = 2;
const NO_TOKEN = -1;

/** Tokens of images and text together, and those that are learnt. */
export function lengthOf(item: TokenisedConversation | TokenisedPair): SequenceLength {
  let nTokens = 0;
  let nRows = 0;
  for (const piece of item.pieces) {
    if (piece.kind === 'image') {
      const { columns, rows } = imageGrid(piece.image);
      nTokens += columns * rows;
      continue;
    }
    nTokens += piece.tokens.length;
    if (piece.trained && !isPair(item)) nRows += nTargetsOf(piece);
  }
  for (const { tokens, decided } of isPair(item) ? [item.chosen, item.rejected] : []) {
    nTokens += tokens.length;
    nRows += decided.filter(Boolean).length;
  }
  return { nTokens, nRows };
}

/** A token that is shared among others is scored once for each. */
function nTargetsOf({ tokens, shares = new Map() }: Extract<Piece, { kind: 'text' }>): number {
  return [...shares.values()].reduce((sum, { length }) => sum + length - 1, tokens.length);
}

export function isPair(item: TokenisedConversation | TokenisedPair): item is TokenisedPair {
  return 'chosen' in item;
}

/** What the vision tower made of an image: [tokens][nEmbd]. */
export type EmbeddingOf = (image: ImagePlace) => Promise<Float32Array>;

/** A conversation as one sequence: every token of an answer is scored, as what follows the token before it. */
export async function packConversation(
  { pieces }: TokenisedConversation,
  embeddingOf: EmbeddingOf,
): Promise<TrainSample> {
  const sequence = new Sequence();
  for (const piece of pieces) await sequence.append(piece, embeddingOf);
  return sequence.sample();
}

/**
 * A pair as one sequence: what both answers have in common once, then one answer and the other, each at the positions
 * right behind what is common and unseen by the other.
 */
export async function packPair(
  { pieces, chosen, rejected }: TokenisedPair,
  embeddingOf: EmbeddingOf,
): Promise<TrainSample> {
  const sequence = new Sequence();
  for (const piece of pieces) {
    await sequence.append(piece.kind === 'text' ? { ...piece, trained: false } : piece, embeddingOf);
  }
  sequence.branch(CHOSEN, chosen, 1);
  sequence.branch(REJECTED, rejected, -1);
  return sequence.sample();
}

export function pack(item: TokenisedConversation | TokenisedPair, embeddingOf: EmbeddingOf): Promise<TrainSample> {
  return isPair(item) ? packPair(item, embeddingOf) : packConversation(item, embeddingOf);
}

class Sequence {
  readonly #tokens: number[] = [];
  readonly #branches: number[] = [];
  readonly #time: number[] = [];
  readonly #height: number[] = [];
  readonly #width: number[] = [];
  readonly #images: Float32Array[] = [];
  readonly #rows: number[] = [];
  readonly #targets: number[] = [];
  readonly #signs: number[] = [];
  /** M-RoPE position of the next token: an image takes as many as its longer side, however many tokens it has. */
  #position = 0;

  async append(piece: Piece, embeddingOf: EmbeddingOf): Promise<void> {
    if (piece.kind === 'image') {
      this.#image(piece.image, await embeddingOf(piece.image));
      return;
    }
    for (const [i, token] of piece.tokens.entries()) {
      const targets = piece.trained ? (piece.shares?.get(i) ?? [{ token, share: 1 }]) : [];
      for (const target of targets) this.#score(this.#tokens.length - 1, target.token, target.share);
      this.#text(token, COMMON);
    }
  }

  /** An answer behind what is common. */
  branch(branch: number, { tokens, decided }: TokenisedAnswer, sign: number): void {
    const start = this.#position;
    const nCommon = this.#branches.filter((each) => each === COMMON).length;
    tokens.forEach((token, i) => {
      if (decided[i]) this.#score(i === 0 ? nCommon - 1 : this.#tokens.length - 1, token, sign);
      this.#text(token, branch);
    });
    this.#position = start;
  }

  sample(): TrainSample {
    if (this.#rows.length === 0)
      throw new FramewrightError('DATASET_INVALID', 'a conversation has no answer to learn from');
    const imageRows = new Float32Array(this.#images.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const rows of this.#images) {
      imageRows.set(rows, at);
      at += rows.length;
    }
    return {
      tokens: Int32Array.from(this.#tokens),
      imageRows,
      positions: Int32Array.from([...this.#time, ...this.#height, ...this.#width]),
      branches: Int32Array.from(this.#branches),
      rows: Int32Array.from(this.#rows),
      targets: Int32Array.from(this.#targets),
      signs: Float32Array.from(this.#signs),
    };
  }

  #score(row: number, target: number, sign: number): void {
    if (row < 0) throw new FramewrightError('DATASET_INVALID', 'a conversation begins with an answer');
    this.#rows.push(row);
    this.#targets.push(target);
    this.#signs.push(sign);
  }

  #text(token: number, branch: number): void {
    this.#place(token, branch, this.#position, this.#position, this.#position);
    this.#position++;
  }

  #image(image: ImagePlace, rows: Float32Array): void {
    const grid = imageGrid(image);
    const start = this.#position;
    for (let y = 0; y < grid.rows; y++)
      for (let x = 0; x < grid.columns; x++) this.#place(NO_TOKEN, COMMON, start, start + y, start + x);
    this.#images.push(rows);
    this.#position = start + Math.max(grid.columns, grid.rows);
  }

  #place(token: number, branch: number, time: number, height: number, width: number): void {
    this.#tokens.push(token);
    this.#branches.push(branch);
    this.#time.push(time);
    this.#height.push(height);
    this.#width.push(width);
  }
}
