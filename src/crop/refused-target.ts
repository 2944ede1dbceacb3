import type { RefusedTarget } from '../base/schema.js';
import { askedTarget } from './crop-result.js';
import type { FailedTarget } from './wishes.js';

/** A ratio or size that no crop of a photo meets, as results have it. */
export function refusedTarget({ target, error }: FailedTarget): RefusedTarget {
  return { target: askedTarget(target, {}), code: error.code, detail: error.message };
}
