import { seededRandom } from './random.js';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** `0.123 [0.100, 0.150]`; without an interval the value alone, `n/a` where there is none. */
export function figureText({
  value,
  low,
  high,
}: {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}): string {
  if (value === null) return 'n/a';
  return low === null || high === null
    ? value.toFixed(3)
    : `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
}

/** Two-sided normal quantile of 95 %. */
const Z_95 = 1.959963984540054;

/** Wilson's 95 % interval of a share, for `n` trials of which `successes` succeeded. NaN for no trials. */
export function wilsonInterval(successes: number, n: number): Interval {
  const share = successes / n;
  const z2 = Z_95 * Z_95;
  const centre = (share + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Z_95 / (1 + z2 / n)) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n));
  return { low: centre - half, high: centre + half };
}

export interface PreferenceRate extends Interval {
  readonly rate: number;
  readonly nJudged: number;
}

/** Wins over wins and losses (ties say nothing), with its Wilson 95 % interval. */
export function preferenceRate(wins: number, losses: number): PreferenceRate {
  const nJudged = wins + losses;
  return { rate: wins / nJudged, nJudged, ...wilsonInterval(wins, nJudged) };
}

/** A figure from the column sums of `n` photos' rows (a mean, an F1, a ratio). NaN where they do not determine it. */
export type Combine = (sums: readonly number[], n: number) => number;

export interface BootstrapOptions {
  readonly resamples?: number;
  readonly seed?: number;
}

/**
 * Each figure on each of `resamples` (default 2000) photo-level bootstrap samples of `rows`, one row a photo and all of
 * one length. A seed draws the same photos whatever the rows hold, so samples of two methods over the same photos are
 * paired.
 * @returns `[figure][resample]`
 */
export function bootstrapSamples(
  rows: readonly (readonly number[])[],
  figures: readonly Combine[],
  { resamples = 2000, seed = 1 }: BootstrapOptions = {},
): Float64Array[] {
  const random = seededRandom(seed);
  const nPhotos = rows.length;
  const nColumns = rows[0]?.length ?? 0;
  const table = Float64Array.from(rows.flat()); // [photo][column]
  const samples = figures.map(() => new Float64Array(resamples));
  const sums = new Float64Array(nColumns);
  for (let r = 0; r < resamples; r++) {
    sums.fill(0);
    for (let i = 0; i < nPhotos; i++) {
      const start = Math.floor(random() * nPhotos) * nColumns;
      for (let column = 0; column < nColumns; column++) sums[column]! += table[start + column]!;
    }
    const drawn = Array.from(sums);
    figures.forEach((combine, f) => (samples[f]![r] = combine(drawn, nPhotos)));
  }
  return samples;
}

/** The middle 95 % of samples (percentile bootstrap, linear between order statistics); samples that are NaN are left out. */
export function percentileInterval(samples: Float64Array): Interval {
  const sorted = samples.filter((value) => !Number.isNaN(value)).sort();
  return { low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) };
}

/** Interval of `a - b` where both samples were drawn with the same seed over the same photos. */
export function pairedInterval(a: Float64Array, b: Float64Array): Interval {
  return percentileInterval(a.map((value, i) => value - b[i]!));
}

function quantile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return NaN;
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const lower = sorted[below]!;
  const upper = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return lower + (upper - lower) * (position - below);
}
