import { unitIou, type UnitBox } from '../scoring/grid.js';
import { CUE_NAMES, type PhotoMaps } from '../maps/photo-maps.js';
import { boxSum, integralOf, newPlane, type Integral, type Plane } from '../maps/plane.js';
import { refine } from '../scoring/select.js';
import { SUBJECT_WEIGHTS } from './subject-weights.js';

/** What the photo is of. */
export interface Subject {
  readonly box: UnitBox;
  /** 0..1: IoU of the box with the one a person would draw, as far as the weights can tell. */
  readonly expectedIou: number;
}

/** The boxes weighed: every edge on a multiple of 1/12, two cells or more. */
const STEPS = 12;
const LEAST_CELLS = 2;
/** The expected IoU is taken over the likeliest boxes only: over all it costs more than everything else. */
const N_LIKELIEST = 200;

/** How far, in which steps, an edge is moved off the grid at the end; shares of a side. */
const CLOSE_STEP = 1 / 96;
const CLOSE_REACH = 4;

/** What is measured of a box on every plane, linear in the plane's values. */
export const PLANE_TERMS = ['ring', 'share', 'edges', 'middle'] as const;
/** What is measured of the box itself. */
export const BOX_TERMS =
  'logArea logArea2 width height area offX offY top bottom side touchesSides touchesTop touchesBottom logAspect logAspect2'.split(
    ' ',
  );
export const PLANE_NAMES = [...CUE_NAMES, 'saliency'] as const;
/** Depth of the ring around a box, and of the strips along its edges, as shares of the photo's sides. */
const RING = 1 / 12;
const STRIP = 1 / 24;

/**
 * Expected IoU given under a fixed ratio for keeping the whole subject, in proportion to what is kept: the free crops the
 * scorer knows seldom cut it, narrow ones must choose. On FLMS' dev half, people's 1,067 crops of a ratio a quarter or more
 * off the photo's: mean IoU with the box so chosen of that ratio .7257, without .7248 (.7266 at .1, .7211 at .4).
 */
const WORTH_OF_KEEPING = 0.2;

/** What a crop of a fixed ratio gains by how much of the subject it keeps. */
export function worthOfKeeping(subject: UnitBox, crop: UnitBox): number {
  const width = Math.min(subject[2], crop[2]) - Math.max(subject[0], crop[0]);
  const height = Math.min(subject[3], crop[3]) - Math.max(subject[1], crop[1]);
  const area = (subject[2] - subject[0]) * (subject[3] - subject[1]);
  return (WORTH_OF_KEEPING * Math.max(0, width) * Math.max(0, height)) / area;
}

export function subjectBoxes(): UnitBox[] {
  const spans: [number, number][] = [];
  for (let from = 0; from < STEPS; from++) for (let to = from + 1; to <= STEPS; to++) spans.push([from, to]);
  const boxes: UnitBox[] = [];
  for (const [x1, x2] of spans) {
    for (const [y1, y2] of spans) {
      if ((x2 - x1) * (y2 - y1) >= LEAST_CELLS) boxes.push([x1 / STEPS, y1 / STEPS, x2 / STEPS, y2 / STEPS]);
    }
  }
  return boxes;
}

/** The planes in the order of `PLANE_NAMES`. */
export function subjectPlanes(maps: PhotoMaps): Plane[] {
  return [...CUE_NAMES.map((name) => maps.cues[name]), maps.saliency];
}

/** A plane's values are averaged, but for `share`, which wants them as shares of their sum. */
export function scaleOf(term: (typeof PLANE_TERMS)[number], { data }: Plane): number {
  if (term !== 'share') return 1;
  const sum = data.reduce((total, value) => total + value, 0);
  return data.length / (sum + 1e-6 * data.length);
}

export function planeTerm(term: (typeof PLANE_TERMS)[number], integral: Integral, [x1, y1, x2, y2]: UnitBox): number {
  const inside = mean(integral, x1, y1, x2, y2);
  switch (term) {
    case 'ring': {
      const [left, top, right, bottom] = [x1 - RING, y1 - RING, x2 + RING, y2 + RING];
      const outerArea = (Math.min(1, right) - Math.max(0, left)) * (Math.min(1, bottom) - Math.max(0, top));
      const area = (x2 - x1) * (y2 - y1);
      if (outerArea - area < 1e-9) return inside;
      const around = mean(integral, left, top, right, bottom) * outerArea - inside * area;
      return inside - around / (outerArea - area);
    }
    case 'share':
      return (inside - mean(integral, 0, 0, 1, 1)) * (x2 - x1) * (y2 - y1);
    case 'edges':
      return (
        mean(integral, x1, y1, x1 + STRIP, y2) -
        mean(integral, x1 - STRIP, y1, x1, y2) +
        mean(integral, x1, y1, x2, y1 + STRIP) -
        mean(integral, x1, y1 - STRIP, x2, y1) +
        mean(integral, x2 - STRIP, y1, x2, y2) -
        mean(integral, x2, y1, x2 + STRIP, y2) +
        mean(integral, x1, y2 - STRIP, x2, y2) -
        mean(integral, x1, y2, x2, y2 + STRIP)
      );
    case 'middle': {
      const [dx, dy] = [(x2 - x1) / 4, (y2 - y1) / 4];
      return mean(integral, x1 + dx, y1 + dy, x2 - dx, y2 - dy) - inside;
    }
  }
}

/** @param aspect width over height of the photo */
export function boxTerms([x1, y1, x2, y2]: UnitBox, aspect: number): number[] {
  const [width, height] = [x2 - x1, y2 - y1];
  const logArea = Math.log(width * height);
  const logAspect = Math.log((width / height) * aspect);
  const isAt = (edge: number): number => (edge < 1e-6 ? 1 : 0);
  return [
    logArea,
    logArea ** 2,
    width,
    height,
    width * height,
    Math.abs((x1 + x2) / 2 - 0.5),
    Math.abs((y1 + y2) / 2 - 0.5),
    y1,
    1 - y2,
    Math.min(x1, 1 - x2),
    isAt(x1) + isAt(1 - x2),
    isAt(y1),
    isAt(1 - y2),
    logAspect,
    logAspect ** 2,
  ];
}

/**
 * The box a person would draw around what the photo is of: all boxes are weighed by how they lie on the saliency cues
 * (inside against around, share, contrast across the edges, middle), with weights fitted to boxes drawn by hand
 * (training/rules/subjects.py); the one of highest expected IoU is taken.
 */
export function findSubject(maps: PhotoMaps): Subject {
  const boxes = subjectBoxes();
  const score = scorerOf(maps);
  const scores = Float64Array.from(boxes, score);
  const order = Array.from(boxes.keys())
    .sort((a, b) => scores[b]! - scores[a]!)
    .slice(0, N_LIKELIEST);
  const highest = scores[order[0]!]!;
  const weights = order.map((i) => Math.exp(scores[i]! - highest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const likely = {
    boxes: order.map((i) => boxes[i]!),
    probabilities: Float64Array.from(weights, (weight) => weight / total),
  };
  const expected = (box: UnitBox): number =>
    likely.boxes.reduce((sum, other, i) => sum + likely.probabilities[i]! * unitIou(box, other), 0);
  const best = likely.boxes.reduce((a, b) => (expected(b) > expected(a) ? b : a));
  const box = closeIn(refine(best, likely), score);
  return { box, expectedIou: expected(box) };
}

/** The terms are linear in the planes: the planes are weighed and added up first, and each term read once a box. */
function scorerOf(maps: PhotoMaps): (box: UnitBox) => number {
  const planes = subjectPlanes(maps);
  const integrals = PLANE_TERMS.map((term, t) => {
    const sum = newPlane(planes[0]!.width, planes[0]!.height);
    planes.forEach((plane, p) => {
      const weight = SUBJECT_WEIGHTS.planes[t]![p]! * scaleOf(term, plane);
      for (let i = 0; i < sum.data.length; i++) sum.data[i]! += weight * plane.data[i]!;
    });
    return integralOf(sum);
  });
  const aspect = maps.size.width / maps.size.height;
  return (box) => {
    let score = 0;
    PLANE_TERMS.forEach((term, t) => (score += planeTerm(term, integrals[t]!, box)));
    boxTerms(box, aspect).forEach((value, i) => (score += SUBJECT_WEIGHTS.box[i]! * value));
    return score;
  };
}

/** Each edge to where, near by, the box scores highest: off the grid, onto the subject's outline. */
function closeIn(box: UnitBox, score: (box: UnitBox) => number): UnitBox {
  let best = box;
  let bestScore = score(box);
  for (let edge = 0; edge < 4; edge++) {
    for (let step = -CLOSE_REACH; step <= CLOSE_REACH; step++) {
      const moved = [...best] as [number, number, number, number];
      moved[edge] = Math.min(1, Math.max(0, box[edge]! + step * CLOSE_STEP));
      if (moved[2] - moved[0] < 1 / STEPS || moved[3] - moved[1] < 1 / STEPS) continue;
      const at = score(moved);
      if (at > bestScore) [best, bestScore] = [moved, at];
    }
  }
  return best;
}

/** Mean value over the part of the box that lies in the photo; 0 where there is none. */
function mean(integral: Integral, left: number, top: number, right: number, bottom: number): number {
  const [x1, y1, x2, y2] = [Math.max(0, left), Math.max(0, top), Math.min(1, right), Math.min(1, bottom)];
  const area = (x2 - x1) * (y2 - y1) * integral.width * integral.height;
  return x2 > x1 && area > 1e-9 ? boxSum(integral, x1, y1, x2, y2) / area : 0;
}
