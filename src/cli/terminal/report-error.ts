import { GgufError } from '../../../gguf/index.js';
import { codeOf, FramewrightError, messageOf, type ErrorCode } from '../../base/errors.js';
import { STDIN } from '../../batch/inputs.js';

/** Exit codes; scripts depend on them. */
export const EXIT = { ok: 0, failure: 1, usage: 2, model: 3, somePhotos: 4, interrupted: 130 } as const;

const EXIT_BY_CODE: Partial<Record<ErrorCode, number>> = {
  USAGE: EXIT.usage,
  OUTPUT_EXISTS: EXIT.usage,
  MODEL_NOT_FOUND: EXIT.model,
  MODEL_INVALID: EXIT.model,
  MODEL_LOAD: EXIT.model,
  MODEL_TOO_LARGE: EXIT.model,
  MODEL_UNSUPPORTED: EXIT.model,
  NATIVE_LOAD: EXIT.model,
};

function shownCode(error: unknown): string {
  return error instanceof GgufError ? error.code : codeOf(error);
}

/** One line: `framewright: what, which file, what to do [CODE]`. */
export function errorLine(error: unknown): string {
  return `framewright: ${oneLine(messageOf(error))} [${shownCode(error)}]`;
}

/** As errorLine, without our name and with that of the photo, in front where the message does not say it. */
export function photoErrorText(input: string, error: unknown): string {
  const message = oneLine(messageOf(error));
  const name = input === STDIN ? 'stdin' : input;
  return `${names(message, name) ? message : `${name}: ${message}`} [${shownCode(error)}]`;
}

function oneLine(message: string): string {
  return message.replaceAll(/\s*\n\s*/g, '; ');
}

/** `a.jpg` is not named where `aa.jpg` is. */
function names(message: string, name: string): boolean {
  const parts = message.split(name);
  return parts.slice(1).some((after, i) => !/\w$/.test(parts[i]!) && !/^\w/.test(after));
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof GgufError) return EXIT.model;
  return error instanceof FramewrightError ? (EXIT_BY_CODE[error.code] ?? EXIT.failure) : EXIT.failure;
}
