import { FramewrightError } from '../../../base/errors.js';

/** Of a place in the profile. */
export function wrong(file: string, at: string, what: string): FramewrightError {
  return invalid(`the prompt profile ${file} is wrong${at === '' ? '' : ` at ${at}`}: ${what}`);
}

export function invalid(message: string, cause?: unknown): FramewrightError {
  return new FramewrightError('MODEL_INVALID', message, cause === undefined ? {} : { cause });
}
