import type { Size } from '../../base/geometry.js';
import { range } from './range.js';
import type { AnswerOption, AnswerWriter, Following, IntegerField } from './writer.js';

/** Share of a side by which a coordinate may pass the edge and is still heard as the edge. */
const PAST_SHARE = 1 / 10;

/**
 * An answer whose coordinates may be said a little past the edge, and mean the edge then: models do say 1003 of 1000. Held
 * to numbers that are inside, such a model would be left "1", "0", "0" and a guess how to go on: 100 as well as 1000.
 */
export class ClampedAnswer implements AnswerWriter {
  readonly #answer: AnswerWriter;
  /** What the greatest number inside can be: sides for the edges of boxes, one less for points. */
  readonly #ends: ReadonlySet<number>;

  constructor(answer: AnswerWriter, { width, height }: Size) {
    this.#answer = answer;
    this.#ends = new Set([width, width - 1, height, height - 1]);
  }

  literal(text: string): void {
    this.#answer.literal(text);
  }

  choose<T>(options: readonly AnswerOption<T>[]): Promise<T> {
    return this.#answer.choose(options);
  }

  async integer<T extends Following>(
    allowed: readonly number[],
    ...then: readonly [T, ...T[]]
  ): Promise<IntegerField<T>> {
    const last = allowed.at(-1)!;
    if (allowed.length === 1 || !this.#ends.has(last)) return this.#answer.integer(allowed, ...then);
    const past = range(last + 1, Math.ceil(last * (1 + PAST_SHARE)) - 1);
    const said = await this.#answer.integer([...allowed, ...past], ...then);
    return { value: Math.min(said.value, last), then: said.then };
  }

  sentence(options: { maxTokens: number; then: string }): Promise<string> {
    return this.#answer.sentence(options);
  }
}
