import { FramewrightError, messageOf, type ErrorCode } from '../base/errors.js';

/** What the addon rejected with, as the library's own error: the addon's errors carry an `ErrorCode` as `code`. */
export function fromNative(error: unknown): FramewrightError {
  if (error instanceof FramewrightError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return new FramewrightError(isErrorCode(code) ? code : 'INTERNAL', messageOf(error), { cause: error });
}

/** Node's own errors have codes too, but those begin with `ERR_`. */
function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && !code.startsWith('ERR_');
}

export function disposedError(what: string): FramewrightError {
  return new FramewrightError('DISPOSED', `the ${what} was disposed; make a new one`);
}
