import type { Box } from '../../base/geometry.js';
import type { Plane } from '../rules/maps/plane.js';
import type { Component, Components } from './components.js';
import { shapeOf, type Shape } from './shape.js';
import { strokeOf } from './stroke.js';

/** A component that may be a letter, or a few that touch. Coordinates in pixels of its plane, luminance in grey levels. */
export interface Glyph {
  readonly box: Box;
  /** Share of its box that is ink. */
  readonly fill: number;
  /** Mean width of its strokes, pixels, and their standard deviation as a share of it. */
  readonly strokePx: number;
  readonly strokeSpread: number;
  /** Luminance of the ink, and of what is around it. */
  readonly ink: number;
  readonly paper: number;
  /** How uneven the paper around it and the ink within are, as shares of the contrast between them. */
  readonly paperNoise: number;
  readonly inkNoise: number;
  /** How much of that contrast lies within two pixels across its outline: about 1 for a sharp edge. */
  readonly sharpness: number;
  /** Length of its outline in heights. */
  readonly outline: number;
  readonly shape: Shape;
}

/** Letters this high are looked for in one plane, in pixels; larger ones are found in a smaller plane. */
export const GLYPH_HEIGHT_PX = { least: 6, most: 44 } as const;

/** Wider than this many heights are rules and merged words. */
const MOST_WIDTH = 3;
/** Share of its box that a letter covers: less are outlines of things, a full one is at most an I or a dash. */
const FILL = { least: 0.12, most: 0.95 } as const;
/** Weaker is a stain. Grey levels. */
const LEAST_CONTRAST = 18;
/** Of a stroke at least, so that a component is drawn with a pen and not a blob: heights it is long. */
const MOST_STROKE = 0.5;

/** Whether a component can be a letter by its size alone. */
export function hasSizeOfGlyph({ box: [x1, y1, x2, y2], pixels }: Component, plane: Plane): boolean {
  const [width, height] = [x2 - x1, y2 - y1];
  if (height < GLYPH_HEIGHT_PX.least || height > GLYPH_HEIGHT_PX.most || width > MOST_WIDTH * height) return false;
  const fill = pixels.length / (width * height);
  const isAtBorder = x1 <= 1 || y1 <= 1 || x2 >= plane.width - 1 || y2 >= plane.height - 1;
  return fill >= FILL.least && (fill <= FILL.most || width < 0.4 * height) && !isAtBorder;
}

/** What is measured of a component; undefined where it can be no letter. */
export function glyphOf(component: Component, label: number, { labels }: Components, grey: Plane): Glyph | undefined {
  if (!hasSizeOfGlyph(component, grey)) return undefined;
  const { box, pixels } = component;
  const [width, height] = [box[2] - box[0], box[3] - box[1]];
  const light = luminanceOf(component, label, labels, grey);
  if (!light || Math.abs(light.ink - light.paper) < LEAST_CONTRAST) return undefined;
  const stroke = strokeOf(component, label, labels, grey.width);
  if (stroke.widthPx > MOST_STROKE * Math.max(height, width)) return undefined;
  return {
    box,
    fill: pixels.length / (width * height),
    strokePx: stroke.widthPx,
    strokeSpread: stroke.spread,
    ...light,
    outline: stroke.outlinePx / height,
    shape: shapeOf(component, grey.width),
  };
}

/** How far around a component its paper is looked at, pixels. */
const AROUND_PX = 3;

function luminanceOf(
  { box, pixels }: Component,
  label: number,
  labels: Int32Array,
  { width, height, data }: Plane,
): Pick<Glyph, 'ink' | 'paper' | 'paperNoise' | 'inkNoise' | 'sharpness'> | undefined {
  const core = new Moments();
  const all = new Moments();
  for (const index of pixels) {
    const value = data[index]!;
    all.add(value);
    const isInside =
      labels[index - 1] === label &&
      labels[index + 1] === label &&
      labels[index - width] === label &&
      labels[index + width] === label;
    if (isInside) core.add(value);
  }
  const paper = new Moments();
  const left = Math.max(1, box[0] - AROUND_PX);
  const right = Math.min(width - 1, box[2] + AROUND_PX);
  const bottom = Math.min(height - 1, box[3] + AROUND_PX);
  for (let y = Math.max(1, box[1] - AROUND_PX); y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const at = y * width + x;
      const isClear =
        labels[at] === 0 &&
        labels[at - 1] === 0 &&
        labels[at + 1] === 0 &&
        labels[at - width] === 0 &&
        labels[at + width] === 0;
      if (isClear) paper.add(data[at]!);
    }
  }
  if (paper.n < 8) return undefined;
  const ink = core.n >= 0.2 * all.n ? core : all;
  const contrast = Math.max(1, Math.abs(ink.mean - paper.mean));
  return {
    ink: ink.mean,
    paper: paper.mean,
    paperNoise: paper.deviation / contrast,
    inkNoise: ink.deviation / contrast,
    sharpness: jumpAcross(pixels, label, labels, { width, height, data }) / contrast,
  };
}

/** Mean luminance step over the outline, from ink to two pixels further out. */
function jumpAcross(pixels: Int32Array, label: number, labels: Int32Array, { width, data }: Plane): number {
  let sum = 0;
  let n = 0;
  for (const index of pixels) {
    for (const step of [1, -1, width, -width]) {
      if (labels[index + step] === label) continue;
      const outer = index + 2 * step;
      if (outer < 0 || outer >= data.length || labels[outer] === label) continue;
      sum += data[outer]! - data[index]!;
      n++;
    }
  }
  return n > 0 ? Math.abs(sum / n) : 0;
}

class Moments {
  n = 0;
  #sum = 0;
  #squares = 0;

  add(value: number): void {
    this.n++;
    this.#sum += value;
    this.#squares += value * value;
  }

  get mean(): number {
    return this.n > 0 ? this.#sum / this.n : 0;
  }

  get deviation(): number {
    return this.n > 0 ? Math.sqrt(Math.max(0, this.#squares / this.n - this.mean ** 2)) : 0;
  }
}
