/**
 * How far answers to the same question may lie apart where the cache or the batch is in another state; measured and
 * explained in docs/reproducibility.md. By what is in F32: the weights and the cache, the weights alone, or neither (the
 * bundled model, Q8_0). Natural log-probability of a token, or of the tokens of one box together.
 */
export const NATS_APART = { unquantisedCache: 1e-4, unquantised: 1e-3, nano: 0.5 } as const;

/** The same of a candidate's score. */
export const PROBABILITY_APART = { unquantisedCache: 1e-4, nano: 0.02 } as const;

export function greatestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let greatest = 0;
  for (let i = 0; i < a.length; i++) greatest = Math.max(greatest, Math.abs(a[i]! - b[i]!));
  return greatest;
}
