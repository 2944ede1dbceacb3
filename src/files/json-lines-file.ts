import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { FramewrightError, messageOf } from '../base/errors.js';

/** What the lines of a file are, for its messages. */
export interface LineKind<T> {
  /** `hint` for a file of hints. */
  readonly noun: string;
  /** A line as it should be. */
  readonly example: string;
  readonly schema: z.ZodType<T>;
}

export interface FileLine<T> {
  readonly value: T;
  /** `file:line`, for errors. */
  readonly from: string;
  /** The error for a line that is refused for another reason than its shape. */
  readonly refuse: (why: string) => FramewrightError;
}

/**
 * The lines of a JSON Lines file a person may have written; empty ones are passed over.
 *
 * @throws FramewrightError INPUT_NOT_FOUND, INPUT_UNREADABLE; USAGE with file and line for what has another shape, or
 *   where there is no line at all.
 */
export async function readJsonLines<T>(file: string, kind: LineKind<T>): Promise<FileLine<T>[]> {
  const { noun } = kind;
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new FramewrightError(
      isMissing ? 'INPUT_NOT_FOUND' : 'INPUT_UNREADABLE',
      isMissing
        ? `the ${noun}s file ${file} does not exist: check the path`
        : `cannot read ${file}: ${messageOf(error)}`,
      { cause: error },
    );
  });
  const lines = text
    .split('\n')
    .flatMap((line, i) => (line.trim() === '' ? [] : [parseLine(line, `${file}:${i + 1}`, kind)]));
  if (lines.length === 0) throw new FramewrightError('USAGE', `${file} holds no ${noun}s`);
  return lines;
}

function parseLine<T>(line: string, from: string, { noun, example, schema }: LineKind<T>): FileLine<T> {
  const refuse = (why: string): FramewrightError =>
    new FramewrightError('USAGE', `${from} is no ${noun}: ${why}; a line is ${example}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (error) {
    throw refuse(messageOf(error));
  }
  const result = schema.safeParse(parsed);
  if (result.success) return { value: result.data, from, refuse };
  const { path, message } = result.error.issues[0]!;
  throw refuse(path.length > 0 ? `${path.join('.')}: ${message}` : message);
}
