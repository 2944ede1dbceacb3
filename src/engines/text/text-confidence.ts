import type { Chain } from './chains.js';
import { evidenceOf, type Evidence } from './evidence.js';

/** How much a value speaks for text (negative: against it) once it has come from one end to the other. */
interface Weight {
  readonly of: keyof Evidence;
  readonly from: number;
  readonly to: number;
  readonly weight: number;
}

const WEIGHTS: readonly Weight[] = [{ of: 'nGlyphs', from: 4, to: 10, weight: 0 }];
const BIAS = 0;

/** How sure it is that a chain is text, 0..1. */
export function textConfidence(chain: Chain): number {
  const evidence = evidenceOf(chain);
  let sum = BIAS;
  for (const { of, from, to, weight } of WEIGHTS) {
    sum += weight * Math.max(0, Math.min(1, (evidence[of] - from) / (to - from)));
  }
  return 1 / (1 + Math.exp(-sum));
}
