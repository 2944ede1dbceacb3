import type { Box, Point, Size } from '../../base/geometry.js';
import type { Element } from '../../base/schema.js';
import { KIND_COLOURS, NEUTRAL } from './palette.js';
import { cased, distance, pathOf, px, smoothPathOf, traceOf } from './paths.js';
import type { Pen } from './pen.js';

/** What one element puts on the picture, in target px. */
export interface Shape {
  /** SVG of the thin lines that belong to the composition rather than to the photo; drawn once for all elements. */
  readonly guides: string;
  readonly strokes: string;
  /** Points along the strokes, for labels to stay clear of. */
  readonly trace: readonly Point[];
  /** Where a label may point at, best first, with the direction in which it should move away from the stroke. */
  readonly anchors: readonly Anchor[];
}

export interface Anchor {
  readonly at: Point;
  /** -1, 0 or 1 on each axis: the label's nearest side or corner is put at `at`, the label lies this way from it. */
  readonly towards: readonly [x: number, y: number];
}

type Line = readonly [Point, Point];

/** Every point of the element must be scaled to the target already. */
export function elementShape(element: Element, target: Size, pen: Pen): Shape {
  const colour = KIND_COLOURS[element.type];
  switch (element.type) {
    case 'rule_of_thirds':
    case 'center':
    case 'golden_ratio': {
      const at = element.type === 'golden_ratio' ? GOLDEN_GUIDES : THIRDS_GUIDES;
      return { guides: guideSvg(at, target, pen), ...boxShape(inset(element.box, target, pen), colour, pen) };
    }
    case 'horizontal':
    case 'vertical':
    case 'diagonal':
    case 'symmetric': {
      const line = lineWithin(element.line, target, pen);
      const dash = element.type === 'symmetric' ? pen.dashDot : undefined;
      return { guides: '', ...polylineShape(line, pathOf(line), colour, pen, dash) };
    }
    case 'curved': {
      const points = element.points.map((point) => pointWithin(point, target, pen));
      return { guides: '', ...polylineShape(points, smoothPathOf(points), colour, pen) };
    }
    case 'triangle': {
      const points = element.points.map((point) => pointWithin(point, target, pen));
      const path = `${pathOf(points)}Z`;
      const fill = `<path d="${path}" fill="${colour}" fill-opacity="0.14"/>`;
      const shape = polylineShape([...points, points[0]!], path, colour, pen);
      return { guides: '', ...shape, strokes: fill + shape.strokes };
    }
    case 'vanishing_point':
      return {
        guides: '',
        ...vanishingShape(
          element.lines.map((line) => lineWithin(line, target, pen)),
          target,
          colour,
          pen,
        ),
      };
  }
}

/** Shares of the sides at which CADB draws its guides. */
const THIRDS_GUIDES = [1 / 3, 2 / 3] as const;
const GOLDEN_GUIDES = [0.382, 0.618] as const;

function guideSvg(shares: readonly number[], { width, height }: Size, pen: Pen): string {
  const path = shares
    .map((share) => `M${px(share * width)} 0V${px(height)}M0 ${px(share * height)}H${px(width)}`)
    .join('');
  return cased(path, NEUTRAL, pen.guidePx, pen.guideCasingPx, { opacity: 0.72 });
}

function boxShape(box: Box, colour: string, pen: Pen): Omit<Shape, 'guides'> {
  const [x1, y1, x2, y2] = box;
  const corners: Point[] = [
    [x1, y1],
    [x2, y1],
    [x2, y2],
    [x1, y2],
    [x1, y1],
  ];
  return {
    strokes: cased(`${pathOf(corners.slice(0, 4))}Z`, colour, pen.strokePx, pen.casingPx),
    trace: traceOf(corners),
    anchors: boxAnchors(box, pen),
  };
}

/** Labels of a box sit at its corners, inside or just outside. */
export function boxAnchors([x1, y1, x2, y2]: Box, pen: Pen): Anchor[] {
  const gap = pen.strokePx;
  return [
    { at: [x1 - gap, y1 - gap], towards: [1, -1] },
    { at: [x1 + gap, y1 + gap], towards: [1, 1] },
    { at: [x1 - gap, y2 + gap], towards: [1, 1] },
    { at: [x2 + gap, y1 - gap], towards: [-1, -1] },
    { at: [x2 - gap, y1 + gap], towards: [-1, 1] },
    { at: [x2 + gap, y2 + gap], towards: [-1, 1] },
    { at: [x1 + gap, y2 - gap], towards: [1, -1] },
    { at: [x2 - gap, y2 - gap], towards: [-1, -1] },
  ];
}

function polylineShape(
  points: readonly Point[],
  path: string,
  colour: string,
  pen: Pen,
  dash?: readonly number[],
): Omit<Shape, 'guides'> {
  const trace = traceOf(points);
  return {
    strokes: cased(path, colour, pen.strokePx, pen.casingPx, dash ? { dash } : {}),
    trace,
    anchors: anchorsAlong(trace, pen),
  };
}

/** On both sides of a line, near its ends first: what the line is about is mostly in its middle. */
function anchorsAlong(trace: readonly Point[], pen: Pen): Anchor[] {
  const last = trace.length - 1;
  return [0.1, 0.9, 0.25, 0.75, 0.5].flatMap((share) => {
    const index = Math.round(share * last);
    const at = trace[index]!;
    const [before, after] = [trace[Math.max(0, index - 1)]!, trace[Math.min(last, index + 1)]!];
    const [dx, dy] = [after[0] - before[0], after[1] - before[1]];
    const gap = pen.strokePx * 1.6;
    // The label goes to the side that its corner can come nearest from: above and below a flat line, beside a steep one.
    const flat = Math.abs(dx) > 2.5 * Math.abs(dy);
    const steep = Math.abs(dy) > 2.5 * Math.abs(dx);
    const side: readonly [number, number] = flat ? [0, -1] : steep ? [1, 0] : [1, dx * dy > 0 ? -1 : 1];
    return [1, -1].map((sign): Anchor => {
      const towards = [sign * side[0], sign * side[1]] as const;
      return { at: [at[0] + gap * towards[0], at[1] + gap * towards[1]], towards };
    });
  });
}

function vanishingShape(lines: readonly Line[], target: Size, colour: string, pen: Pen): Omit<Shape, 'guides'> {
  const meeting = meetingPoint(lines);
  const visible =
    meeting && meeting[0] >= 0 && meeting[1] >= 0 && meeting[0] <= target.width && meeting[1] <= target.height;
  const solid = lines.map((line) => pathOf(line)).join('');
  let strokes = '';
  const trace = lines.flatMap(traceOf);
  const anchors = lines.flatMap((line) => anchorsAlong(traceOf(line), pen));
  if (meeting && visible) {
    const reach = lines.map((line) => pathOf([nearer(line, meeting), meeting])).join('');
    strokes += cased(reach, colour, pen.guidePx, pen.guideCasingPx, { dash: pen.dots });
    const [x, y] = meeting;
    const radius = pen.strokePx * 2.6;
    const ring = `M${px(x - radius)} ${px(y)}a${px(radius)} ${px(radius)} 0 1 0 ${px(2 * radius)} 0a${px(radius)} ${px(radius)} 0 1 0 ${px(-2 * radius)} 0Z`;
    strokes += cased(solid, colour, pen.strokePx, pen.casingPx) + cased(ring, colour, pen.strokePx, pen.casingPx);
    strokes += `<circle cx="${px(x)}" cy="${px(y)}" r="${px(pen.strokePx * 0.9)}" fill="${colour}"/>`;
    const away = radius + pen.strokePx;
    const around = [0, 1].flatMap((axis) =>
      [-1, 1].map((sign): Anchor => {
        const towards = axis === 0 ? ([0, sign] as const) : ([sign, 0] as const);
        return { at: [x + away * towards[0], y + away * towards[1]], towards };
      }),
    );
    return { strokes, trace: [...trace, meeting], anchors: [...anchors, ...around] };
  }
  return { strokes: cased(solid, colour, pen.strokePx, pen.casingPx), trace, anchors };
}

/** The point with the least sum of squared distances to the lines; undefined if they are parallel. */
export function meetingPoint(lines: readonly Line[]): Point | undefined {
  let [a, b, c, d, e] = [0, 0, 0, 0, 0];
  for (const [[x1, y1], [x2, y2]] of lines) {
    const length = Math.hypot(x2 - x1, y2 - y1);
    if (length === 0) continue;
    const [nx, ny] = [(y2 - y1) / length, (x1 - x2) / length];
    const offset = nx * x1 + ny * y1;
    a += nx * nx;
    b += nx * ny;
    c += ny * ny;
    d += nx * offset;
    e += ny * offset;
  }
  const determinant = a * c - b * b;
  if (determinant < 1e-6) return undefined;
  return [(c * d - b * e) / determinant, (a * e - b * d) / determinant];
}

function nearer([from, to]: Line, point: Point): Point {
  return distance(from, point) < distance(to, point) ? from : to;
}

/** Strokes along the picture's border are moved inside by their own half width. */
export function inset([x1, y1, x2, y2]: Box, target: Size, pen: Pen): Box {
  const [left, top] = pointWithin([x1, y1], target, pen);
  const [right, bottom] = pointWithin([x2, y2], target, pen);
  return [left, top, right, bottom];
}

function lineWithin([x1, y1, x2, y2]: readonly [number, number, number, number], target: Size, pen: Pen): Line {
  return [pointWithin([x1, y1], target, pen), pointWithin([x2, y2], target, pen)];
}

function pointWithin([x, y]: Point, { width, height }: Size, pen: Pen): Point {
  const margin = Math.min(pen.strokePx / 2 + pen.casingPx, width / 2, height / 2);
  return [Math.max(margin, Math.min(width - margin, x)), Math.max(margin, Math.min(height - margin, y))];
}
