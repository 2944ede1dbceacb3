import type { GgufErrorCode } from '../errors.js';
import { printable } from '../printable.js';

/** One thing wrong with a file, by what it is about, what is there, and what has to be there. */
export interface GgufProblem {
  readonly path: string;
  /** `UNSUPPORTED` for a sound file of a kind we do not run, else what reading it would throw, or `INVALID`. */
  readonly code: GgufErrorCode;
  /** A metadata key, `tensor <name>`, `token <text>` or `file`. */
  readonly where: string;
  /** The value, shape or type there, or `missing`. */
  readonly found: string;
  /** What is required, as the end of a sentence: `must be ...`. */
  readonly required: string;
  /** All of it in one line, with the file. */
  readonly message: string;
}

/** A problem before the file's name is known to whoever finds it. */
export type Finding = Omit<GgufProblem, 'path' | 'code' | 'message'> & { readonly code?: GgufErrorCode };

/** Checks yield what they find and return what later checks need; undefined where it could not be had. */
export type Check<T = void> = Generator<Finding, T, undefined>;

export function problemOf(path: string, finding: Finding): GgufProblem {
  const { where, found, required } = finding;
  const what = where === 'file' ? `${found}; it ${required}` : `${where}: ${found}, ${required}`;
  return { path, code: 'INVALID', ...finding, message: printable(`${path}: ${what}`) };
}

/** A value from a file for a message: short, on one line. */
export function quote(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
