import type { TrainSample } from '../../../src/runtime/trainer.js';
import type { VisionModel } from '../../../src/runtime/model.js';
import { pack, type EmbeddingOf } from '../../../src/train/native/pack.js';
import type { Piece, SharedTarget, TokenisedAnswer } from '../../../src/train/native/pieces.js';
import { someImage, someTokens } from '../../runtime/toy.js';

export const FRAME = { width: 84, height: 56 };

/** A prompt with an image, an answer, another prompt, another answer. */
export const CONVERSATION: readonly Piece[] = [
  { kind: 'text', tokens: [...someTokens(5, 1)], trained: false },
  { kind: 'image', image: { file: 'one', frame: FRAME } },
  { kind: 'text', tokens: [...someTokens(7, 2)], trained: false },
  { kind: 'text', tokens: [...someTokens(6, 3)], trained: true },
  { kind: 'text', tokens: [...someTokens(3, 4)], trained: false },
  { kind: 'text', tokens: [...someTokens(5, 5)], trained: true },
];

/** The same, with two tokens that are as good as their neighbours in part. */
const SHARED: readonly Piece[] = CONVERSATION.map((piece, i) => {
  if (i !== 3 || piece.kind !== 'text') return piece;
  const among = (token: number): SharedTarget[] => [
    { token, share: 0.5 },
    { token: token + 1, share: 0.3 },
    { token: token + 2, share: 0.2 },
  ];
  return { ...piece, shares: new Map([1, 4].map((at) => [at, among(piece.tokens[at]!)])) };
});

export const PAIR = {
  pieces: CONVERSATION.slice(0, 3),
  chosen: wholly([...someTokens(6, 6)]),
  rejected: wholly([...someTokens(4, 7)]),
};

/** An answer whose every token is decided. */
export function wholly(tokens: readonly number[]): TokenisedAnswer {
  return { tokens, decided: tokens.map(() => true) };
}

/** Longer than the blocks that products are computed in, and no multiple of them. */
export const LONG: readonly Piece[] = [
  { kind: 'text', tokens: [...someTokens(397, 8)], trained: false },
  { kind: 'text', tokens: [...someTokens(141, 9)], trained: true },
];

/** Embeddings by the toy's own vision tower. */
export function embedWith(model: VisionModel): EmbeddingOf {
  return async ({ file, frame }) => {
    using embedding = await model.encodeImage(someImage(frame.width, frame.height, file.length), frame);
    return embedding.rows();
  };
}

export function packSft(model: VisionModel): Promise<TrainSample> {
  return pack({ pieces: CONVERSATION }, embedWith(model));
}

export function packShared(model: VisionModel): Promise<TrainSample> {
  return pack({ pieces: SHARED }, embedWith(model));
}

export function packLong(model: VisionModel): Promise<TrainSample> {
  return pack({ pieces: LONG }, embedWith(model));
}

export function packDpo(model: VisionModel): Promise<TrainSample> {
  return pack(PAIR, embedWith(model));
}

/** n numbers in [0, 1), the same for the same seed, as training/lora/reference.py makes them. */
export function lcg(seed: number, n: number): number[] {
  let state = seed;
  return Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  });
}

/** An adapter that changes what the model says: a new one's B is zero. */
export function someParameters(n: number, spread = 0.05): Float32Array {
  return Float32Array.from(lcg(12345, n), (value) => (value - 0.5) * spread);
}
