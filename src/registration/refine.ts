import { boxCentre, boxOfSize, type Box } from '../base/geometry.js';
import type { Level, Pyramid } from './grey-picture.js';
import { solve } from './solve.js';
import { aboutPoint, movedPoint, type Similarity } from './similarity.js';

/** How well one picture lies over another. */
export interface Alignment {
  /** From pixels of the first photo to those of the second. */
  readonly similarity: Similarity;
  /** Correlation of the two where they overlap, -1..1. */
  readonly likeness: number;
  /** Share of the first (or of the window in it) that lies in the second, 0..1. */
  readonly overlap: number;
}

export interface RefineOptions {
  /** Of the first photo, in its pixels: only what is in there is laid over. Default: all of it. */
  readonly window?: Box;
  /** How many of the pyramid's levels to go through, from the finest. Default: all. */
  readonly nLevels?: number;
  /** Whether the one may be turned against the other. Default true. */
  readonly mayTurn?: boolean;
}

const STEPS = 12;
/** In pixels of the level. */
const SMALL_STEP_PX = 0.01;

/**
 * Gauss-Newton on the difference of the two pictures over shift, scale and turn, with their contrast and brightness as
 * unknowns beside (Lucas and Kanade, as Baker and Matthews 2004 write it); pixels that differ much count less, so that what
 * moves in front of a still background does not draw it along. From the coarsest level to the finest.
 */
export function refine(first: Pyramid, second: Pyramid, start: Similarity, options: RefineOptions = {}): Alignment {
  const { nLevels = first.levels.length } = options;
  let similarity = start;
  const from = first.levels.length - nLevels;
  for (let i = Math.max(0, from); i < first.levels.length; i++) {
    const other = second.levels[Math.min(i, second.levels.length - 1)]!;
    similarity = refineAt({ one: first.levels[i]!, other }, first, similarity, options);
  }
  const finest = { one: first.levels.at(-1)!, other: second.levels.at(-1)! };
  return { similarity, ...correlation(finest, similarity, options.window ?? boxOfSize(first.photo)) };
}

interface Pair {
  readonly one: Level;
  readonly other: Level;
}

function refineAt(
  pair: Pair,
  { photo }: Pyramid,
  start: Similarity,
  { window = boxOfSize(photo), mayTurn = true }: RefineOptions,
): Similarity {
  const unit = Math.max(window[2] - window[0], window[3] - window[1]);
  const centre = boxCentre(window);
  let similarity = start;
  for (let step = 0; step < STEPS; step++) {
    const change = stepFrom(pair, similarity, window, unit, mayTurn);
    if (!change) return similarity;
    const [cos, sin, x, y] = change;
    const [toX, toY] = movedPoint(centre, similarity);
    const next = aboutPoint(
      centre,
      [toX + x * unit, toY + y * unit],
      similarity.scaleCos + cos,
      similarity.scaleSin + sin,
    );
    similarity = next;
    const movedPx = (unit * Math.max(...change.map(Math.abs))) / pair.other.stepX;
    if (movedPx < SMALL_STEP_PX) break;
  }
  return similarity;
}

/** Unknowns: scaleCos, scaleSin, the middle's place across and down (in units), contrast, brightness. */
const N_UNKNOWNS = 6;

/** What to add to scaleCos, scaleSin and, in units, to where the window's middle comes to lie; undefined where nothing tells. */
function stepFrom(
  { one, other }: Pair,
  similarity: Similarity,
  window: Box,
  unit: number,
  mayTurn: boolean,
): readonly [number, number, number, number] | undefined {
  const [centreX, centreY] = boxCentre(window);
  const seen = samples({ one, other }, similarity, window);
  if (seen.n < 4 * N_UNKNOWNS) return undefined;
  const { contrast, brightness, meanError } = fit(seen);
  const normal = new Float64Array(N_UNKNOWNS * N_UNKNOWNS);
  const right = new Float64Array(N_UNKNOWNS);
  const row = new Float64Array(N_UNKNOWNS);
  for (let i = 0; i < seen.n; i++) {
    const error = seen.one[i]! - contrast * seen.other[i]! - brightness;
    const weight = 1 / (1 + (error / (2 * meanError + 1e-9)) ** 2);
    const gx = (contrast * seen.gradientX[i]! * unit) / other.stepX;
    const gy = (contrast * seen.gradientY[i]! * unit) / other.stepY;
    const [dx, dy] = [(seen.x[i]! - centreX) / unit, (seen.y[i]! - centreY) / unit];
    row[0] = gx * dx + gy * dy;
    row[1] = mayTurn ? gy * dx - gx * dy : 0;
    row[2] = gx;
    row[3] = gy;
    row[4] = seen.other[i]!;
    row[5] = 1;
    for (let a = 0; a < N_UNKNOWNS; a++) {
      const weighted = weight * row[a]!;
      right[a]! += weighted * error;
      for (let b = a; b < N_UNKNOWNS; b++) normal[a * N_UNKNOWNS + b]! += weighted * row[b]!;
    }
  }
  for (let a = 0; a < N_UNKNOWNS; a++) {
    for (let b = 0; b < a; b++) normal[a * N_UNKNOWNS + b] = normal[b * N_UNKNOWNS + a]!;
  }
  if (!mayTurn) normal[N_UNKNOWNS + 1] = 1;
  const found = solve(normal, right);
  return found && [found[0]!, found[1]!, found[2]!, found[3]!];
}

interface Samples {
  n: number;
  readonly one: Float32Array;
  readonly other: Float32Array;
  readonly gradientX: Float32Array;
  readonly gradientY: Float32Array;
  /** In pixels of the first photo. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** Pixels of the window, in the second or not. */
  nWindow: number;
}

/** Both pictures at the pixels of the first that lie in the window and in the second. */
function samples({ one, other }: Pair, similarity: Similarity, [x1, y1, x2, y2]: Box): Samples {
  const { width, height, data } = one.detail;
  const columns = [Math.max(0, Math.round(x1 / one.stepX)), Math.min(width, Math.round(x2 / one.stepX))] as const;
  const rows = [Math.max(0, Math.round(y1 / one.stepY)), Math.min(height, Math.round(y2 / one.stepY))] as const;
  const most = Math.max(0, columns[1] - columns[0]) * Math.max(0, rows[1] - rows[0]);
  const floats = (): Float32Array => new Float32Array(most);
  const seen: Samples = {
    n: 0,
    nWindow: most,
    one: floats(),
    other: floats(),
    gradientX: floats(),
    gradientY: floats(),
    x: floats(),
    y: floats(),
  };
  const { width: otherWidth, height: otherHeight } = other.detail;
  for (let row = rows[0]; row < rows[1]; row++) {
    const y = (row + 0.5) * one.stepY;
    for (let column = columns[0]; column < columns[1]; column++) {
      const x = (column + 0.5) * one.stepX;
      const [toX, toY] = movedPoint([x, y], similarity);
      const [u, v] = [toX / other.stepX - 0.5, toY / other.stepY - 0.5];
      if (!(u >= 0 && v >= 0 && u <= otherWidth - 1 && v <= otherHeight - 1)) continue;
      const [column0, row0] = [Math.min(otherWidth - 2, Math.floor(u)), Math.min(otherHeight - 2, Math.floor(v))];
      const [fx, fy] = [u - column0, v - row0];
      const at = row0 * otherWidth + column0;
      const between = (plane: Float32Array): number =>
        (1 - fy) * ((1 - fx) * plane[at]! + fx * plane[at + 1]!) +
        fy * ((1 - fx) * plane[at + otherWidth]! + fx * plane[at + otherWidth + 1]!);
      seen.one[seen.n] = data[row * width + column]!;
      seen.other[seen.n] = between(other.detail.data);
      seen.gradientX[seen.n] = between(other.gradientX);
      seen.gradientY[seen.n] = between(other.gradientY);
      seen.x[seen.n] = x;
      seen.y[seen.n] = y;
      seen.n++;
    }
  }
  return seen;
}

interface Moments {
  readonly meanOne: number;
  readonly meanOther: number;
  readonly varianceOne: number;
  readonly varianceOther: number;
  readonly covariance: number;
}

function moments({ n, one, other }: Samples): Moments {
  let [sumOne, sumOther, squaresOne, squaresOther, products] = [0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [a, b] = [one[i]!, other[i]!];
    sumOne += a;
    sumOther += b;
    squaresOne += a * a;
    squaresOther += b * b;
    products += a * b;
  }
  const [meanOne, meanOther] = [sumOne / n, sumOther / n];
  return {
    meanOne,
    meanOther,
    varianceOne: squaresOne / n - meanOne ** 2,
    varianceOther: squaresOther / n - meanOther ** 2,
    covariance: products / n - meanOne * meanOther,
  };
}

/** The first as contrast times the second plus brightness. */
function fit(seen: Samples): { readonly contrast: number; readonly brightness: number; readonly meanError: number } {
  const { meanOne, meanOther, varianceOther, covariance } = moments(seen);
  // Pictures that do not lie over each other yet have next to nothing in common, and would stay where they are.
  const contrast = Math.max(0.5, covariance / (varianceOther + 1e-9));
  const brightness = meanOne - contrast * meanOther;
  let sum = 0;
  for (let i = 0; i < seen.n; i++) sum += Math.abs(seen.one[i]! - contrast * seen.other[i]! - brightness);
  return { contrast, brightness, meanError: sum / seen.n };
}

/** How alike the two are where the first, so laid, overlaps the second. */
export function correlation(pair: Pair, similarity: Similarity, window: Box): Pick<Alignment, 'likeness' | 'overlap'> {
  const seen = samples(pair, similarity, window);
  if (seen.n === 0) return { likeness: 0, overlap: 0 };
  const { varianceOne, varianceOther, covariance } = moments(seen);
  return { likeness: covariance / Math.sqrt(varianceOne * varianceOther + 1e-12), overlap: seen.n / seen.nWindow };
}
