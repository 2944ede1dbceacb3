import type { ChatSession } from '../vlm/answer/chat-session.js';
import type { RecordedSentence } from '../vlm/answer/recorded-answer.js';
import { FramewrightError } from '../base/errors.js';
import type { AppendOptions, AppendResult, GenerateResult } from '../runtime/types.js';

/** What the model should say at one place: one token, or a probability for each of several. */
export type Decision = TokenDecision | { readonly probabilities: ReadonlyMap<number, number> };

interface TokenDecision {
  readonly token: number;
  /** Where the token closes a sentence: which, and what of it the token holds. */
  readonly closes?: RecordedSentence;
}

/** A place in a conversation where the model decides, and what it should decide. */
export interface Label {
  /** Index of the last token the model has seen: its logits there are what the loss is about. */
  readonly at: number;
  readonly decision: Decision;
}

/** An image whose place in the conversation is kept by this many pad tokens. */
export interface PlaceholderImage {
  readonly nTokens: number;
}

/**
 * A session that answers what it was told to and keeps the tokens that pass through it. The stages of the product run on
 * it unchanged, so a training conversation has exactly the tokens, order and choices the model will meet in use.
 */
export class OracleSession implements ChatSession<PlaceholderImage> {
  readonly tokens: number[] = [];
  readonly labels: Label[] = [];
  readonly #imagePad: number;
  readonly #decisions: Decision[] = [];

  constructor(imagePad: number) {
    this.#imagePad = imagePad;
  }

  /** What it will say next, after all it was told before. */
  expect(decisions: readonly Decision[]): void {
    this.#decisions.push(...decisions);
  }

  get nExpected(): number {
    return this.#decisions.length;
  }

  get nTokens(): number {
    return this.tokens.length;
  }

  append(tokens: Int32Array, { choices }: AppendOptions = {}): Promise<AppendResult> {
    this.tokens.push(...tokens);
    if (!choices) return Promise.resolve({ logProbs: new Float32Array(0) });
    const decision = this.#decide();
    const logProbs = Float32Array.from(choices, (choice) => Math.log(probability(decision, choice)));
    if (logProbs.every((logProb) => logProb === -Infinity)) {
      throw new FramewrightError('INTERNAL', 'a training target is none of the choices the answer form leaves');
    }
    return Promise.resolve({ logProbs });
  }

  appendImage({ nTokens }: PlaceholderImage): Promise<void> {
    for (let i = 0; i < nTokens; i++) this.tokens.push(this.#imagePad);
    return Promise.resolve();
  }

  /** The next sentence. Its closing token is decided, and left to the answer's form to write. */
  generate(): Promise<GenerateResult> {
    const tokens: number[] = [];
    for (;;) {
      const decision = this.#decide();
      if (!('token' in decision)) throw new FramewrightError('INTERNAL', 'a training target breaks off in a sentence');
      const { token, closes } = decision;
      if (closes) {
        const { text, lastWords } = closes;
        return Promise.resolve({
          tokens: Int32Array.from(tokens),
          text: text.slice(0, text.length - lastWords.length),
          logProbs: new Float32Array(tokens.length),
          finish: 'stop',
          stopToken: { id: token, text: `${lastWords}"`, logProb: 0 },
        });
      }
      this.tokens.push(token);
      tokens.push(token);
    }
  }

  #decide(): Decision {
    const decision = this.#decisions.shift();
    if (!decision)
      throw new FramewrightError('INTERNAL', 'the training conversation decides more than its targets say');
    this.labels.push({ at: this.tokens.length - 1, decision });
    return decision;
  }

  score(): Promise<Float32Array[]> {
    return Promise.reject(unsupported());
  }

  fork(): Promise<OracleSession> {
    return Promise.reject(unsupported());
  }

  dispose(): Promise<void> {
    return Promise.resolve();
  }
}

function probability(decision: Decision, token: number): number {
  if ('token' in decision) return decision.token === token ? 1 : 0;
  return decision.probabilities.get(token) ?? 0;
}

function unsupported(): FramewrightError {
  return new FramewrightError('INTERNAL', 'training conversations hold no forks or scored continuations');
}
