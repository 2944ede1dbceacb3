import type { Size } from '../../base/geometry.js';
import {
  BOX_KINDS,
  ELEMENT_KINDS,
  isOneOf,
  LINE_KINDS,
  MAX_ELEMENTS,
  type Element,
  type ElementKind,
} from '../../base/schema.js';
import { writeElementGeometry } from './element-geometry.js';
import { ClampedAnswer } from '../answer/clamped-answer.js';
import { key, marksOf, type AnswerStyle } from '../answer/style.js';
import { END_OF_ANSWER, type AnswerOption, type AnswerWriter } from '../answer/writer.js';

/** How often a kind may be named in one photo: one subject and one vanishing point, a few lines. */
const MAX_OF_KIND: Readonly<Record<ElementKind, number>> = {
  rule_of_thirds: 1,
  center: 1,
  golden_ratio: 1,
  horizontal: 3,
  vertical: 3,
  diagonal: 3,
  symmetric: 1,
  curved: 2,
  triangle: 2,
  vanishing_point: 1,
};

/**
 * The analysis answer, JSON Lines: one element a line, kinds in the canonical order, 1 to MAX_ELEMENTS of them, all
 * coordinates in `space`. A line for each geometry, in the plain style:
 * `{"type":"center","box":[x1,y1,x2,y2]}`, `{"type":"horizontal","line":[x1,y1,x2,y2]}`,
 * `{"type":"curved","points":[[x,y],[x,y],[x,y]]}`, `{"type":"vanishing_point","lines":[[x1,y1,x2,y2],...]}`.
 */
export async function writeElements(answer: AnswerWriter, space: Size, style: AnswerStyle): Promise<Element[]> {
  const elements: Element[] = [];
  const numbers = style.clamps ? new ClampedAnswer(answer, space) : answer;
  while (elements.length < MAX_ELEMENTS) {
    const kind = await answer.choose(nextKinds(elements, style));
    if (kind === 'end') return elements;
    elements.push(await writeElementGeometry(numbers, kind, space, elements, marksOf(style)));
  }
  await answer.choose([{ value: 'end', text: END_OF_ANSWER }]);
  return elements;
}

function nextKinds(elements: readonly Element[], style: AnswerStyle): AnswerOption<ElementKind | 'end'>[] {
  const last = elements.at(-1);
  const first = last ? ELEMENT_KINDS.indexOf(last.type) : 0;
  const options: AnswerOption<ElementKind | 'end'>[] = ELEMENT_KINDS.slice(first)
    .filter((kind) => elements.filter(({ type }) => type === kind).length < MAX_OF_KIND[kind])
    .map((kind) => ({ value: kind, text: opening(kind, style) }));
  if (elements.length > 0) options.push({ value: 'end', text: END_OF_ANSWER });
  return options;
}

/** A line up to its first number. */
function opening(kind: ElementKind, style: AnswerStyle): string {
  const [name, brackets] = geometryOf(kind, style);
  return `{${key(style.kind, style)}"${kind}"${marksOf(style).comma}${key(name, style)}${brackets}`;
}

function geometryOf(kind: ElementKind, style: AnswerStyle): readonly [key: string, brackets: string] {
  if (isOneOf(BOX_KINDS, kind)) return [style.box, '['];
  if (isOneOf(LINE_KINDS, kind)) return [style.line, '['];
  return [kind === 'vanishing_point' ? style.lines : style.points, '[['];
}
