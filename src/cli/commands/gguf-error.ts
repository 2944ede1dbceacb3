import type { GgufError, GgufErrorCode } from '../../../gguf/index.js';
import { FramewrightError, type ErrorCode } from '../../base/errors.js';

const CODES: Partial<Record<GgufErrorCode, ErrorCode>> = { UNSUPPORTED: 'MODEL_UNSUPPORTED', OUTPUT: 'OUTPUT_WRITE' };

/** As a command ends with it; what the system refused to read stays what it is. */
export function fromGgufError(error: GgufError): Error {
  if (error.code === 'IO') return error;
  return new FramewrightError(CODES[error.code] ?? 'MODEL_INVALID', error.message, { cause: error });
}
