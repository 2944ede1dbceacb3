import type { Box } from '../base/geometry.js';
import type { Element } from '../base/schema.js';
import type { FrameImage } from './frame-image.js';

/** Stages in which a model is asked something. */
export type ThoughtStage = 'analyse' | 'propose' | 'decide';

/** A token the model might have written, and how probable it was, 0..1, among all tokens the model knows. */
export interface TokenOption {
  readonly text: string;
  readonly probability: number;
}

/** How a token was chosen. */
export interface TokenChoice {
  /** Of the token written, 0..1, among all tokens the model knows. */
  readonly probability: number;
  /**
   * All tokens the answer's form left to choose from, the most probable first. Absent inside a sentence in the model's own
   * words, where that is nearly every token there is.
   */
  readonly options?: readonly TokenOption[];
}

/** One thing that happens while a photo is thought about, in the order in which they do. */
export type Thought =
  | { readonly kind: 'stage'; readonly stage: ThoughtStage }
  | {
      readonly kind: 'image';
      readonly stage: ThoughtStage;
      /** The photo with its composition drawn on it; otherwise the photo. */
      readonly isEnhanced: boolean;
      /** As the model is shown it. Its bytes are the model's own: not to be changed. */
      readonly image: FrameImage;
    }
  | {
      readonly kind: 'prompt';
      readonly stage: ThoughtStage;
      /** As of a token. */
      readonly vote?: number;
      /** Given to the model, special tokens spelled out. */
      readonly text: string;
    }
  | {
      readonly kind: 'token';
      readonly stage: ThoughtStage;
      /** In the stage `decide`: which of the votes it is for. The answer is written in vote 0. */
      readonly vote?: number;
      readonly token: number;
      /** What it adds to the answer; a character of several tokens comes with its last one. */
      readonly text: string;
      /** Absent where the answer's form dictates the token. */
      readonly choice?: TokenChoice;
    }
  | {
      readonly kind: 'elements';
      readonly stage: 'analyse';
      /** The composition, in oriented photo pixels: what the result calls its analysis. */
      readonly elements: readonly Element[];
    }
  | {
      readonly kind: 'candidates';
      readonly stage: 'propose';
      /** Those of the result, in its order, in oriented photo pixels. */
      readonly boxes: readonly Box[];
    }
  | {
      readonly kind: 'decision';
      readonly stage: 'decide';
      /** Index of the best candidate. */
      readonly best: number;
      /** Of each candidate to be named best, averaged over the votes; their sum is 1. */
      readonly probabilities: readonly number[];
    };
