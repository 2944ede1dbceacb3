import {
  type AnswerOption,
  type AnswerWriter,
  type Following,
  type IntegerField,
  END_OF_ANSWER,
} from '../../../src/vlm/answer/writer.js';

/** An answer whose fields are decided by dice, edges preferred: reaches every corner of what a form allows. */
export class RandomAnswer implements AnswerWriter {
  /** The pieces that are tokenized apart, in order. */
  readonly pieces: string[] = [];
  ended = false;
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  get text(): string {
    return this.pieces.join('');
  }

  literal(text: string): void {
    this.pieces.push(text);
  }

  choose<T>(options: readonly AnswerOption<T>[]): Promise<T> {
    const option = this.#pick(options);
    if (option.text === END_OF_ANSWER) this.ended = true;
    else this.pieces.push(option.text);
    return Promise.resolve(option.value);
  }

  integer<T extends Following>(allowed: readonly number[], ...then: readonly [T, ...T[]]): Promise<IntegerField<T>> {
    const field = { value: this.#pick(allowed), then: this.#pick(then) };
    this.pieces.push(String(field.value));
    if (field.then === END_OF_ANSWER) this.ended = true;
    else this.pieces.push(field.then);
    return Promise.resolve(field);
  }

  sentence({ then }: { maxTokens: number; then: string }): Promise<string> {
    this.pieces.push(`because${then}`);
    return Promise.resolve('because');
  }

  #pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error(`nothing is allowed after ${this.text}`);
    const dice = this.#random();
    if (dice < 0.15) return items[0]!;
    if (dice > 0.85) return items.at(-1)!;
    return items[Math.floor(this.#random() * items.length)]!;
  }
}
