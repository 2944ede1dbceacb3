import {
  boxArea,
  boxOfSize,
  clamp,
  contains,
  isCut,
  overlapArea,
  rectOfBox,
  unionOf,
  type Aspect,
  type Box,
  type Size,
} from '../base/geometry.js';
import { sizesOfAspect } from './crop-rectangle.js';

/** What a crop is held to while its edges are moved off text; pixels of the upright photo. */
export interface WholeTextLimits {
  readonly photo: Size;
  /** Free-form without. */
  readonly aspect?: Aspect;
  /** As far as the crop holds these now, it does so after. */
  readonly keep: readonly Box[];
  /** Least area of the crop, as a share of the photo's. */
  readonly minSize: number;
}

/** As far as an edge is moved, as a share of the crop's side: more would make another crop of it. */
export const MOST_MOVED = 0.15;

/** Where each edge may lie: left, top, right, bottom; both ends included. */
interface Bounds {
  readonly low: Box;
  readonly high: Box;
}

/** Edges within bounds, and what led to them. */
interface Course {
  readonly bounds: Bounds;
  readonly box: Box;
  /** Lines that lay inside for their larger part, and are to lie outside. */
  readonly given: readonly Box[];
  /** How far the edges are moved, as shares of the sides. */
  readonly moved: number;
}

/** A page of print has more ways to lie around its lines than are worth looking at. */
const MOST_COURSES = 2000;

/** The crops near one, searched for the nearest that cuts no text. */
export class NearCrops {
  readonly #box: Box;
  readonly #limits: WholeTextLimits;
  readonly #bounds: Bounds;
  /** Sizes that are tried together, one group after the other; none without a ratio. */
  readonly #sizes: readonly (readonly Size[])[] | undefined;

  constructor(box: Box, limits: WholeTextLimits) {
    this.#box = box;
    this.#limits = limits;
    this.#bounds = boundsAround(box, limits);
    const { aspect } = limits;
    const { width, height } = rectOfBox(box);
    this.#sizes = aspect && [[{ width, height }], this.#nearSizes(aspect, { width, height })];
  }

  /**
   * The lines may be given in several ways, the best first; undefined where none of them are left whole. Rather than that a
   * line whose larger part is inside is left out, the other ways and sizes are tried.
   */
  nearest(...ways: readonly (readonly Box[])[]): Box | undefined {
    for (const mayGive of [false, true]) {
      for (const lines of ways) {
        for (const sizes of this.#sizes ?? [undefined]) {
          const found = this.#search(lines, sizes, mayGive);
          if (found) return found;
        }
      }
    }
    return undefined;
  }

  /** Best first: each line in the way is taken in, or left out on one of four sides. */
  #search(lines: readonly Box[], sizes: readonly Size[] | undefined, mayGive: boolean): Box | undefined {
    const inside = lines.filter((line) => overlapArea(line, this.#box) > boxArea(line) / 2);
    const open: Course[] = [];
    const add = (bounds: Bounds, given: readonly Box[]): void => {
      const box = this.#within(bounds, sizes);
      if (box) open.push({ bounds, box, given, moved: this.#movedBy(box) });
    };
    add(this.#bounds, []);
    for (let n = 0; n < MOST_COURSES && open.length > 0; n++) {
      const course = takeBest(open);
      const { box, bounds, given } = course;
      const inTheWay = lines.find(
        (line) => isCut(line, box) || (inside.includes(line) && !contains(box, line) && !given.includes(line)),
      );
      if (!inTheWay) return box;
      if (!given.includes(inTheWay)) add(holding(inTheWay, bounds), given);
      const gives = inside.includes(inTheWay) && !given.includes(inTheWay);
      if (gives && !mayGive) continue;
      const without = gives ? [...given, inTheWay] : given;
      for (const side of [0, 1, 2, 3] as const) add(besides(inTheWay, side, bounds), without);
    }
    return undefined;
  }

  /** The nearest crop within bounds. */
  #within({ low, high }: Bounds, sizes: readonly Size[] | undefined): Box | undefined {
    if (low.some((edge, side) => edge > high[side]!)) return undefined;
    const nearest = (side: 0 | 1 | 2 | 3): number => clamp(this.#box[side], low[side], high[side]);
    if (!sizes) {
      const box: Box = [nearest(0), nearest(1), nearest(2), nearest(3)];
      return this.#isLargeEnough(rectOfBox(box)) ? box : undefined;
    }
    let best: Box | undefined;
    for (const size of sizes) {
      const x = this.#start(0, size.width, low, high);
      const y = this.#start(1, size.height, low, high);
      if (x === undefined || y === undefined) continue;
      const box: Box = [x, y, x + size.width, y + size.height];
      if (!best || this.#movedBy(box) < this.#movedBy(best)) best = box;
    }
    return best;
  }

  #start(side: 0 | 1, length: number, low: Box, high: Box): number | undefined {
    const first = Math.max(low[side], low[side + 2]! - length);
    const last = Math.min(high[side], high[side + 2]! - length);
    if (first > last) return undefined;
    return clamp(Math.round((this.#box[side] + this.#box[side + 2]! - length) / 2), first, last);
  }

  #movedBy(box: Box): number {
    const { width, height } = rectOfBox(this.#box);
    const by = (side: number): number => Math.abs(box[side]! - this.#box[side]!);
    return (by(0) + by(2)) / width + (by(1) + by(3)) / height;
  }

  #isLargeEnough({ width, height }: Size): boolean {
    const { photo, minSize } = this.#limits;
    return width >= 1 && height >= 1 && width * height >= minSize * photo.width * photo.height;
  }

  #nearSizes(aspect: Aspect, now: Size): Size[] {
    const most = 1 + 2 * MOST_MOVED;
    return sizesOfAspect(aspect, this.#limits.photo).filter(
      (size) => size.width <= most * now.width && now.width <= most * size.width && this.#isLargeEnough(size),
    );
  }
}

function takeBest(open: Course[]): Course {
  let at = 0;
  open.forEach((course, i) => {
    const [nGiven, nBest] = [course.given.length, open[at]!.given.length];
    if (nGiven < nBest || (nGiven === nBest && course.moved < open[at]!.moved)) at = i;
  });
  const [best] = open.splice(at, 1);
  return best!;
}

function boundsAround(box: Box, { photo, keep }: WholeTextLimits): Bounds {
  const { width, height } = rectOfBox(box);
  const [across, down] = [Math.floor(MOST_MOVED * width), Math.floor(MOST_MOVED * height)];
  const held = unionOf(keep) ?? box;
  const [left, top, right, bottom] = box;
  const all = boxOfSize(photo);
  return {
    low: [
      Math.max(all[0], left - across),
      Math.max(all[1], top - down),
      Math.max(right - across, keep.length > 0 ? Math.min(right, held[2]) : 0),
      Math.max(bottom - down, keep.length > 0 ? Math.min(bottom, held[3]) : 0),
    ],
    high: [
      Math.min(left + across, keep.length > 0 ? Math.max(left, held[0]) : photo.width),
      Math.min(top + down, keep.length > 0 ? Math.max(top, held[1]) : photo.height),
      Math.min(all[2], right + across),
      Math.min(all[3], bottom + down),
    ],
  };
}

function holding([x1, y1, x2, y2]: Box, { low, high }: Bounds): Bounds {
  return {
    low: [low[0], low[1], Math.max(low[2], x2), Math.max(low[3], y2)],
    high: [Math.min(high[0], x1), Math.min(high[1], y1), high[2], high[3]],
  };
}

/** The line outside, beyond the left, top, right or bottom edge. */
function besides(line: Box, side: 0 | 1 | 2 | 3, { low, high }: Bounds): Bounds {
  const moved = (box: Box, to: number): Box => {
    const edges: [number, number, number, number] = [...box];
    edges[side] = to;
    return edges;
  };
  return side < 2
    ? { low: moved(low, Math.max(low[side], line[side + 2]!)), high }
    : { low, high: moved(high, Math.min(high[side], line[side - 2]!)) };
}
