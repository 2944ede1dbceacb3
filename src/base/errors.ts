/**
 * What went wrong, as a word a program can test. The message is for people: what, which file, what to do.
 */
export const ERROR_CODES = [
  'USAGE', // an option or argument is wrong
  'INPUT_NOT_FOUND',
  'INPUT_UNREADABLE', // permission, is a folder, device error
  'INPUT_UNSUPPORTED', // a format we do not decode (RAW, text; HEIC without its package)
  'INPUT_CORRUPT', // truncated or damaged image data
  'INPUT_TOO_LARGE', // over the pixel limit
  'OUTPUT_EXISTS', // would overwrite without force
  'OUTPUT_WRITE', // disk full, permission, missing folder
  'OUTPUT_LOCKED', // another run is writing there
  'TOOL_NOT_FOUND', // a program of the system that an option needs is not installed
  'PACKAGE_NOT_FOUND', // an optional package that is needed for what was asked is not installed
  'FACES_UNAVAILABLE', // the optional packages that find faces are not installed
  'NOTHING_FOUND', // nothing that the engines asked go by is in the photo
  'ASPECT_IMPOSSIBLE', // no crop satisfies aspect, keep boxes and minimum size together
  'MODEL_NOT_FOUND',
  'DOWNLOAD', // a file cannot be had from its server, or is not what it should be
  'MODEL_INVALID', // the GGUF pair fails validation
  'MODEL_LOAD', // llama.cpp refused it
  'MODEL_TOO_LARGE', // does not fit the memory there is
  'MODEL_UNSUPPORTED', // a valid GGUF of a kind we do not run
  'NATIVE_LOAD', // addon or backend library cannot be loaded
  'CONTEXT_FULL', // the conversation does not fit the KV cache
  'DECODE', // llama_decode or the image encoder failed
  'GRAMMAR', // a grammar cannot be parsed, or no token satisfies it
  'ANSWER_INVALID', // a stage could not produce a valid answer
  'DATASET_INVALID', // an evaluation data set cannot be read as its format says
  'WORKER_DIED', // the process that cropped it ended, several times
  'TRAINING_FAILED', // a loss or gradient is no number
  'DISPOSED', // used after dispose
  'INTERNAL',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export function isErrorCode(code: unknown): code is ErrorCode {
  return ERROR_CODES.some((known) => known === code);
}

/** Every error the library throws on purpose, except an AbortSignal's own reason, which is rethrown as it is. */
export class FramewrightError extends Error {
  override readonly name = 'FramewrightError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The code of anything thrown; INTERNAL for what was not thrown on purpose. */
export function codeOf(thrown: unknown): ErrorCode {
  return thrown instanceof FramewrightError ? thrown.code : 'INTERNAL';
}

/** The message of anything thrown, without a stack. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
