/** Top crops returned, K of `Acc_K/N`. */
export const RETURNED_CROPS = [1, 2, 3, 4] as const;
/** How far `wAcc_K/N` lets a returned crop fall before it counts little (Zeng et al. 2020, section 3.4). */
const RANK_PENALTY = { 5: 0.2, 10: 0.1 } as const;
export type BestCrops = keyof typeof RANK_PENALTY;
export const BEST_CROPS: readonly BestCrops[] = [5, 10];

/**
 * `Acc_K/N` for K = 1..4: the share of the K crops predicted best whose MOS reaches the N-th best MOS. Crops of equal
 * prediction keep their order, so `mos` and `predicted` come in an order that tells nothing of the MOS
 * (`RankingPhoto.crops`).
 */
export function topAccuracy(mos: readonly number[], predicted: readonly number[], n: BestCrops): number[] {
  const byMos = [...mos].sort((a, b) => b - a);
  const threshold = byMos[Math.min(n, byMos.length) - 1] ?? Infinity;
  const ranked = descendingOrder(predicted);
  return RETURNED_CROPS.map((k) => ranked.slice(0, k).filter((crop) => mos[crop]! >= threshold).length / k);
}

/**
 * `wAcc_K/N` for K = 1..4: with the 0-based ranks r_1 <= r_2 ... that the K crops predicted best have in the order of
 * MOS, the sum of exp(-beta (r_j - j)) over those among the best N, divided by K.
 */
export function weightedTopAccuracy(mos: readonly number[], predicted: readonly number[], n: BestCrops): number[] {
  const rankOf = new Array<number>(mos.length);
  descendingOrder(mos).forEach((crop, rank) => (rankOf[crop] = rank));
  const ranked = descendingOrder(predicted);
  return RETURNED_CROPS.map((k) => {
    const ranks = ranked
      .slice(0, k)
      .map((crop) => rankOf[crop]!)
      .sort((a, b) => a - b);
    const weights = ranks.map((rank, j) => (rank <= n - 1 ? Math.exp(-RANK_PENALTY[n] * (rank - j)) : 0));
    return weights.reduce((sum, weight) => sum + weight, 0) / k;
  });
}

/** Indices by falling value; equal values keep their order. */
function descendingOrder(values: readonly number[]): number[] {
  return values.map((_, i) => i).sort((a, b) => values[b]! - values[a]!);
}
