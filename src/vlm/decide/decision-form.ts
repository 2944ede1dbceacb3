import { writeReason, type IsTrue } from '../answer/reasons.js';
import { key, marksOf, type AnswerForm, type AnswerStyle } from '../answer/style.js';
import { END_OF_ANSWER, type AnswerWriter } from '../answer/writer.js';

/** The text before the number of the best candidate, and the text after it. */
export function aroundBest(style: AnswerStyle): { readonly opening: string; readonly closing: string } {
  return { opening: `{${key('best', style)}`, closing: `${marksOf(style).comma}${key('why', style)}"` };
}

/**
 * The decision answer, one JSON line: `{"best":k,"why":"..."}` in the plain style. `best` (1-based) is settled before, from the
 * probabilities of all numbers, so it is written, not decided.
 */
export async function writeDecision(
  answer: AnswerWriter,
  best: number,
  { style, reasons }: AnswerForm,
  isTrue?: IsTrue,
): Promise<string> {
  answer.literal(`${String(best)}${aroundBest(style).closing}`);
  const why = await writeReason(answer, reasons, isTrue);
  await answer.choose([{ value: 'end', text: END_OF_ANSWER }]);
  return why;
}
