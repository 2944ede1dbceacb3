import type { Box, Size } from '../../base/geometry.js';
import type { Verdict } from '../../base/verdicts.js';
import { ClampedAnswer } from '../answer/clamped-answer.js';
import { range } from '../answer/range.js';
import { END_OF_ANSWER, type AnswerWriter } from '../answer/writer.js';
import { openingOf, type AnswerLine, type AnswerPart, type Corner } from './answer-template.js';

/** How a model that proposes no candidates answers: in one of these lines. */
export interface OneBoxForm {
  readonly lines: readonly [AnswerLine, ...AnswerLine[]];
  /** The longest sentence it may give as its reason. */
  readonly reasonTokens: number;
}

export interface OneBoxAnswer {
  /** Absent where the verdict goes without. */
  readonly box?: Box;
  readonly verdict?: Verdict;
  readonly why?: string;
}

/** The one answer: a line of the form, its box anywhere in the space. What is wished for is met by the crop made of it. */
export async function writeOneBox(answer: AnswerWriter, space: Size, form: OneBoxForm): Promise<OneBoxAnswer> {
  const line = await chosenLine(answer, form);
  const { parts, verdict } = line;
  const numbers = new ClampedAnswer(answer, space);
  const said: Partial<Record<Corner, number>> = {};
  let why: string | undefined;
  let hasEnded = false;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (part.kind === 'text') {
      // With several lines the first text is what they were told apart by.
      if (i > 0 || form.lines.length === 1) answer.literal(part.text);
      continue;
    }
    const then = textAfter(parts, i);
    if (part.kind === 'why') {
      why = await answer.sentence({ maxTokens: form.reasonTokens, then: then! });
    } else {
      hasEnded = then === undefined;
      const field = await numbers.integer(allowed(part.corner, said, space), then ?? END_OF_ANSWER);
      said[part.corner] = field.value;
    }
    i++; // the text after it is written
  }
  if (!hasEnded) await answer.choose([{ value: 'end', text: END_OF_ANSWER }]);
  const { x1, y1, x2, y2 } = said;
  const box: Box | undefined = x1 === undefined ? undefined : [x1, y1!, x2!, y2!];
  return { ...(box && { box }), ...(verdict && { verdict }), ...(why !== undefined && { why }) };
}

async function chosenLine(answer: AnswerWriter, { lines }: OneBoxForm): Promise<AnswerLine> {
  if (lines.length === 1) return lines[0];
  return answer.choose(lines.map((line) => ({ value: line, text: openingOf(line.parts) })));
}

function textAfter(parts: readonly AnswerPart[], i: number): string | undefined {
  const next = parts[i + 1];
  return next?.kind === 'text' ? next.text : undefined;
}

/** A box of at least one unit each way. */
function allowed(corner: Corner, said: Partial<Record<Corner, number>>, { width, height }: Size): number[] {
  switch (corner) {
    case 'x1':
      return range(0, width - 1);
    case 'y1':
      return range(0, height - 1);
    case 'x2':
      return range(said.x1! + 1, width);
    case 'y2':
      return range(said.y1! + 1, height);
  }
}
