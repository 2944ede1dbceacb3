import type { NumberPolicy } from '../../../gguf/index.js';
import { defined } from '../../base/defined.js';
import type { AppendResult } from '../../runtime/types.js';
import type { SamplingOptions } from '../../engines/engine.js';
import type { ChatSession } from './chat-session.js';
import type { ChosenToken, ConversationListener } from './conversation-listener.js';
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
  readonly listener: ConversationListener | undefined;
  /** Queues a token, and tells the listener of it. */
  put(token: number, chosen?: ChosenToken): void;
  /** Tokens that reached the session, and the listener, another way. */
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
    const { session, tokens, counters, listener } = this.#to;
    const { signal, temperature, random } = this.#options;
    await this.#to.flush(signal);
    const result = await session.generate({
      grammar: SENTENCE_GRAMMAR,
      maxTokens,
      stopTexts: ['"'],
      ...(temperature ? { temperature, seed: Math.floor((random ?? Math.random)() * 2 ** 32) } : {}),
      ...(listener
        ? {
            onToken: ({ id, logProb }): void => {
              listener.token(id, { logProb });
            },
          }
        : {}),
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
    const looks: Look[] = [];
    await this.#to.flush(signal);
    const index = await medianValue(
      tokens.integerSet(allowed, then),
      (option) => Math.floor(option / then.length),
      async (sequences) => {
        const scored = await session.score(sequences, defined({ signal }));
        const logProbs = scored.map((ofTokens) => ofTokens.at(-1)!);
        looks.push(...sequences.map((sequence, i) => ({ sequence, logProb: logProbs[i]! })));
        return logProbs;
      },
    );
    const value = allowed[index]!;
    const digits = tokens.integer(value);
    digits.forEach((token, depth) => {
      this.#to.put(token, this.#to.listener && chosenAt(digits, depth, looks));
    });
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
    let chosen: ChosenToken | undefined;
    return walkOptions(options, {
      emit: (token) => {
        this.#to.put(token, chosen);
        chosen = undefined;
        counters.nForced++;
      },
      decide: async (choices) => {
        const { logProbs } = await this.#to.flush(this.#options.signal, choices);
        counters.nDecided++;
        counters.nForced--; // the decided token is emitted next
        const picked = pick(logProbs, this.#options);
        if (this.#to.listener) chosen = { logProb: logProbs[picked]!, among: { tokens: choices, logProbs } };
        return picked;
      },
    });
  }
}

/** The log-probability of the last token of a sequence behind those before it. */
interface Look {
  readonly sequence: Int32Array;
  readonly logProb: number;
}

/** What a number's token was chosen among; undefined where it was not looked at, for nothing else could be the median. */
function chosenAt(digits: Int32Array, depth: number, looks: readonly Look[]): ChosenToken | undefined {
  const among = looks.filter(
    ({ sequence }) =>
      sequence.length === depth + 1 && sequence.subarray(0, depth).every((token, i) => token === digits[i]),
  );
  const own = among.find(({ sequence }) => sequence[depth] === digits[depth]);
  if (!own) return undefined;
  return {
    logProb: own.logProb,
    among: {
      tokens: Int32Array.from(among, ({ sequence }) => sequence[depth]!),
      logProbs: Float32Array.from(among, ({ logProb }) => logProb),
    },
  };
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
