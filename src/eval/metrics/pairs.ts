import type { JudgedPair } from '../datasets/types.js';

/**
 * FCDB's swap accuracy of one photo: the share of its judged pairs whose crop of more votes is also predicted higher.
 * Equal predictions are half right, as a coin would be. `predicted` holds two numbers a pair, in the pairs' order.
 */
export function swapAccuracy(pairs: readonly JudgedPair[], predicted: readonly number[]): number {
  let right = 0;
  pairs.forEach(({ votes }, i) => {
    const difference = (predicted[2 * i]! - predicted[2 * i + 1]!) * Math.sign(votes[0] - votes[1]);
    right += difference > 0 ? 1 : difference === 0 ? 0.5 : 0;
  });
  return right / pairs.length;
}
