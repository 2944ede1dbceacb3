import type { ProposedBox } from '../engines/limits.js';
import { LIST_END } from '../vlm/analyse/element-geometry.js';
import { marksOf, type AnswerStyle, type Marks } from '../vlm/answer/style.js';
import type { TargetValue } from '../vlm/answer/recorded-answer.js';
import { CURVE_POINTS, VANISHING_LINES, type Element } from '../base/schema.js';

/** What `writeElements` asks for, one value after the other, to write these elements in a style. */
export function elementValues(elements: readonly Element[], style: AnswerStyle): TargetValue[] {
  const marks = marksOf(style);
  return [...elements.flatMap((element) => [element.type, ...geometryValues(element, marks)]), 'end'];
}

/** What `writeCandidates` asks for. */
export function candidateValues(candidates: readonly ProposedBox[]): TargetValue[] {
  return [...candidates.flatMap(({ boxInFrame, why }) => [...boxInFrame, why]), 'end'];
}

function geometryValues(element: Element, { comma, next }: Marks): TargetValue[] {
  switch (element.type) {
    case 'rule_of_thirds':
    case 'center':
    case 'golden_ratio':
      return [...element.box];
    case 'horizontal':
    case 'vertical':
    case 'diagonal':
    case 'symmetric':
      return [...element.line];
    case 'curved':
      return element.points.flatMap((point, i) => [...point, ...after(i, element.points.length, CURVE_POINTS, next)]);
    case 'triangle':
      return element.points.flat();
    case 'vanishing_point': {
      const [x0, y0] = element.lines[0]!;
      const another = `${next}${x0}${comma}${y0}${comma}`;
      return [
        x0,
        y0,
        ...element.lines.flatMap(([, , x, y], i) => [
          x,
          y,
          ...after(i, element.lines.length, VANISHING_LINES, another),
        ]),
      ];
    }
  }
}

/** The text after item `i` of a list, where the form leaves open whether the list goes on. */
function after(i: number, length: number, { min, max }: { min: number; max: number }, another: string): TargetValue[] {
  const said = i + 1;
  if (said < min || said >= max) return [];
  return [said < length ? another : LIST_END];
}
