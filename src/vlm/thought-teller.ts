import { defined } from '../base/defined.js';
import type { FrameImage } from '../engines/frame-image.js';
import type { Thought, ThoughtStage, TokenChoice } from '../engines/thought.js';
import type { ChosenToken, ConversationListener } from './answer/conversation-listener.js';

export interface TellerOptions {
  readonly stage: ThoughtStage;
  readonly vote?: number;
  /** What the image shown is. Default: the photo. */
  readonly isEnhanced?: boolean;
  readonly textOf: (tokens: readonly number[]) => string;
  readonly tell: (thought: Thought) => void;
}

/** What bytes that are no whole character yet are read as. */
const UNFINISHED = '\uFFFD';

/** Puts what one step of a conversation comes to into words for the call's listener. */
export class ThoughtTeller implements ConversationListener {
  readonly #options: TellerOptions;
  /** Not told yet: a prompt is told whole, once something follows it. */
  #prompt: number[] = [];
  /** Tokens of a character that is not whole yet. */
  #unfinished: number[] = [];

  constructor(options: TellerOptions) {
    this.#options = options;
  }

  prompt(tokens: Iterable<number>): void {
    this.#prompt.push(...tokens);
  }

  image(image: FrameImage): void {
    this.end();
    const { stage, isEnhanced = false, tell } = this.#options;
    tell({ kind: 'image', stage, isEnhanced, image: { frame: image.frame, rgb: image.rgb } });
  }

  token(token: number, chosen?: ChosenToken): void {
    this.end();
    this.#unfinished.push(token);
    const text = this.#options.textOf(this.#unfinished);
    const isWhole = !text.endsWith(UNFINISHED);
    if (isWhole) this.#unfinished = [];
    const { stage, vote, tell } = this.#options;
    const choice = chosen && this.#choiceOf(chosen);
    tell({ kind: 'token', stage, ...defined({ vote, choice }), token, text: isWhole ? text : '' });
  }

  decided(best: number, probabilities: readonly number[]): void {
    this.#options.tell({ kind: 'decision', stage: 'decide', best, probabilities });
  }

  ofVote(vote: number): ThoughtTeller {
    return new ThoughtTeller({ ...this.#options, vote });
  }

  /** Tells the rest. */
  end(): void {
    if (this.#prompt.length === 0) return;
    const { stage, vote, textOf, tell } = this.#options;
    const text = textOf(this.#prompt);
    this.#prompt = [];
    tell({ kind: 'prompt', stage, ...defined({ vote }), text });
  }

  #choiceOf({ logProb, among }: ChosenToken): TokenChoice {
    const probability = Math.exp(logProb);
    if (!among) return { probability };
    const options = Array.from(among.tokens, (token, i) => ({
      text: this.#options.textOf([token]),
      probability: Math.exp(among.logProbs[i]!),
    }));
    return { probability, options: options.sort((a, b) => b.probability - a.probability) };
  }
}
