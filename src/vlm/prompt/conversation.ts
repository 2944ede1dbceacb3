import { defined } from '../../base/defined.js';
import type { AnswerTokens } from '../answer/answer-tokens.js';
import type { ConversationListener, ChosenToken } from '../answer/conversation-listener.js';
import type { ChatSession } from '../answer/chat-session.js';
import { SampledAnswer, type AnswerCounters, type AnswerOptions, type AnswerSink } from '../answer/sampled-answer.js';
import type { FrameImage } from '../../engines/frame-image.js';
import type { AppendResult } from '../../runtime/types.js';
import type { ImageEmbedding } from '../../runtime/image-embedding.js';

/** The model's side of ChatML, as Qwen2.5-VL was trained on it. */
export interface ChatTokenizer {
  tokenize(text: string, options?: { special?: boolean }): Int32Array;
}

/** A frame with what the vision tower made of it. */
export interface SeenImage<Embedding = ImageEmbedding> extends FrameImage {
  readonly embedding: Embedding;
}

/** A run of what a conversation holds, in order: for diagnosis, and to replay it elsewhere. */
export type TranscriptPart =
  | { readonly kind: 'prompt' | 'answer'; readonly tokens: number[] }
  | { readonly kind: 'image'; readonly image: FrameImage };

/**
 * One chat in one KV cache. Tokens are only queued and go into the cache in one batch with what comes next: an image, or
 * the first token the model has to decide.
 */
export class Conversation<Embedding = ImageEmbedding> implements AnswerSink {
  readonly counters: AnswerCounters;
  readonly session: ChatSession<Embedding>;
  readonly tokens: AnswerTokens;
  readonly transcript: TranscriptPart[];
  /** Hears what is added from now on, here and in forks made from now on. */
  listener: ConversationListener | undefined;
  readonly #tokenizer: ChatTokenizer;
  #pending: number[] = [];
  #isUserTurn = false;

  constructor(
    session: ChatSession<Embedding>,
    tokenizer: ChatTokenizer,
    tokens: AnswerTokens,
    counters: AnswerCounters = { nDecided: 0, nForced: 0 },
    transcript: readonly TranscriptPart[] = [],
  ) {
    this.session = session;
    this.tokens = tokens;
    this.counters = counters;
    this.transcript = [...transcript];
    this.#tokenizer = tokenizer;
  }

  /** The user's turn was opened and not ended. */
  get isUserTurn(): boolean {
    return this.#isUserTurn;
  }

  /** Tokens in the cache and queued for it. */
  get nTokens(): number {
    return this.session.nTokens + this.#pending.length;
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
    this.#isUserTurn = true;
  }

  async image(seen: SeenImage<Embedding>, signal?: AbortSignal): Promise<void> {
    this.#special('<|vision_start|>');
    await this.flush(signal);
    await this.session.appendImage(seen.embedding, signal ? { signal } : {});
    this.transcript.push({ kind: 'image', image: seen });
    this.listener?.image(seen);
    this.#special('<|vision_end|>');
  }

  /** The rest of the user's turn; special tokens spelled in it are plain text. Opens the assistant's turn. */
  endUser(text: string): void {
    this.#text(text);
    this.#special('<|im_end|>');
    this.#text('\n');
    this.#special('<|im_start|>');
    this.#text('assistant\n');
    this.#queue(this.tokens.noThoughts);
    this.#isUserTurn = false;
  }

  /** The assistant's answer; its end-of-turn token is written by the answer's form. */
  answer(options: AnswerOptions): SampledAnswer {
    return new SampledAnswer(this, options);
  }

  /** After an answer: the line feed that follows its end-of-turn token. */
  endAnswer(): void {
    this.#text('\n');
  }

  /** Queues one token of an answer. */
  put(token: number, chosen?: ChosenToken): void {
    this.#pending.push(token);
    this.record('answer', [token]);
    this.listener?.token(token, chosen);
  }

  /** Notes tokens that are in the cache or queued for it. */
  record(kind: 'prompt' | 'answer', tokens: Iterable<number>): void {
    let last = this.transcript.at(-1);
    if (last?.kind !== kind) this.transcript.push((last = { kind, tokens: [] }));
    last.tokens.push(...tokens);
  }

  /** Puts everything queued into the cache, and reads log-probabilities after it. */
  async flush(signal?: AbortSignal, choices?: Int32Array): Promise<AppendResult> {
    const tokens = Int32Array.from(this.#pending);
    this.#pending = [];
    return this.session.append(tokens, { ...defined({ choices, signal }) });
  }

  /** A second conversation that goes on from here; what is in the cache is shared, not copied. Counters stay common. */
  async fork(): Promise<Conversation<Embedding>> {
    const session = await this.session.fork();
    const copy = new Conversation(session, this.#tokenizer, this.tokens, this.counters, this.transcript.map(copyPart));
    copy.#pending = [...this.#pending];
    copy.#isUserTurn = this.#isUserTurn;
    copy.listener = this.listener;
    return copy;
  }

  dispose(): Promise<void> {
    return this.session.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #special(token: string): void {
    this.#queue(this.#tokenizer.tokenize(token, { special: true }));
  }

  #text(text: string): void {
    this.#queue(this.#tokenizer.tokenize(text));
  }

  #queue(tokens: Int32Array): void {
    if (tokens.length === 0) return;
    this.#pending.push(...tokens);
    this.record('prompt', tokens);
    this.listener?.prompt(tokens);
  }
}

function copyPart(part: TranscriptPart): TranscriptPart {
  return part.kind === 'image' ? part : { kind: part.kind, tokens: [...part.tokens] };
}
