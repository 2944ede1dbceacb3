import type { FrameImage } from '../../engines/frame-image.js';

/** How the model came to a token. */
export interface ChosenToken {
  /** Natural, under the softmax over the whole vocabulary. */
  readonly logProb: number;
  /** The tokens it was chosen from, with the log-probability of each; absent where the whole vocabulary was open. */
  readonly among?: { readonly tokens: Int32Array; readonly logProbs: Float32Array };
}

/** Hears what a conversation comes to, in order and as it does. What it throws ends the conversation's step. */
export interface ConversationListener {
  prompt(tokens: Iterable<number>): void;
  image(image: FrameImage): void;
  /** One token of an answer; not chosen where the answer's form dictates it. */
  token(token: number, chosen?: ChosenToken): void;
  /** The candidates' probabilities, before the best one is written. */
  decided(best: number, probabilities: readonly number[]): void;
  /** For the conversation in which one of several votes is cast. */
  ofVote(vote: number): ConversationListener;
}
