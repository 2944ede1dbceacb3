import type { Interval } from './intervals.js';

/**
 * 95 % interval of the mean of what the values are drawn from, by Student's t: as wide as so few values make it, where
 * drawing from them again (a bootstrap) would take their scatter for known. From less than two nothing can be told: all numbers.
 */
export function meanInterval(values: readonly number[]): Interval {
  const n = values.length;
  if (n < 2) return { low: -Infinity, high: Infinity };
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const half = tQuantile(n - 1) * Math.sqrt(variance / n);
  return { low: mean - half, high: mean + half };
}

/** The t that a share of .95 lies within, of `nDegrees` (at least 1) of freedom: to 1e-9, by halving. */
export function tQuantile(nDegrees: number): number {
  let [low, high] = [0, 16]; // 12.71 with one degree
  while (high - low > 1e-9) {
    const middle = (low + high) / 2;
    if (shareWithin(middle, nDegrees) < 0.95) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Share of Student's t within -t and t: Abramowitz & Stegun 26.7.3 and 26.7.4, which are finite sums. */
function shareWithin(t: number, nDegrees: number): number {
  const angle = Math.atan(t / Math.sqrt(nDegrees));
  const [sine, square] = [Math.sin(angle), Math.cos(angle) ** 2];
  const isOdd = nDegrees % 2 === 1;
  let term = isOdd ? Math.cos(angle) : 1;
  let sum = nDegrees === 1 ? 0 : term;
  for (let i = isOdd ? 3 : 2; i < nDegrees; i += 2) {
    term *= (square * (i - 1)) / i;
    sum += term;
  }
  return isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}
