import { FramewrightError } from '../../base/errors.js';
import type { Size } from '../../base/geometry.js';
import type { AnswerTokens } from '../../vlm/answer/answer-tokens.js';
import type { SharedTarget } from './pieces.js';

export interface Coordinate {
  readonly value: number;
  readonly axis: 'x' | 'y';
}

/** Standard deviations from a coordinate at which its neighbours end: what lies beyond has a twentieth of a percent. */
const REACH = 3.5;

/**
 * The numbers beside a coordinate that are as good as it in part, by a normal distribution: so one example teaches a place,
 * where it would else teach one token among hundreds that the model knows no order of. The frame's own sides are no places
 * but the absence of a cut: they stand alone, and no other number shares in them.
 */
export class Neighbours {
  readonly #tokens: AnswerTokens;
  readonly #spread: number;

  /**
   * @param spread standard deviation in pixels of the frame, above 0
   * @throws FramewrightError USAGE for a model that writes numbers in digits
   */
  constructor(tokens: AnswerTokens, spread: number) {
    this.#tokens = tokens;
    this.#spread = spread;
    if (tokens.integer(100).length > 1)
      throw new FramewrightError(
        'USAGE',
        'the model writes numbers in digits, whose neighbours are no neighbours of theirs: leave out the spread',
      );
  }

  /** Undefined where it stands alone. */
  of({ value, axis }: Coordinate, frame: Size): readonly SharedTarget[] | undefined {
    const side = axis === 'x' ? frame.width : frame.height;
    if (value <= 0 || value >= side) return undefined;
    const reach = Math.ceil(REACH * this.#spread);
    const weights: { readonly token: number; readonly weight: number }[] = [];
    for (let other = Math.max(1, value - reach); other <= Math.min(side - 1, value + reach); other++) {
      const weight = Math.exp(-(((other - value) / this.#spread) ** 2) / 2);
      const [token, ...rest] = this.#tokens.integer(other);
      if (rest.length === 0) weights.push({ token: token!, weight });
    }
    const total = weights.reduce((sum, { weight }) => sum + weight, 0);
    return weights.map(({ token, weight }) => ({ token, share: weight / total }));
  }
}
