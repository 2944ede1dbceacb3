import type { Box, Size } from '../../base/geometry.js';
import type { CandidateLimits } from '../../engines/limits.js';
import { range } from '../answer/range.js';

/**
 * The boxes a candidate may be, asked for one coordinate after the other in the order they are written. Whatever is
 * allowed leads to at least one box: the sets look ahead, so the model can never be led into a dead end.
 */
export class CandidateSpace {
  readonly #limits: CandidateLimits;
  /** Frame pixels; undefined for any shape. */
  readonly #heightPerWidth: number | undefined;
  /** Boxes already proposed; a further one differs from each by at least `#leastOffset` on some edge. */
  readonly #taken: readonly Box[];
  readonly #leastOffset: number;
  /** An edge lies at the frame's side or at least this far from it. */
  readonly #leastTrim: Size;

  constructor(
    limits: CandidateLimits,
    taken: readonly Box[],
    leastOffset: number,
    leastTrim: Size = { width: 1, height: 1 },
  ) {
    this.#limits = limits;
    this.#heightPerWidth = limits.aspect && limits.aspect.height / limits.aspect.width;
    this.#taken = taken;
    this.#leastOffset = leastOffset;
    this.#leastTrim = leastTrim;
  }

  isEmpty(): boolean {
    return !this.#allLefts().some((x1) => this.#someTop(x1));
  }

  lefts(): number[] {
    return this.#allLefts().filter((x1) => this.#someTop(x1));
  }

  tops(x1: number): number[] {
    return range(0, this.#lastTop()).filter((y1) => this.#isTrim(y1, 'height') && this.#someRight(x1, y1));
  }

  rights(x1: number, y1: number): number[] {
    return range(this.#firstRight(x1), this.#limits.frame.width).filter((x2) => this.#canEndAt(x1, y1, x2));
  }

  bottoms(x1: number, y1: number, x2: number): number[] {
    const first = this.#firstBottom(x1, y1, x2);
    return range(first, this.#lastBottom(first)).filter((y2) => this.#isAllowed(x1, y1, x2, y2));
  }

  #allLefts(): number[] {
    const { frame, keep } = this.#limits;
    return range(0, Math.min(keep?.[0] ?? frame.width, frame.width - 1)).filter((x1) => this.#isTrim(x1, 'width'));
  }

  /** What lies between an edge and the frame's side is nothing, or worth trimming. */
  #isTrim(px: number, side: keyof Size): boolean {
    return px === 0 || px >= this.#leastTrim[side];
  }

  #someTop(x1: number): boolean {
    const last = this.#lastTop();
    for (let y1 = 0; y1 <= last; y1++) if (this.#isTrim(y1, 'height') && this.#someRight(x1, y1)) return true;
    return false;
  }

  /** Tries the widest boxes first: the most room for a height, so the search nearly always ends at once. */
  #someRight(x1: number, y1: number): boolean {
    if (!this.#hasRoom(x1, y1)) return false;
    const first = this.#firstRight(x1);
    for (let x2 = this.#limits.frame.width; x2 >= first; x2--) if (this.#canEndAt(x1, y1, x2)) return true;
    return false;
  }

  #canEndAt(x1: number, y1: number, x2: number): boolean {
    return this.#isTrim(this.#limits.frame.width - x2, 'width') && this.#someBottom(x1, y1, x2);
  }

  #someBottom(x1: number, y1: number, x2: number): boolean {
    const first = this.#firstBottom(x1, y1, x2);
    for (let y2 = this.#lastBottom(first); y2 >= first; y2--) if (this.#isAllowed(x1, y1, x2, y2)) return true;
    return false;
  }

  /** A quick look at the largest box from this corner, which spares the search where it cannot succeed. */
  #hasRoom(x1: number, y1: number): boolean {
    const { frame, keep, minSize } = this.#limits;
    const ratio = this.#heightPerWidth;
    const height = frame.height - y1;
    const width = ratio === undefined ? frame.width - x1 : Math.min(frame.width - x1, (height + 0.5) / ratio);
    const usedHeight = ratio === undefined ? height : Math.min(height, width * ratio + 0.5);
    return (
      width * usedHeight >= minSize * frame.width * frame.height - 1e-6 &&
      (!keep || (x1 + width >= keep[2] && y1 + usedHeight >= keep[3]))
    );
  }

  #lastTop(): number {
    const { frame, keep } = this.#limits;
    return Math.min(keep?.[1] ?? frame.height, frame.height - 1);
  }

  #firstRight(x1: number): number {
    return Math.max(x1 + 1, this.#limits.keep?.[2] ?? 0);
  }

  /** With a ratio, the only bottom there is, if it is high enough; past the frame where it is not. */
  #firstBottom(x1: number, y1: number, x2: number): number {
    const { frame, keep, minSize } = this.#limits;
    const heightPerWidth = this.#heightPerWidth;
    const leastHeight = Math.max(1, Math.ceil((minSize * frame.width * frame.height) / (x2 - x1) - 1e-9));
    const first = Math.max(y1 + leastHeight, keep?.[3] ?? 0);
    if (heightPerWidth === undefined) return first;
    const only = y1 + Math.max(1, Math.round((x2 - x1) * heightPerWidth));
    return only >= first ? only : frame.height + 1;
  }

  #lastBottom(first: number): number {
    const { frame, aspect } = this.#limits;
    return aspect === undefined ? frame.height : Math.min(first, frame.height);
  }

  #isAllowed(x1: number, y1: number, x2: number, y2: number): boolean {
    const least = this.#leastOffset;
    if (!this.#isTrim(this.#limits.frame.height - y2, 'height')) return false;
    return this.#taken.every(
      (other) =>
        Math.abs(x1 - other[0]) >= least ||
        Math.abs(y1 - other[1]) >= least ||
        Math.abs(x2 - other[2]) >= least ||
        Math.abs(y2 - other[3]) >= least,
    );
  }
}
