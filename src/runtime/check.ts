import { FramewrightError } from '../base/errors.js';

/** @throws FramewrightError USAGE unless `value` is a whole number from `min` to `max`, both included */
export function checkInteger(what: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new FramewrightError('USAGE', `expected ${what} from ${min} to ${max} but received ${String(value)}`);
  return value;
}

/** @throws FramewrightError USAGE unless every token is one of the model's vocabulary */
export function checkTokens(what: string, tokens: Int32Array, nVocab: number): Int32Array {
  if (!(tokens instanceof Int32Array))
    throw new FramewrightError('USAGE', `expected ${what} as an Int32Array but received ${typeof tokens}`);
  for (const token of tokens)
    if (token < 0 || token >= nVocab)
      throw new FramewrightError('USAGE', `${what} hold token ${token}, and the vocabulary ends at ${nVocab - 1}`);
  return tokens;
}
