import { FramewrightError } from '../base/errors.js';
import type { Aspect } from '../base/geometry.js';

const PATTERN = /^\s*(\d{1,6}(?:\.\d{1,4})?)\s*(?:[:/x]\s*(\d{1,6}(?:\.\d{1,4})?)\s*)?$/i;

/**
 * Reads `4:5`, `4/5`, `1080x1350`, `1.91:1` or `1.5`.
 * @throws FramewrightError USAGE
 */
export function parseAspect(text: string): Aspect {
  const match = PATTERN.exec(text);
  const width = wholeTenThousandths(match?.[1] ?? '0');
  const height = wholeTenThousandths(match?.[2] ?? '1');
  if (width === 0 || height === 0) {
    throw new FramewrightError('USAGE', `"${text}" is not an aspect ratio; write width:height, e.g. 4:5 or 1.91:1`);
  }
  return reducedAspect(width, height);
}

/** @param width, height positive whole numbers. */
export function reducedAspect(width: number, height: number): Aspect {
  const divisor = greatestCommonDivisor(width, height);
  return { width: width / divisor, height: height / divisor };
}

/** Decimal digits are shifted as text: 1.1 * 10000 is not a whole number in binary. */
function wholeTenThousandths(decimal: string): number {
  const [whole = '', fraction = ''] = decimal.split('.');
  return Number(whole + fraction.padEnd(4, '0'));
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
