import type { Box, Size } from '../geometry.js';
import { range } from './range.js';

export interface CandidateLimits {
  readonly frame: Size;
  /** Height divided by width, in frame pixels (the frame's pixels need not be square photo pixels). Free without. */
  readonly heightPerWidth?: number;
  /** Smallest box every candidate holds, in the frame. */
  readonly keep?: Box;
  /** Least area, as a share of the frame's, 0..1. */
  readonly minShare: number;
}

/**
 * The boxes a candidate may be, asked for one coordinate after the other in the order they are written. Whatever is
 * allowed leads to at least one box: the sets look ahead, so the model can never be led into a dead end.
 */
export class CandidateSpace {
  readonly #limits: CandidateLimits;
  /** Boxes already proposed; a further one differs from each by at least `#leastOffset` on some edge. */
  readonly #taken: readonly Box[];
  readonly #leastOffset: number;

  constructor(limits: CandidateLimits, taken: readonly Box[], leastOffset: number) {
    this.#limits = limits;
    this.#taken = taken;
    this.#leastOffset = leastOffset;
  }

  lefts(): number[] {
    const { frame, keep } = this.#limits;
    const [top, bottom] = this.#topBounds();
    return range(0, Math.min(keep?.[0] ?? frame.width, frame.width - 1)).filter((x1) => {
      for (let y1 = top; y1 <= bottom; y1++) if (this.#someRight(x1, y1)) return true;
      return false;
    });
  }

  tops(x1: number): number[] {
    return range(...this.#topBounds()).filter((y1) => this.#someRight(x1, y1));
  }

  rights(x1: number, y1: number): number[] {
    return range(...this.#rightBounds(x1)).filter((x2) => this.#someBottom(x1, y1, x2));
  }

  bottoms(x1: number, y1: number, x2: number): number[] {
    return range(...this.#bottomBounds(x1, y1, x2)).filter((y2) => this.#isAllowed(x1, y1, x2, y2));
  }

  /** Tries the widest boxes first: the most room for a height, so the search nearly always ends at once. */
  #someRight(x1: number, y1: number): boolean {
    if (!this.#hasRoom(x1, y1)) return false;
    const [first, last] = this.#rightBounds(x1);
    for (let x2 = last; x2 >= first; x2--) if (this.#someBottom(x1, y1, x2)) return true;
    return false;
  }

  #someBottom(x1: number, y1: number, x2: number): boolean {
    const [first, last] = this.#bottomBounds(x1, y1, x2);
    for (let y2 = last; y2 >= first; y2--) if (this.#isAllowed(x1, y1, x2, y2)) return true;
    return false;
  }

  /** A quick look at the largest box from this corner, which spares the search where it cannot succeed. */
  #hasRoom(x1: number, y1: number): boolean {
    const { frame, keep, heightPerWidth: ratio, minShare } = this.#limits;
    const height = frame.height - y1;
    const width = ratio === undefined ? frame.width - x1 : Math.min(frame.width - x1, (height + 0.5) / ratio);
    const usedHeight = ratio === undefined ? height : Math.min(height, width * ratio + 0.5);
    return (
      width * usedHeight >= minShare * frame.width * frame.height - 1e-6 &&
      (!keep || (x1 + width >= keep[2] && y1 + usedHeight >= keep[3]))
    );
  }

  #topBounds(): Bounds {
    const { frame, keep } = this.#limits;
    return [0, Math.min(keep?.[1] ?? frame.height, frame.height - 1)];
  }

  #rightBounds(x1: number): Bounds {
    const { frame, keep } = this.#limits;
    return [Math.max(x1 + 1, keep?.[2] ?? 0), frame.width];
  }

  #bottomBounds(x1: number, y1: number, x2: number): Bounds {
    const { frame, keep, heightPerWidth, minShare } = this.#limits;
    const leastHeight = Math.max(1, Math.ceil((minShare * frame.width * frame.height) / (x2 - x1) - 1e-9));
    const first = Math.max(y1 + leastHeight, keep?.[3] ?? 0);
    if (heightPerWidth === undefined) return [first, frame.height];
    const only = y1 + Math.max(1, Math.round((x2 - x1) * heightPerWidth));
    return only >= first && only <= frame.height ? [only, only] : [1, 0];
  }

  #isAllowed(...box: Box): boolean {
    return this.#taken.every((other) => box.some((edge, i) => Math.abs(edge - other[i]!) >= this.#leastOffset));
  }
}

/** First and last, both inclusive; empty where last < first. */
type Bounds = readonly [first: number, last: number];
