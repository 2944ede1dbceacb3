import type { NumberPolicy } from '../../../gguf/index.js';
import { defined } from '../../base/defined.js';
import type { AppendResult } from '../../runtime/types.js';
import type { SamplingOptions } from '../../engines/engine.js';
import type { ChatSession } from './chat-session.js';
import type { AnswerTokens } from './answer-tokens.js';
import { medianValue } from './median.js';
import { walkOptions, type OptionSet } from './option-walk.js';
import type { AnswerOption, AnswerWriter, Following, IntegerField } from './writer.js';

/** How many of the answer's tokens the model was asked for, and how many it was not. */
export interface AnswerCounters {
  /** Tokens decided from the model's probabilities: each needed the decode of what stood before it. */
  nDecided: number;
  /** Tokens the answer's form left no choice about: appended in the same batch as their neighbours. */
  nForced: number;
}

/** Where a sampled answer goes: a session, and the tokens that are certain but not in it yet. */
export interface AnswerSink {
  readonly session: Pick<ChatSession<unknown>, 'append' | 'generate' | 'score'>;
  readonly tokens: AnswerTokens;
  readonly counters: AnswerCounters;
  /** Queues a token. */
  put(token: number): void;
  /** Tokens that reached the session another way. */
  record(kind: 'answer', tokens: Iterable<number>): void;
  /** Appends what is queued; log-probabilities of `choices` after it. */
  flush(signal?: AbortSignal, choices?: Int32Array): Promise<AppendResult>;
}

/** How a model's answers are drawn, and how it is used to choose numbers. */
export interface AnswerOptions extends SamplingOptions {
  /** Where nothing is drawn (temperature 0). Default: the likeliest. */
  readonly numbers?: NumberPolicy;
}

/** Sentences hold any character but quotes, backslashes and control characters; the answer's form closes them. */
const SENTENCE_GRAMMAR = String.raw`root ::= [a-zA-Z0-9\u00C0-\uD7FF] c{0,239} "\"" ("}" "\n"?)?
c ::= [^"\\\x00-\x1f\x7f]`;

/** An answer the model decides, token by token, each only among those the form allows. */
export class SampledAnswer implements AnswerWriter {
  readonly #to: AnswerSink;
  readonly #options: AnswerOptions;

  constructor(to: AnswerSink, options: AnswerOptions = {}) {
    this.#to = to;
    this.#options = options;
  }

  literal(text: string): void {
    this.#force(this.#to.tokens.literal(text));
  }

  async choose<T>(options: readonly AnswerOption<T>[]): Promise<T> {
    return options[await this.#walk(this.#to.tokens.optionSet(options))]!.value;
  }

  async integer<T extends Following>(
    allowed: readonly number[],
    ...then: readonly [T, ...T[]]
  ): Promise<IntegerField<T>> {
    const { numbers, temperature = 0 } = this.#options;
    if (numbers === 'median' && temperature <= 0 && allowed.length > 1) return this.#median(allowed, then);
    const index = await this.#walk(this.#to.tokens.integerSet(allowed, then));
    return { value: allowed[Math.floor(index / then.length)]!, then: then[index % then.length]! };
  }

  async sentence({ maxTokens, then }: { maxTokens: number; then: string }): Promise<string> {
    const { session, tokens, counters } = this.#to;
    const { signal, temperature, random } = this.#options;
    await this.#to.flush(signal);
    const result = await session.generate({
      grammar: SENTENCE_GRAMMAR,
      maxTokens,
      stopTexts: ['"'],
      ...(temperature ? { temperature, seed: Math.floor((random ?? Math.random)() * 2 ** 32) } : {}),
      ...defined({ signal }),
    });
    this.#to.record('answer', result.tokens);
    counters.nDecided += result.tokens.length + (result.stopToken ? 1 : 0);
    // The token that closed the sentence may carry its last characters ('."'): they are written with what follows, so
    // that the model sees the tokens the whole text has.
    const lastWords = result.stopToken?.text.split('"', 1)[0] ?? '';
    this.#force(tokens.freeText(lastWords + then));
    return (result.text + lastWords).replaceAll('\uFFFD', '').trim();
  }

  async #median<T extends Following>(allowed: readonly number[], then: readonly [T, ...T[]]): Promise<IntegerField<T>> {
    const { session, tokens, counters } = this.#to;
    const { signal } = this.#options;
    await this.#to.flush(signal);
    const index = await medianValue(
      tokens.integerSet(allowed, then),
      (option) => Math.floor(option / then.length),
      async (sequences) => (await session.score(sequences, defined({ signal }))).map((logProbs) => logProbs.at(-1)!),
    );
    const value = allowed[index]!;
    const digits = tokens.integer(value);
    for (const token of digits) this.#to.put(token);
    counters.nDecided += digits.length;
    const following = then.map((text) => ({ value: text, text }));
    return { value, then: await this.choose(following) };
  }

  #force(tokens: Int32Array): void {
    for (const token of tokens) this.#to.put(token);
    this.#to.counters.nForced += tokens.length;
  }

  #walk(options: OptionSet): Promise<number> {
    const { counters } = this.#to;
    return walkOptions(options, {
      emit: (token) => {
        this.#to.put(token);
        counters.nForced++;
      },
      decide: async (choices) => {
        const { logProbs } = await this.#to.flush(this.#options.signal, choices);
        counters.nDecided++;
        counters.nForced--; // the decided token is emitted next
        return pick(logProbs, this.#options);
      },
    });
  }
}

/** Index of the greatest, or one drawn from softmax(logProbs / temperature). */
function pick(logProbs: Float32Array, { temperature = 0, random = Math.random }: SamplingOptions): number {
  let best = 0;
  for (let i = 1; i < logProbs.length; i++) if (logProbs[i]! > logProbs[best]!) best = i;
  if (temperature <= 0) return best;
  const weights = Array.from(logProbs, (logProb) => Math.exp((logProb - logProbs[best]!) / temperature));
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [index, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return index;
  }
  return best;
}
