import { seededRandom } from './random.js';

export interface Interval {
  readonly low: number;
  readonly high: number;
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

/** What a figure is made of: one row a photo, summed and then combined (a mean, an F1, a ratio). */
export interface SummedStatistic {
  readonly rows: readonly (readonly number[])[];
  /** `n` photos were summed. NaN where they do not determine the figure. */
  readonly combine: (sums: readonly number[], n: number) => number;
}

export interface BootstrapOptions {
  readonly resamples?: number;
  readonly seed?: number;
}

/**
 * Each figure on each of `resamples` (default 2000) photo-level bootstrap samples; all statistics have a row for every
 * photo, in one order. A seed draws the same photos whatever the statistics, so samples of two methods over the same
 * photos are paired.
 */
export function bootstrapSamples(
  statistics: readonly SummedStatistic[],
  { resamples = 2000, seed = 1 }: BootstrapOptions = {},
): Float64Array[] {
  const random = seededRandom(seed);
  const nPhotos = statistics[0]?.rows.length ?? 0;
  const widths = statistics.map(({ rows }) => rows[0]?.length ?? 0);
  const width = widths.reduce((sum, own) => sum + own, 0);
  const table = new Float64Array(nPhotos * width); // [photo][statistic's own columns, one statistic after the other]
  for (let photo = 0; photo < nPhotos; photo++) {
    table.set(
      statistics.flatMap(({ rows }) => rows[photo]!),
      photo * width,
    );
  }
  const samples = statistics.map(() => new Float64Array(resamples));
  const sums = new Float64Array(width);
  for (let r = 0; r < resamples; r++) {
    sums.fill(0);
    for (let i = 0; i < nPhotos; i++) {
      const start = Math.floor(random() * nPhotos) * width;
      for (let j = 0; j < width; j++) sums[j]! += table[start + j]!;
    }
    let offset = 0;
    statistics.forEach(({ combine }, s) => {
      samples[s]![r] = combine([...sums.subarray(offset, offset + widths[s]!)], nPhotos);
      offset += widths[s]!;
    });
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
