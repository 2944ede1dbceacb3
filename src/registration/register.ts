import { boxCentre, boxOfSize } from '../base/geometry.js';
import type { Pyramid } from './grey-picture.js';
import { refine, type Alignment } from './refine.js';
import { aboutPoint } from './similarity.js';

/** Shifts tried either way, as a share of each side. */
const MOST_SHIFT = 0.35;
/** Of the shifts that look likely, so many are followed up. */
const N_STARTS = 3;
/** Two likely shifts are this far apart, in pixels of the coarsest level, or one. */
const APART_PX = 3;

/**
 * Lays one photo of a burst over another: by every shift at a coarse size, then from the likeliest by shift, scale and turn.
 * The best there is, however bad: whether the two show the same is for the caller to say by its likeness.
 */
export function register(first: Pyramid, second: Pyramid): Alignment {
  const centre = boxCentre(boxOfSize(first.photo));
  const scale = Math.max(second.photo.width / first.photo.width, second.photo.height / first.photo.height);
  const toCentre = boxCentre(boxOfSize(second.photo));
  const found = likelyShifts(first, second).map(([x, y]) => {
    const to = [toCentre[0] + x * second.levels[0]!.stepX, toCentre[1] + y * second.levels[0]!.stepY] as const;
    return refine(first, second, aboutPoint(centre, to, scale, 0));
  });
  return found.reduce((a, b) => (worth(b) > worth(a) ? b : a));
}

/** A small piece of a photo finds something like it anywhere. */
function worth({ likeness, overlap }: Alignment): number {
  return likeness * Math.sqrt(overlap);
}

/** In pixels of the second's coarsest level, the likeliest first. */
function likelyShifts(first: Pyramid, second: Pyramid): readonly (readonly [number, number])[] {
  const [one, other] = [first.levels[0]!.detail, second.levels[0]!.detail];
  const { width, height } = other;
  const [mostX, mostY] = [Math.floor(MOST_SHIFT * width), Math.floor(MOST_SHIFT * height)];
  const tried: { readonly shift: readonly [number, number]; readonly worth: number }[] = [];
  for (let y = -mostY; y <= mostY; y++) {
    for (let x = -mostX; x <= mostX; x++) tried.push({ shift: [x, y], worth: shiftedProduct(one, other, x, y) });
  }
  const likely: (readonly [number, number])[] = [];
  for (const { shift } of tried.sort((a, b) => b.worth - a.worth)) {
    const isNew = likely.every(([x, y]) => Math.hypot(x - shift[0], y - shift[1]) >= APART_PX);
    if (isNew) likely.push(shift);
    if (likely.length === N_STARTS) break;
  }
  return likely;
}

/** Correlation of two pictures of one size where they overlap, one shifted by whole pixels; less where they overlap less. */
function shiftedProduct(one: PlaneLike, other: PlaneLike, shiftX: number, shiftY: number): number {
  const width = Math.min(one.width, other.width);
  const height = Math.min(one.height, other.height);
  let [products, squaresOne, squaresOther, n] = [0, 0, 0, 0];
  for (let y = Math.max(0, -shiftY); y < Math.min(height, height - shiftY); y++) {
    for (let x = Math.max(0, -shiftX); x < Math.min(width, width - shiftX); x++) {
      const a = one.data[y * one.width + x]!;
      const b = other.data[(y + shiftY) * other.width + x + shiftX]!;
      products += a * b;
      squaresOne += a * a;
      squaresOther += b * b;
      n++;
    }
  }
  return (products / Math.sqrt(squaresOne * squaresOther + 1e-9)) * Math.sqrt(n / (width * height));
}

type PlaneLike = Pyramid['levels'][number]['detail'];
