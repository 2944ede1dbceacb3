import type { AnswerTokens } from '../vlm/answer/answer-tokens.js';
import { writeElements } from '../vlm/analyse/elements-form.js';
import { ANSWER_STYLES } from '../vlm/answer/style.js';
import { RecordedAnswer } from '../vlm/answer/recorded-answer.js';
import { FramewrightError } from '../base/errors.js';
import type { Size } from '../base/geometry.js';
import { ELEMENT_KINDS, MAX_ELEMENTS, type Element } from '../base/schema.js';
import { elementValues } from './target-values.js';

type Pair = [number, number];
type Line = [number, number, number, number];

/**
 * Elements as a model is taught to say them: every shape in one order of its points, every kind's shapes in one order,
 * everything inside the space of its coordinates, and only what the answer form can say. What comes first among equals of a kind is kept.
 */
export async function canonicalElements(
  elements: readonly Element[],
  space: Size,
  tokens: AnswerTokens,
): Promise<Element[]> {
  const kept: Element[] = [];
  for (const element of elements) {
    if (kept.length >= MAX_ELEMENTS) break;
    const wanted = sorted([...kept, canonical(element, space)]);
    if (await canBeSaid(wanted, space, tokens)) kept.splice(0, kept.length, ...wanted);
  }
  return kept;
}

async function canBeSaid(elements: readonly Element[], space: Size, tokens: AnswerTokens): Promise<boolean> {
  try {
    // What can be said is the same in every style.
    const style = ANSWER_STYLES.plain;
    await writeElements(new RecordedAnswer(tokens, elementValues(elements, style)), space, style);
    return true;
  } catch (error) {
    if (error instanceof FramewrightError && error.code === 'ANSWER_INVALID') return false;
    throw error;
  }
}

/** By kind, then from top left to bottom right. */
function sorted(elements: Element[]): Element[] {
  const place = (element: Element): number => {
    if ('line' in element) {
      const [x1, y1, x2, y2] = element.line;
      return element.type === 'horizontal' ? y1 + y2 : x1 + x2;
    }
    return 'points' in element ? element.points[0][0] : 0;
  };
  return elements.sort((a, b) => ELEMENT_KINDS.indexOf(a.type) - ELEMENT_KINDS.indexOf(b.type) || place(a) - place(b));
}

function canonical(element: Element, frame: Size): Element {
  const within = ([x, y]: Readonly<Pair>): Pair => [clamp(x, frame.width - 1), clamp(y, frame.height - 1)];
  const ends = ([x1, y1, x2, y2]: Readonly<Line>): [Pair, Pair] => [within([x1, y1]), within([x2, y2])];
  switch (element.type) {
    case 'rule_of_thirds':
    case 'center':
    case 'golden_ratio': {
      const [x1, y1, x2, y2] = element.box;
      return {
        type: element.type,
        box: [clamp(x1, frame.width), clamp(y1, frame.height), clamp(x2, frame.width), clamp(y2, frame.height)],
      };
    }
    case 'horizontal':
    case 'diagonal':
    case 'vertical':
    case 'symmetric': {
      const [a, b] = ends(element.line);
      const upright = element.type === 'vertical' || (element.type === 'symmetric' && isUpright(a, b));
      const inOrder = upright ? a[1] <= b[1] : a[0] <= b[0];
      return { type: element.type, line: inOrder ? [...a, ...b] : [...b, ...a] };
    }
    case 'curved': {
      const points = element.points.map(within);
      const [a, b] = [points[0]!, points.at(-1)!];
      // From the bottom up, or from left to right where it lies: as a path leads into a photo.
      const inOrder = isUpright(a, b) ? a[1] >= b[1] : a[0] <= b[0];
      return { type: 'curved', points: inOrder ? points : points.reverse() };
    }
    case 'triangle': {
      const points = element.points.map(within);
      const centre: Pair = [sum(points.map(([x]) => x)) / 3, sum(points.map(([, y]) => y)) / 3];
      const clockwise = points.sort((a, b) => angle(centre, a) - angle(centre, b));
      const top = clockwise.indexOf(clockwise.reduce((best, point) => (point[1] < best[1] ? point : best)));
      return { type: 'triangle', points: [clockwise[top]!, clockwise[(top + 1) % 3]!, clockwise[(top + 2) % 3]!] };
    }
    case 'vanishing_point': {
      const [x0, y0] = element.lines[0]!;
      const start = within([x0, y0]);
      const lines = element.lines.map(([, , x, y]) => within([x, y])).sort((a, b) => angle(start, a) - angle(start, b));
      return { type: 'vanishing_point', lines: lines.map((end): Line => [...start, ...end]) };
    }
  }
}

function isUpright(a: Pair, b: Pair): boolean {
  return Math.abs(b[1] - a[1]) > Math.abs(b[0] - a[0]);
}

/** Radians, 0 to the left, growing clockwise as seen (y points down). */
function angle([x0, y0]: Pair, [x, y]: Pair): number {
  return (Math.atan2(y - y0, x - x0) + Math.PI) % (2 * Math.PI);
}

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(most, Math.round(value)));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
