import { FramewrightError } from '../../base/errors.js';
import type { AnswerTokens } from './answer-tokens.js';
import { walkOptions, type OptionSet } from './option-walk.js';
import type { AnswerOption, AnswerWriter, Following, IntegerField } from './writer.js';

/** A value for the next field of an answer, in the order the form asks for them. */
export type TargetValue = string | number;

export interface RecordedSentence {
  readonly text: string;
  readonly lastWords: string;
}

/**
 * An answer whose fields are given: what a model should have said. Yields the tokens the model would see and which of
 * them it would have to decide (the only ones a training loss should count), and refuses targets the form does not allow.
 */
export class RecordedAnswer implements AnswerWriter {
  readonly tokenIds: number[] = [];
  /** Parallel to `tokenIds`: true where the form leaves a choice. */
  readonly decided: boolean[] = [];
  /** Of each sentence, by the index of the token that closes its quote: the sentence, and what of it that token holds. */
  readonly sentences = new Map<number, RecordedSentence>();
  readonly #tokens: AnswerTokens;
  readonly #targets: TargetValue[];

  constructor(tokens: AnswerTokens, targets: readonly TargetValue[]) {
    this.#tokens = tokens;
    this.#targets = [...targets];
  }

  /** Targets not asked for yet; 0 at the end of a well-formed answer. */
  get nTargetsLeft(): number {
    return this.#targets.length;
  }

  literal(text: string): void {
    this.#put(this.#tokens.literal(text), false);
  }

  async choose<T>(options: readonly AnswerOption<T>[]): Promise<T> {
    const wanted = this.#next();
    const index = options.findIndex(({ value }) => value === wanted);
    if (index < 0) throw notAllowed(wanted, `one of ${options.map(({ value }) => String(value)).join(', ')}`);
    await this.#walk(this.#tokens.optionSet(options), index);
    return options[index]!.value;
  }

  /** Where the form leaves open what follows (`then` has several), the target after the number names it. */
  async integer<T extends Following>(
    allowed: readonly number[],
    ...then: readonly [T, ...T[]]
  ): Promise<IntegerField<T>> {
    const wanted = this.#next();
    const index = allowed.findIndex((value) => value === wanted);
    if (index < 0) throw notAllowed(wanted, `an integer the field allows (${allowed[0]!}..${allowed.at(-1)!})`);
    const wantedThen = then.length > 1 ? this.#next() : then[0];
    const thenIndex = then.findIndex((text) => text === wantedThen);
    if (thenIndex < 0) throw notAllowed(wantedThen, `one of ${then.map(String).join(' ')}`);
    await this.#walk(this.#tokens.integerSet(allowed, then), index * then.length + thenIndex);
    return { value: allowed[index]!, then: then[thenIndex]! };
  }

  sentence({ then }: { maxTokens: number; then: string }): Promise<string> {
    const text = String(this.#next());
    const whole = this.#tokens.freeText(text + then);
    const tail = this.#tokens.literal(then);
    // The last decided token is the one that closes the quote, even where it also holds the sentence's full stop.
    const nDecided = whole.length - tail.length + 1;
    const closing = this.tokenIds.length + nDecided - 1;
    this.sentences.set(closing, { text, lastWords: this.#lastWords(text, then, whole.slice(nDecided - 1)) });
    whole.forEach((token, i) => this.#put([token], i < nDecided));
    return Promise.resolve(text);
  }

  /** The end of the text that is spelled by the token that also closes the quote. */
  #lastWords(text: string, then: string, rest: Int32Array): string {
    for (let n = 0; n <= text.length; n++) {
      const words = text.slice(text.length - n);
      if (this.#tokens.freeText(words + then).join() === rest.join()) return words;
    }
    return '';
  }

  #next(): TargetValue {
    const target = this.#targets.shift();
    if (target === undefined) throw new FramewrightError('ANSWER_INVALID', 'the target answer ends too early');
    return target;
  }

  #put(tokens: Iterable<number>, decided: boolean): void {
    for (const token of tokens) {
      this.tokenIds.push(token);
      this.decided.push(decided);
    }
  }

  #walk(options: OptionSet, target: number): Promise<number> {
    let decided = false;
    return walkOptions(options, {
      emit: (token) => {
        this.#put([token], decided);
        decided = false;
      },
      decide: (choices, depth) => {
        decided = true;
        return choices.indexOf(options.tokenAt(target, depth)!);
      },
    });
  }
}

function notAllowed(wanted: unknown, what: string): FramewrightError {
  return new FramewrightError('ANSWER_INVALID', `Expected ${what} but received ${String(wanted)} in the target answer`);
}
