import type { Point, Size } from '../../base/geometry.js';
import {
  BOX_KINDS,
  CURVE_POINTS,
  isOneOf,
  LINE_KINDS,
  VANISHING_LINES,
  type Element,
  type ElementKind,
} from '../../base/schema.js';
import { range } from '../answer/range.js';
import type { Marks } from '../answer/style.js';
import type { AnswerWriter } from '../answer/writer.js';

type Segment = [x1: number, y1: number, x2: number, y2: number];

/** A side of the frame divided by this is the least extent of an element: below, it is no composition but a speck. */
const LEAST_SHARE = 16;
/** Least area of a triangle, as a share of the frame. */
const LEAST_TRIANGLE = 1 / 100;
/** Least angle between two lines to a vanishing point, as the sine: 5 degrees. */
const LEAST_SINE = 0.087;

const LINE_END = ']}\n';
export const LIST_END = ']]}\n';

/** Writes the numbers of one element, from after its opening bracket to the end of its line. Never degenerate. */
export async function writeElementGeometry(
  answer: AnswerWriter,
  kind: ElementKind,
  frame: Size,
  earlier: readonly Element[],
  marks: Marks,
): Promise<Element> {
  if (isOneOf(BOX_KINDS, kind)) return { type: kind, box: await writeBox(answer, frame, marks) };
  if (isOneOf(LINE_KINDS, kind)) {
    const taken = earlier.flatMap((element) => (element.type === kind ? [element.line] : []));
    return { type: kind, line: await writeLine(answer, kind, frame, taken, marks) };
  }
  if (kind === 'curved') return { type: kind, points: await writeCurve(answer, frame, marks) };
  if (kind === 'triangle') return { type: kind, points: await writeTriangle(answer, frame, marks) };
  return { type: kind, lines: await writeVanishingLines(answer, frame, marks) };
}

/** `[x1, y1, x2, y2]`, x2 and y2 exclusive. */
async function writeBox(
  answer: AnswerWriter,
  frame: Size,
  { comma }: Marks,
): Promise<[number, number, number, number]> {
  const least = leastExtent(frame);
  const x1 = (await answer.integer(range(0, frame.width - least.width), comma)).value;
  const y1 = (await answer.integer(range(0, frame.height - least.height), comma)).value;
  const x2 = (await answer.integer(range(x1 + least.width, frame.width), comma)).value;
  const y2 = (await answer.integer(range(y1 + least.height, frame.height), LINE_END)).value;
  return [x1, y1, x2, y2];
}

/** Horizontal and diagonal lines run left to right, vertical ones top to bottom; never the same line twice. */
async function writeLine(
  answer: AnswerWriter,
  kind: (typeof LINE_KINDS)[number],
  frame: Size,
  taken: readonly Segment[],
  { comma }: Marks,
): Promise<Segment> {
  const [right, bottom] = [frame.width - 1, frame.height - 1];
  const { width: leastDx, height: leastDy } = leastExtent(frame);
  const leftToRight = kind === 'horizontal' || kind === 'diagonal';
  const x1 = (await answer.integer(range(0, leftToRight ? right - leastDx : right), comma)).value;
  const y1 = (await answer.integer(range(0, kind === 'vertical' ? bottom - leastDy : bottom), comma)).value;
  const ys = range(0, bottom);
  const sameStart = taken.filter((line) => line[0] === x1 && line[1] === y1);
  // Asked for every pixel of the frame at worst, so nothing is captured or allocated in here: that was most of a photo's
  // garbage.
  const endsAt = (x2: number, y2: number): boolean =>
    fitsKind(kind, x2 - x1, y2 - y1, leastDx, leastDy) && !oneEndsAt(sameStart, x2, y2);
  const x2 = (
    await answer.integer(
      range(0, right).filter((x) => ys.some((y) => endsAt(x, y))),
      comma,
    )
  ).value;
  const y2 = (
    await answer.integer(
      ys.filter((y) => endsAt(x2, y)),
      LINE_END,
    )
  ).value;
  return [x1, y1, x2, y2];
}

function oneEndsAt(lines: readonly Segment[], x: number, y: number): boolean {
  return lines.some((line) => line[2] === x && line[3] === y);
}

function fitsKind(
  kind: (typeof LINE_KINDS)[number],
  dx: number,
  dy: number,
  leastDx: number,
  leastDy: number,
): boolean {
  switch (kind) {
    case 'horizontal':
      return dx >= leastDx && Math.abs(dy) < dx;
    case 'vertical':
      return dy >= leastDy && Math.abs(dx) < dy;
    case 'diagonal':
      return dx >= leastDx && Math.abs(dy) >= leastDy;
    case 'symmetric':
      return Math.abs(dx) >= leastDx || Math.abs(dy) >= leastDy;
  }
}

async function writeCurve(answer: AnswerWriter, frame: Size, { comma, next }: Marks): Promise<[number, number][]> {
  const points: [number, number][] = [];
  for (;;) {
    const before = points.at(-1);
    const x = (await answer.integer(range(0, frame.width - 1), comma)).value;
    const ys = range(0, frame.height - 1).filter((y) => !before || apart(before, [x, y], frame));
    const nSaid = points.length + 1;
    const { value, then } =
      nSaid < CURVE_POINTS.min
        ? await answer.integer(ys, next)
        : nSaid < CURVE_POINTS.max
          ? await answer.integer(ys, next, LIST_END)
          : await answer.integer(ys, LIST_END);
    points.push([x, value]);
    if (then === LIST_END) return points;
  }
}

async function writeTriangle(
  answer: AnswerWriter,
  frame: Size,
  { comma, next }: Marks,
): Promise<[[number, number], [number, number], [number, number]]> {
  const [xs, ys] = [range(0, frame.width - 1), range(0, frame.height - 1)];
  const leastArea = frame.width * frame.height * LEAST_TRIANGLE;
  const x1 = (await answer.integer(xs, comma)).value;
  const y1 = (await answer.integer(ys, next)).value;
  const x2 = (await answer.integer(xs, comma)).value;
  // A quarter of a side apart: then some third corner always spans the least area.
  const far = (y: number): boolean =>
    Math.abs(x2 - x1) >= frame.width / 4 || Math.abs(y - y1) >= Math.ceil(frame.height / 4);
  const y2 = (await answer.integer(ys.filter(far), next)).value;
  const area = (x: number, y: number): number => Math.abs((x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)) / 2;
  const x3 = (
    await answer.integer(
      xs.filter((x) => Math.max(area(x, 0), area(x, frame.height - 1)) >= leastArea),
      comma,
    )
  ).value;
  const y3 = (
    await answer.integer(
      ys.filter((y) => area(x3, y) >= leastArea),
      LIST_END,
    )
  ).value;
  return [
    [x1, y1],
    [x2, y2],
    [x3, y3],
  ];
}

/**
 * Every line starts at the vanishing point itself, so they meet by construction; only the first one's start is decided,
 * the others repeat it.
 */
async function writeVanishingLines(answer: AnswerWriter, frame: Size, { comma, next }: Marks): Promise<Segment[]> {
  const [xs, ys] = [range(0, frame.width - 1), range(0, frame.height - 1)];
  const x0 = (await answer.integer(xs, comma)).value;
  const y0 = (await answer.integer(ys, comma)).value;
  const lines: Segment[] = [];
  for (;;) {
    const endsAt = (x: number, y: number): boolean =>
      far([x0, y0], [x, y], frame) && lines.every((line) => directionsDiffer(line, x - x0, y - y0));
    const x = (
      await answer.integer(
        xs.filter((candidate) => ys.some((y) => endsAt(candidate, y))),
        comma,
      )
    ).value;
    const ends = ys.filter((y) => endsAt(x, y));
    const nSaid = lines.length + 1;
    const another = `${next}${String(x0)}${comma}${String(y0)}${comma}`;
    const { value, then } =
      nSaid < VANISHING_LINES.min
        ? await answer.integer(ends, another)
        : nSaid < VANISHING_LINES.max
          ? await answer.integer(ends, another, LIST_END)
          : await answer.integer(ends, LIST_END);
    lines.push([x0, y0, x, value]);
    if (then === LIST_END) return lines;
  }
}

function directionsDiffer([x0, y0, x, y]: Segment, dx: number, dy: number): boolean {
  const [ex, ey] = [x - x0, y - y0];
  const dot = ex * dx + ey * dy;
  return dot <= 0 || Math.abs(ex * dy - ey * dx) >= LEAST_SINE * Math.hypot(ex, ey) * Math.hypot(dx, dy);
}

/** At least an eighth of either side between them. */
function far(a: Point, b: Point, frame: Size): boolean {
  return Math.abs(a[0] - b[0]) >= frame.width / 8 || Math.abs(a[1] - b[1]) >= frame.height / 8;
}

function apart(a: Point, b: Point, frame: Size): boolean {
  const least = leastExtent(frame);
  return Math.abs(a[0] - b[0]) >= least.width / 2 || Math.abs(a[1] - b[1]) >= least.height / 2;
}

function leastExtent({ width, height }: Size): Size {
  return { width: Math.ceil(width / LEAST_SHARE), height: Math.ceil(height / LEAST_SHARE) };
}
