import { MOMENT_CUES, N_CUES, type FeatureContext } from './feature-context.js';
import { lineNames, lines, subjectNames, subjects } from './feature-findings.js';
import { areaOf, SIDES, toThird, type NameSink, type Sink } from './feature-parts.js';
import type { UnitBox } from './grid.js';
import { boxSum, type Integral } from '../maps/plane.js';
import { CUE_NAMES } from '../maps/photo-maps.js';

/** Depth of the strips along a box's sides, as a share of the box. */
const STRIP = 0.1;

interface Strips {
  readonly inside: readonly UnitBox[];
  /** Just outside; empty where the box touches the photo's side. */
  readonly outside: readonly UnitBox[];
  /** All the photo beyond the side. */
  readonly beyond: readonly UnitBox[];
}

function stripsOf([x1, y1, x2, y2]: UnitBox): Strips {
  const dx = STRIP * (x2 - x1);
  const dy = STRIP * (y2 - y1);
  return {
    inside: [
      [x1, y1, x1 + dx, y2],
      [x1, y1, x2, y1 + dy],
      [x2 - dx, y1, x2, y2],
      [x1, y2 - dy, x2, y2],
    ],
    outside: [
      [Math.max(0, x1 - dx), y1, x1, y2],
      [x1, Math.max(0, y1 - dy), x2, y1],
      [x2, y1, Math.min(1, x2 + dx), y2],
      [x1, y2, x2, Math.min(1, y2 + dy)],
    ],
    beyond: [
      [0, 0, x1, 1],
      [0, 0, 1, y1],
      [x2, 0, 1, 1],
      [0, y2, 1, 1],
    ],
  };
}

const sum = (integral: Integral, box: UnitBox): number => boxSum(integral, box[0], box[1], box[2], box[3]);

function geometry(context: FeatureContext, [x1, y1, x2, y2]: UnitBox, put: Sink): void {
  const width = x2 - x1;
  const height = y2 - y1;
  put(x1);
  put(y1);
  put(1 - x2);
  put(1 - y2);
  put(width);
  put(height);
  put(width * height);
  put((x1 + x2) / 2);
  put((y1 + y2) / 2);
  put(Math.log((width / height) * context.aspect));
  put(Math.log(context.aspect));
  put(Math.log(width / height));
  put(Math.min(x1, y1, 1 - x2, 1 - y2));
}
const geometryNames = (put: NameSink): void =>
  'x1 y1 right bottom width height area cx cy cropAspect photoAspect aspectChange leastMargin'.split(' ').forEach(put);

function cueMasses(context: FeatureContext, box: UnitBox, strips: Strips, put: Sink): void {
  const area = areaOf(box);
  for (let c = 0; c < N_CUES; c++) {
    const integral = context.cues[c]!;
    const total = context.totals[c]!;
    const inside = sum(integral, box) / total;
    put(inside);
    put(inside / area);
    for (let s = 0; s < 4; s++) put(sum(integral, strips.beyond[s]!) / total);
    for (let s = 0; s < 4; s++) put(sum(integral, strips.inside[s]!) / total / areaOf(strips.inside[s]!));
  }
}
function cueMassNames(put: NameSink): void {
  for (const cue of [...CUE_NAMES, 'saliency']) {
    put(`${cue}.inside`);
    put(`${cue}.density`);
    for (const side of SIDES) put(`${cue}.beyond.${side}`);
    for (const side of SIDES) put(`${cue}.strip.${side}`);
  }
}

function cueLayout(context: FeatureContext, box: UnitBox, strips: Strips, put: Sink): void {
  const [x1, y1, x2, y2] = box;
  const width = x2 - x1;
  const height = y2 - y1;
  for (const moments of context.moments) {
    const mass = sum(moments.mass, box) + 1e-6;
    const mx = sum(moments.x, box) / mass;
    const my = sum(moments.y, box) / mass;
    const cx = (mx - x1) / width;
    const cy = (my - y1) / height;
    put(cx);
    put(cy);
    put(Math.abs(cx - 0.5));
    put(Math.abs(cy - 0.5));
    put(toThird(cx));
    put(toThird(cy));
    put(Math.sqrt(Math.max(0, sum(moments.xx, box) / mass - mx * mx)) / width);
    put(Math.sqrt(Math.max(0, sum(moments.yy, box) / mass - my * my)) / height);
    const density = mass / areaOf(box);
    for (let s = 0; s < 4; s++) {
      const outside = strips.outside[s]!;
      const outsideArea = areaOf(outside);
      put(outsideArea > 1e-6 ? sum(moments.mass, outside) / outsideArea / density : -1);
    }
  }
  const saliency = context.moments[context.moments.length - 1]!.mass;
  const total = sum(saliency, box) + 1e-6;
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) {
      const cell = boxSum(
        saliency,
        x1 + (width * column) / 3,
        y1 + (height * row) / 3,
        x1 + (width * (column + 1)) / 3,
        y1 + (height * (row + 1)) / 3,
      );
      put(cell / total);
    }
  }
}
function cueLayoutNames(put: NameSink): void {
  const all = [...CUE_NAMES, 'saliency'];
  for (const index of MOMENT_CUES) {
    for (const name of 'cx cy offX offY thirdX thirdY spreadX spreadY'.split(' ')) put(`${all[index]!}.${name}`);
    for (const side of SIDES) put(`${all[index]!}.outside.${side}`);
  }
  for (let i = 0; i < 9; i++) put(`saliency.cell${i}`);
}

/** Mean colour and spread of a rectangle of the Lab planes. */
function colourOf(context: FeatureContext, box: UnitBox, nPixels: number): { mean: number[]; spread: number } {
  const n = Math.max(1e-6, areaOf(box) * nPixels);
  const mean = context.lab.map((integral) => sum(integral, box) / n);
  let variance = 0;
  context.labSquares.forEach((integral, i) => (variance += Math.max(0, sum(integral, box) / n - mean[i]! ** 2)));
  return { mean, spread: Math.sqrt(variance) };
}

function borders(context: FeatureContext, strips: Strips, put: Sink): void {
  const nPixels = context.slopeX.width * context.slopeX.height;
  const all = colourOf(context, [0, 0, 1, 1], nPixels);
  for (let s = 0; s < 4; s++) {
    const inside = colourOf(context, strips.inside[s]!, nPixels);
    put(inside.spread / (all.spread + 1));
    const beyondArea = areaOf(strips.beyond[s]!);
    if (beyondArea > 1e-6) {
      const outside = colourOf(context, strips.outside[s]!, nPixels);
      const beyond = colourOf(context, strips.beyond[s]!, nPixels);
      const distance = Math.hypot(...inside.mean.map((value, i) => value - outside.mean[i]!));
      put(distance / (all.spread + 1));
      put(beyond.spread / (all.spread + 1));
      put((beyond.mean[0]! - all.mean[0]!) / 100);
    } else {
      put(-1);
      put(-1);
      put(0);
    }
    // What crosses a side is slope along it: a vertical side cuts through slopes in y.
    const [integral, slopeTotal] =
      s % 2 === 0 ? [context.slopeY, context.slopeTotals[1]] : [context.slopeX, context.slopeTotals[0]];
    put(sum(integral, strips.inside[s]!) / slopeTotal / areaOf(strips.inside[s]!));
  }
}
function borderNames(put: NameSink): void {
  for (const side of SIDES) {
    for (const name of 'spread step beyondSpread beyondLightness crossing'.split(' ')) put(`border.${side}.${name}`);
  }
}

/** Names of the features, in order. */
export const FEATURE_NAMES: readonly string[] = (() => {
  const names: string[] = [];
  const put = (name: string): void => void names.push(name);
  geometryNames(put);
  cueMassNames(put);
  cueLayoutNames(put);
  borderNames(put);
  subjectNames(put);
  lineNames(put);
  return names;
})();

/**
 * What mirroring the photo left to right does to the features of a box and its mirror image: `features[index[i]]`,
 * and where `complement[i]`, one minus it.
 */
export const MIRROR: { readonly index: readonly number[]; readonly complement: readonly boolean[] } = (() => {
  const mirrored = (name: string): string => {
    if (name === 'x1') return 'right';
    if (name === 'right') return 'x1';
    const cell = /^(.*\.cell)(\d)$/.exec(name);
    if (cell) return `${cell[1]!}${Number(cell[2]) - 2 * (Number(cell[2]) % 3) + 2}`;
    return name.replace(/\b(left|right)\b/, (side) => (side === 'left' ? 'right' : 'left'));
  };
  return {
    index: FEATURE_NAMES.map((name) => FEATURE_NAMES.indexOf(mirrored(name))),
    complement: FEATURE_NAMES.map((name) => /(^|\.)cx$/.test(name)),
  };
})();

/** Writes the features of a box to `out` from `offset`; `FEATURE_NAMES.length` values. */
export function boxFeatures(context: FeatureContext, box: UnitBox, out: Float32Array, offset: number): void {
  let at = offset;
  const put = (value: number): void => {
    out[at++] = value;
  };
  const strips = stripsOf(box);
  geometry(context, box, put);
  cueMasses(context, box, strips, put);
  cueLayout(context, box, strips, put);
  borders(context, strips, put);
  subjects(context, box, put);
  lines(context, box, put);
}
