/**
 * Writes one answer of the model, field by field. The code that calls it *is* the answer's grammar: `literal` is text
 * the form dictates, the others are the fields a value is decided for. Who decides is the implementation's affair: the
 * model (`SampledAnswer`) or a given target (`RecordedAnswer`, for training data). Both put down the same tokens.
 *
 * Every decision names the text that follows it (`then`), because where a field ends is part of the decision: after
 * "12" the model either says another digit or the comma.
 */
export interface AnswerWriter {
  /** Text the form dictates. It must begin and end where the tokenizer splits words anyway (punctuation, line feed). */
  literal(text: string): void;
  /** Decides for one of `options`; at least one. The option's text is written whole, so it ends in what follows it. */
  choose<T>(options: readonly AnswerOption<T>[]): Promise<T>;
  /** Decides for one of `allowed` (ascending, at least one) and for what follows it. */
  integer<T extends Following>(allowed: readonly number[], ...then: readonly [T, ...T[]]): Promise<IntegerField<T>>;
  /** Free text on one line without quotes or backslashes, 1 to `maxTokens` tokens. */
  sentence(options: { maxTokens: number; then: string }): Promise<string>;
}

export interface AnswerOption<T> {
  readonly value: T;
  /** What is written; `END_OF_ANSWER` ends the model's turn. */
  readonly text: Following;
}

/** The end-of-turn token, which has no text of its own. */
export const END_OF_ANSWER = Symbol('end of answer');

/** What follows a number: text, or nothing more. */
export type Following = string | typeof END_OF_ANSWER;

export interface IntegerField<T extends Following> {
  readonly value: number;
  readonly then: T;
}

/** The part of a model an answer needs: canonical tokens of a text, and whether thoughts come before it. */
export interface Tokenizer {
  tokenize(text: string, options?: { special?: boolean }): Int32Array;
  /** Of the model; absent: it does not think. */
  readonly family?: { readonly thinks: boolean };
}
