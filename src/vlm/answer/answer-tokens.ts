import { FramewrightError } from '../../base/errors.js';
import type { OptionSet } from './option-walk.js';
import { END_OF_ANSWER, type AnswerOption, type Following, type Tokenizer } from './writer.js';

const MAX_REMEMBERED = 2048;

/**
 * Canonical tokens of the pieces answers are made of, remembered per model: the same few literals and integers come back
 * in every answer. Pieces are tokenized apart, which equals the tokens of the whole text as long as pieces meet where
 * Qwen's pre-tokenizer splits: between punctuation and digits, and between a run of two or more punctuation marks (or a
 * line feed) and letters. test/vlm/answer/boundaries.test.ts holds every answer form to that.
 */
export class AnswerTokens {
  readonly endOfTurn: number;
  /** What stands before every answer so that it is given at once: a closed think block, or nothing. */
  readonly noThoughts: Int32Array;
  readonly #tokenizer: Tokenizer;
  readonly #literals = new Map<string, Int32Array>();
  readonly #integers: Int32Array[] = [];

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
    const end = tokenizer.tokenize('<|im_end|>', { special: true });
    if (end.length !== 1) throw new FramewrightError('MODEL_UNSUPPORTED', 'the model has no <|im_end|> token');
    this.endOfTurn = end[0]!;
    this.noThoughts = tokenizer.family?.thinks
      ? tokenizer.tokenize('<think>\n\n</think>\n\n', { special: true })
      : new Int32Array();
  }

  literal(text: string): Int32Array {
    if (this.#literals.size > MAX_REMEMBERED) this.#literals.clear(); // literals that hold coordinates never end
    let tokens = this.#literals.get(text);
    if (!tokens) this.#literals.set(text, (tokens = this.#tokenizer.tokenize(text)));
    return tokens;
  }

  /** Not remembered: for text that differs from photo to photo. */
  freeText(text: string): Int32Array {
    return this.#tokenizer.tokenize(text);
  }

  integer(value: number): Int32Array {
    return (this.#integers[value] ??= this.#tokenizer.tokenize(String(value)));
  }

  /** The options of a `choose`. */
  optionSet(options: readonly AnswerOption<unknown>[]): OptionSet {
    const sequences = options.map(({ text }) => this.#following(text));
    return { count: sequences.length, tokenAt: (index, depth) => sequences[index]![depth] };
  }

  /** Every allowed integer with every way to go on: option `i * then.length + j` is `allowed[i]` then `then[j]`. */
  integerSet(allowed: readonly number[], then: readonly Following[]): OptionSet {
    const tails = then.map((text) => this.#following(text));
    return {
      count: allowed.length * tails.length,
      tokenAt: (index, depth) => {
        const digits = this.integer(allowed[Math.floor(index / tails.length)]!);
        return depth < digits.length ? digits[depth] : tails[index % tails.length]![depth - digits.length];
      },
    };
  }

  #following(text: Following): Int32Array {
    return text === END_OF_ANSWER ? Int32Array.of(this.endOfTurn) : this.literal(text);
  }
}
