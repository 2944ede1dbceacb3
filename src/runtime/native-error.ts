import { FramewrightError, isErrorCode, messageOf } from '../base/errors.js';

/**
 * What the addon threw or rejected with, as the library's own error: the addon's errors carry an `ErrorCode` as `code`.
 * Node's own errors have codes too, and those become INTERNAL with their message.
 */
export function fromNative(error: unknown): FramewrightError {
  if (error instanceof FramewrightError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return new FramewrightError(isErrorCode(code) ? code : 'INTERNAL', messageOf(error), { cause: error });
}

export function disposedError(what: string): FramewrightError {
  return new FramewrightError('DISPOSED', `the ${what} was disposed; make a new one`);
}
