import { writeReason, type IsTrue, type Reasons } from '../answer/reasons.js';
import { END_OF_ANSWER, type AnswerWriter } from '../answer/writer.js';

export const DECISION_OPENING = '{"best":';
export const DECISION_CLOSING = ',"why":"';

/**
 * The decision answer, one JSON line: `{"best":k,"why":"..."}`. `best` (1-based) is settled before, from the
 * probabilities of all numbers, so it is written, not decided.
 */
export async function writeDecision(
  answer: AnswerWriter,
  best: number,
  reasons: Reasons,
  isTrue?: IsTrue,
): Promise<string> {
  answer.literal(`${String(best)}${DECISION_CLOSING}`);
  const why = await writeReason(answer, reasons, isTrue);
  await answer.choose([{ value: 'end', text: END_OF_ANSWER }]);
  return why;
}
