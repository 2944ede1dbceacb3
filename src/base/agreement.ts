/**
 * Krippendorff's alpha for nominal data: how far raters agree beyond chance, 1 entirely, 0 as if by chance, below 0 less than
 * that. Any number of raters, who need not all have rated every unit (K. Krippendorff, Computing Krippendorff's
 * Alpha-Reliability, 2011).
 *
 * @param units the ratings of each unit, in any order; units with fewer than two say nothing
 * @returns null where nothing can be compared, or all ratings are the same
 */
export function krippendorffAlpha(units: readonly (readonly string[])[]): number | null {
  const paired = units.filter((ratings) => ratings.length >= 2);
  const totals = new Map<string, number>();
  let nRatings = 0;
  let observed = 0; // disagreeing pairs of ratings within units, each unit's pairs weighed by 1 / (ratings - 1)
  for (const ratings of paired) {
    const counts = new Map<string, number>();
    for (const rating of ratings) {
      counts.set(rating, (counts.get(rating) ?? 0) + 1);
      totals.set(rating, (totals.get(rating) ?? 0) + 1);
    }
    const m = ratings.length;
    nRatings += m;
    observed += (m * m - sumOfSquares(counts)) / (m - 1);
  }
  const expected = (nRatings * nRatings - sumOfSquares(totals)) / (nRatings - 1);
  return paired.length === 0 || expected === 0 ? null : 1 - observed / expected;
}

function sumOfSquares(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, n) => sum + n * n, 0);
}
