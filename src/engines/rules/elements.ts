import type { Point, Size } from '../../base/geometry.js';
import { CURVE_POINTS, ELEMENT_KINDS, MAX_ELEMENTS, VANISHING_LINES, type Element } from '../../base/schema.js';
import type { PhotoAnalysis } from './analysis.js';
import { findCurves } from './lines/curves.js';
import type { UnitBox } from './scoring/grid.js';
import { findTriangle } from './lines/triangles.js';
import { findVanishingPoint } from './lines/vanishing.js';

interface Finding {
  readonly element: Element;
  /** 0..1, comparable between kinds only roughly. */
  readonly confidence: number;
}

/** How far a subject's centre may lie from a composition's line, in shares of the side. */
const CENTRE_REACH = 0.09;
const LEVEL_ANGLE = 0.1;
const UPRIGHT_ANGLE = 0.1;
const SYMMETRY_CORRELATION = 0.62;
const CURVE_OPTIONS = { minMagnitude: 6, minLength: 0.35 };

/** The composition in pixels of the frame: 1 to 8 confident elements in the canonical order of kinds. */
export function composition(analysis: PhotoAnalysis, frame: Size): Element[] {
  const findings = [
    ...subjectFindings(analysis, frame),
    ...lineFindings(analysis, frame),
    ...symmetryFindings(analysis, frame),
    ...shapeFindings(analysis, frame),
  ];
  return findings
    .sort((a, b) => b.confidence - a.confidence)
    .slice(0, MAX_ELEMENTS)
    .map(({ element }) => element)
    .sort((a, b) => ELEMENT_KINDS.indexOf(a.type) - ELEMENT_KINDS.indexOf(b.type));
}

function toPixel(x: number, y: number, frame: Size): [number, number] {
  return [
    Math.min(frame.width - 1, Math.max(0, Math.round(x * frame.width))),
    Math.min(frame.height - 1, Math.max(0, Math.round(y * frame.height))),
  ];
}

export function toPixelBox([x1, y1, x2, y2]: UnitBox, frame: Size): [number, number, number, number] {
  const left = Math.min(frame.width - 1, Math.max(0, Math.round(x1 * frame.width)));
  const top = Math.min(frame.height - 1, Math.max(0, Math.round(y1 * frame.height)));
  return [
    left,
    top,
    Math.max(left + 1, Math.min(frame.width, Math.round(x2 * frame.width))),
    Math.max(top + 1, Math.min(frame.height, Math.round(y2 * frame.height))),
  ];
}

/** A subject box, named for where its centre sits: in the middle, on a third, or on a golden section. */
export function subjectElement(box: UnitBox, frame: Size): Element {
  const cx = (box[0] + box[2]) / 2;
  const cy = (box[1] + box[3]) / 2;
  const offX = Math.abs(cx - 0.5);
  const offY = Math.abs(cy - 0.5);
  const pixels = toPixelBox(box, frame);
  // Thirds lie 0.167 from the middle, golden sections 0.118; the nearer one of the axis that is further out names it.
  const off = Math.max(offX, offY);
  if (off < CENTRE_REACH) return { type: 'center', box: pixels };
  return { type: off < (1 / 6 + 0.118) / 2 ? 'golden_ratio' : 'rule_of_thirds', box: pixels };
}

/** Always there: a photo is of something, be it most of what it shows. */
function subjectFindings({ subject }: PhotoAnalysis, frame: Size): Finding[] {
  return [{ element: subjectElement(subject.box, frame), confidence: 1 }];
}

function lineFindings({ lines, horizon }: PhotoAnalysis, frame: Size): Finding[] {
  const findings: Finding[] = [];
  const add = (type: 'horizontal' | 'vertical' | 'diagonal', x: readonly number[], confidence: number): void => {
    const [x1, y1] = toPixel(x[0]!, x[1]!, frame);
    const [x2, y2] = toPixel(x[2]!, x[3]!, frame);
    if (x1 !== x2 || y1 !== y2) findings.push({ element: { type, line: [x1, y1, x2, y2] }, confidence });
  };
  if (horizon) add('horizontal', [horizon.x1, horizon.y1, horizon.x2, horizon.y2], 0.4 + horizon.strength);
  const left = { horizontal: horizon ? 0 : 1, vertical: 2, diagonal: 2 };
  for (const line of lines) {
    const clear = Math.min(1, line.contrast / 12);
    const tilt = Math.abs(line.angle);
    const along = { x: line.x2 - line.x1, y: Math.abs(line.y2 - line.y1) };
    const at: [number, number, number, number] = [line.x1, line.y1, line.x2, line.y2];
    if (line.covered < 0.6) continue;
    if (tilt < LEVEL_ANGLE && along.x > 0.45 && left.horizontal > 0) {
      if (Math.min(line.y1, 1 - line.y1) < 0.06) continue;
      left.horizontal--;
      add('horizontal', at, 0.6 * along.x * clear);
    } else if (tilt > Math.PI / 2 - UPRIGHT_ANGLE && along.y > 0.45 && left.vertical > 0) {
      if (Math.min(line.x1, 1 - line.x1) < 0.05) continue;
      left.vertical--;
      add('vertical', at[1] <= at[3] ? at : [at[2], at[3], at[0], at[1]], 0.6 * along.y * clear);
    } else if (tilt > 0.3 && tilt < 1.27 && line.length > 0.32 && left.diagonal > 0) {
      left.diagonal--;
      add('diagonal', at, line.length * line.covered * clear);
    }
  }
  return findings;
}

function symmetryFindings({ mirror }: PhotoAnalysis, frame: Size): Finding[] {
  const axis = mirror.vertical.correlation >= mirror.horizontal.correlation ? mirror.vertical : mirror.horizontal;
  if (axis.correlation < SYMMETRY_CORRELATION) return [];
  const [x, y] = toPixel(axis.at, axis.at, frame);
  const right = frame.width - 1;
  const bottom = frame.height - 1;
  if (right === 0 && bottom === 0) return [];
  return [
    {
      element: { type: 'symmetric', line: axis.direction === 'vertical' ? [x, 0, x, bottom] : [0, y, right, y] },
      confidence: axis.correlation,
    },
  ];
}

function shapeFindings({ maps, lines }: PhotoAnalysis, frame: Size): Finding[] {
  const findings: Finding[] = [];
  const curve = findCurves(maps.gradient, CURVE_OPTIONS)[0];
  if (curve) {
    const points = distinct(curve.points.map(([x, y]) => toPixel(x, y, frame))).slice(0, CURVE_POINTS.max);
    if (points.length >= CURVE_POINTS.min)
      findings.push({ element: { type: 'curved', points }, confidence: 0.7 * Math.min(1, curve.length) });
  }
  const triangle = findTriangle(lines, maps.size);
  if (triangle && triangle.covered > 0.6) {
    const [a, b, c] = triangle.points.map(([x, y]) => toPixel(x, y, frame)) as [Pixel, Pixel, Pixel];
    if (distinct([a, b, c]).length === 3)
      findings.push({ element: { type: 'triangle', points: [a, b, c] }, confidence: 0.6 * triangle.covered });
  }
  const vanishing = findVanishingPoint(lines, maps.size);
  if (vanishing && vanishing.support > 0.5 && vanishing.length > 0.8) {
    const meeting: [number, number, number, number][] = [];
    for (const line of vanishing.lines.slice(0, VANISHING_LINES.max)) {
      const near = Math.hypot(line.x1 - vanishing.x, line.y1 - vanishing.y);
      const far = Math.hypot(line.x2 - vanishing.x, line.y2 - vanishing.y);
      const [x1, y1] = near > far ? toPixel(line.x1, line.y1, frame) : toPixel(line.x2, line.y2, frame);
      const [x2, y2] = toPixel(vanishing.x, vanishing.y, frame);
      if (x1 !== x2 || y1 !== y2) meeting.push([x1, y1, x2, y2]);
    }
    if (meeting.length >= VANISHING_LINES.min)
      findings.push({ element: { type: 'vanishing_point', lines: meeting }, confidence: vanishing.support });
  }
  return findings;
}

type Pixel = [number, number];

function distinct(points: readonly Pixel[]): Pixel[] {
  const kept: Pixel[] = [];
  for (const point of points) {
    if (!kept.some((other: Point) => other[0] === point[0] && other[1] === point[1])) kept.push(point);
  }
  return kept;
}
