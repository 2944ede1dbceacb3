import type { Size } from '../../base/geometry.js';
import { weightedFit } from './weighted-fit.js';
import type { StraightEdge } from './straight-edges.js';

/** What upright edges say of how a photo is turned. */
export interface Verticals {
  /** Clockwise turn that makes the edge through the middle upright, radians. */
  readonly turn: number;
  /** How far edges at the left and right border of the photo lean apart at their upper ends, radians; negative: together. */
  readonly keystone: number;
  /** Length of the edges that agree, in heights of the photo. */
  readonly support: number;
  /** The same over the length of all nearly upright edges, 0..1. */
  readonly share: number;
  /** Columns, of `N_COLUMNS`, in which edges agree. */
  readonly nColumns: number;
  /** Standard error of the turn, radians. */
  readonly error: number;
  /** Another way to read the edges, with or without keystone, that asks for another turn. */
  readonly rival?: {
    readonly turn: number;
    /** How much agrees with it, over how much does with this one. */
    readonly votes: number;
  };
}

export const N_COLUMNS = 12;

/** Edges that lean more are not upright things seen from a camera held nearly level. */
const MAX_LEAN = (18 * Math.PI) / 180;
/** Edges agree that differ by less from what the model says of their place, radians. */
const AGREEMENT = (0.6 * Math.PI) / 180;
/** Lines of a building are smoother, pixels. */
const MAX_ROUGHNESS_PX = 0.7;
/** Pairs of the longest of them propose models. */
const MOST_PROPOSING = 60;
/** Difference of lean over the photo's width, radians: a building from its foot. */
const MAX_KEYSTONE = 0.8;
/** What a model with keystone must have more of, since it can bend itself to more edges. */
const KEYSTONE_PRICE = 1.1;

interface Lean {
  readonly x: number;
  readonly y: number;
  /** dx / dy */
  readonly slope: number;
  readonly weight: number;
}

interface Model {
  /** Slope of the edge through the middle. */
  readonly slope: number;
  /** Inverse distance of the vanishing point, 1 / px. */
  readonly pull: number;
}

/**
 * Upright edges are parallel, or run to one vanishing point above or below where the camera looks up or down: that the
 * edge through the middle of the photo is upright is what tells a level camera from a turned one. The model most length
 * agrees with is taken (RANSAC over pairs), and fitted to all that do.
 */
export function findVerticals(edges: readonly StraightEdge[], { width, height }: Size): Verticals | undefined {
  const leans = edges.flatMap(({ x, y, angle, lengthPx, roughnessPx }): Lean[] => {
    const lean = Math.PI / 2 - Math.abs(angle);
    if (lean > MAX_LEAN || roughnessPx > MAX_ROUGHNESS_PX) return [];
    return [{ x, y, slope: Math.cos(angle) / Math.sin(angle), weight: lengthPx }];
  });
  const total = leans.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return undefined;
  const proposing = [...leans].sort((a, b) => b.weight - a.weight).slice(0, MOST_PROPOSING);
  const parallel = best(
    proposing.map(({ slope }) => ({ slope, pull: 0 })),
    leans,
  )!;
  const pairs = proposing.flatMap((a, i) => proposing.slice(i + 1).flatMap((b) => through(a, b, width) ?? []));
  const converging = best(pairs, leans);
  if (!converging) return described(parallel, leans, total, { width, height });
  const isConverging = votes(converging, leans) > KEYSTONE_PRICE * votes(parallel, leans);
  const [chosen, other] = isConverging ? [converging, parallel] : [parallel, converging];
  const verticals = described(chosen, leans, total, { width, height });
  const rival = { turn: Math.atan(other.slope), votes: votes(other, leans) / votes(chosen, leans) };
  return verticals && { ...verticals, rival };
}

function described(
  proposed: Model,
  leans: readonly Lean[],
  total: number,
  { width, height }: Size,
): Verticals | undefined {
  let model = proposed;
  let error = Infinity;
  for (let round = 0; round < 4; round++) {
    const agreeing = leans.filter((lean) => Math.abs(deviation(lean, model)) < AGREEMENT);
    const fit = weightedFit(
      agreeing.map((lean) => ({
        a: 1,
        b: proposed.pull === 0 ? 0 : lean.y * lean.slope - lean.x,
        value: lean.slope,
        weight: lean.weight,
      })),
    );
    if (!fit) break;
    model = { slope: fit.a, pull: fit.b };
    error = fit.errorOfA;
  }
  const agreeing = leans.filter((lean) => Math.abs(deviation(lean, model)) < AGREEMENT);
  const support = agreeing.reduce((sum, { weight }) => sum + weight, 0);
  if (support === 0) return undefined;
  const columns = new Set(agreeing.map(({ x }) => Math.floor(N_COLUMNS * (x / width + 0.5))));
  return {
    turn: Math.atan(model.slope),
    keystone: model.pull * width,
    support: support / height,
    share: support / total,
    nColumns: columns.size,
    error,
  };
}

/** slope + pull (y m - x) = m holds for an edge of slope m through (x, y) that runs to the vanishing point. */
function deviation({ x, y, slope }: Lean, model: Model): number {
  return Math.atan(slope) - Math.atan((model.slope - model.pull * x) / (1 - model.pull * y));
}

function through(a: Lean, b: Lean, width: number): Model | undefined {
  const [ca, cb] = [a.y * a.slope - a.x, b.y * b.slope - b.x];
  if (Math.abs(ca - cb) < width / 10) return undefined;
  const pull = (a.slope - b.slope) / (ca - cb);
  const slope = a.slope - pull * ca;
  return Math.abs(pull) * width <= MAX_KEYSTONE && Math.abs(slope) <= Math.tan(MAX_LEAN) ? { slope, pull } : undefined;
}

function best(models: readonly Model[], leans: readonly Lean[]): Model | undefined {
  let chosen: Model | undefined;
  let most = 0;
  for (const model of models) {
    const sum = votes(model, leans);
    if (sum > most) [chosen, most] = [model, sum];
  }
  return chosen;
}

/** Length, less of it the less it agrees. */
function votes(model: Model, leans: readonly Lean[]): number {
  let sum = 0;
  for (const lean of leans) sum += lean.weight * Math.max(0, 1 - (deviation(lean, model) / AGREEMENT) ** 2);
  return sum;
}
