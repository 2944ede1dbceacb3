import type { AnswerTokens } from '../answer/answer-tokens.js';
import { SampledAnswer, type AnswerCounters, type SamplingOptions } from '../answer/sampled-answer.js';
import type { AppendResult } from '../runtime/types.js';
import type { ImageEmbedding } from '../runtime/image-embedding.js';
import type { ChatSession } from '../answer/chat-session.js';

/** The model's side of ChatML, as Qwen2.5-VL was trained on it. */
export interface ChatTokenizer {
  tokenize(text: string, options?: { special?: boolean }): Int32Array;
}

/**
 * One chat in one KV cache. Text is only queued (`pending`) and goes into the cache in one batch with what comes next:
 * an image, or the first token the model has to decide.
 */
export class Conversation<Image = ImageEmbedding> {
  readonly counters: AnswerCounters;
  readonly session: ChatSession<Image>;
  readonly pending: number[] = [];
  readonly tokens: AnswerTokens;
  readonly #tokenizer: ChatTokenizer;

  constructor(
    session: ChatSession<Image>,
    tokenizer: ChatTokenizer,
    tokens: AnswerTokens,
    counters: AnswerCounters = { nDecided: 0, nForced: 0 },
  ) {
    this.session = session;
    this.tokens = tokens;
    this.counters = counters;
    this.#tokenizer = tokenizer;
  }

  system(text: string): void {
    this.#special('<|im_start|>');
    this.#text(`system\n${text}`);
    this.#special('<|im_end|>');
    this.#text('\n');
  }

  startUser(): void {
    this.#special('<|im_start|>');
    this.#text('user\n');
  }

  async image(embedding: Image, signal?: AbortSignal): Promise<void> {
    this.#special('<|vision_start|>');
    await this.flush(signal);
    await this.session.appendImage(embedding, signal ? { signal } : {});
    this.#special('<|vision_end|>');
  }

  /** The rest of the user's turn; special tokens spelled in it are plain text. Opens the assistant's turn. */
  endUser(text: string): void {
    this.#text(text);
    this.#special('<|im_end|>');
    this.#text('\n');
    this.#special('<|im_start|>');
    this.#text('assistant\n');
  }

  /** The assistant's answer; its end-of-turn token is written by the answer's form. */
  answer(options: SamplingOptions): SampledAnswer {
    return new SampledAnswer(this, options);
  }

  /** After an answer: the line feed that follows its end-of-turn token. */
  endAnswer(): void {
    this.#text('\n');
  }

  /** Puts everything queued into the cache, and reads log-probabilities after it. */
  async flush(signal?: AbortSignal, choices?: Int32Array): Promise<AppendResult> {
    const tokens = Int32Array.from(this.pending);
    this.pending.length = 0;
    return this.session.append(tokens, { ...(choices ? { choices } : {}), ...(signal ? { signal } : {}) });
  }

  /** A second conversation that goes on from here; what is in the cache is shared, not copied. Counters stay common. */
  async fork(): Promise<Conversation<Image>> {
    const copy = new Conversation(await this.session.fork(), this.#tokenizer, this.tokens, this.counters);
    copy.pending.push(...this.pending);
    return copy;
  }

  dispose(): Promise<void> {
    return this.session.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #special(token: string): void {
    for (const id of this.#tokenizer.tokenize(token, { special: true })) this.pending.push(id);
  }

  #text(text: string): void {
    for (const id of this.#tokenizer.tokenize(text)) this.pending.push(id);
  }
}
