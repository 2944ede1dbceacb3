import type { z } from 'zod';
import { FramewrightError, messageOf } from '../base/errors.js';
import { readTextFile } from './json-file.js';

/** Lines of some hundred thousand photos. */
const MAX_BYTES = 256 * 2 ** 20;

/** A value of JSON Lines text. */
export interface JsonLine {
  readonly value: unknown;
  /** `file:line`, for errors. */
  readonly from: string;
}

/**
 * The values of JSON Lines text, one after the other; empty lines are passed over.
 * @param refuse makes the error for a line that is no JSON
 */
export function* parseJsonLines(
  text: string,
  file: string,
  refuse: (from: string, cause: unknown) => Error,
): Generator<JsonLine> {
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const from = `${file}:${i + 1}`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      throw refuse(from, error);
    }
    yield { value, from };
  }
}

/** What the lines of a file are, for its messages. */
export interface LineKind<T> {
  /** `hint` for a file of hints. */
  readonly noun: string;
  /** A line as it should be. */
  readonly example: string;
  readonly schema: z.ZodType<T>;
}

export interface FileLine<T> extends JsonLine {
  readonly value: T;
  /** The error for a line that is refused for another reason than its shape. */
  readonly refuse: (why: string) => FramewrightError;
}

/**
 * The lines of a JSON Lines file a person may have written; empty ones are passed over.
 *
 * @throws FramewrightError INPUT_NOT_FOUND, INPUT_UNREADABLE, INPUT_TOO_LARGE; USAGE with file and line for what has another shape, or
 *   where there is no line at all.
 */
export async function readJsonLines<T>(file: string, kind: LineKind<T>): Promise<FileLine<T>[]> {
  const { noun, example, schema } = kind;
  const text = await readTextFile(file, `${noun}s file`, MAX_BYTES);
  const refusing = (from: string) => (why: string) =>
    new FramewrightError('USAGE', `${from} is no ${noun}: ${why}; a line is ${example}`);
  const lines: FileLine<T>[] = [];
  for (const { value, from } of parseJsonLines(text, file, (at, error) => refusing(at)(messageOf(error)))) {
    const refuse = refusing(from);
    const { data, error } = schema.safeParse(value);
    if (error) {
      const { path, message } = error.issues[0]!;
      throw refuse(path.length > 0 ? `${path.join('.')}: ${message}` : message);
    }
    lines.push({ value: data, from, refuse });
  }
  if (lines.length === 0) throw new FramewrightError('USAGE', `${file} holds no ${noun}s`);
  return lines;
}
