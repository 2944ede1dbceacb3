import type { Box } from '../../base/geometry.js';
import { leastTrim, type CandidateLimits, type ProposedBox } from '../../engines/limits.js';
import { CandidateSpace } from './candidate-space.js';
import { ClampedAnswer } from '../answer/clamped-answer.js';
import { type IsTrue, writeReason } from '../answer/reasons.js';
import { key, marksOf, type AnswerForm, type AnswerStyle } from '../answer/style.js';
import { END_OF_ANSWER, type AnswerWriter } from '../answer/writer.js';

/** The text before a candidate's first coordinate (what `rank` conditions on), and the text after its last one. */
export function aroundBox(style: AnswerStyle): { readonly opening: string; readonly closing: string } {
  return {
    opening: `{${key(style.box, style)}[`,
    closing: `]${marksOf(style).comma}${key(style.reason, style)}"`,
  };
}

/** Candidates are told apart by at least this share of the shorter side, where the limits leave that much room. */
const DISTINCT_SHARE = 1 / 32;

/**
 * The proposal answer, JSON Lines: `{"box":[x1,y1,x2,y2],"why":"..."}` a candidate (in the plain style), `count` of them, no
 * two alike. Fewer only where the limits (aspect, keep, minimum) leave fewer boxes; none where they leave none.
 */
export async function writeCandidates(
  answer: AnswerWriter,
  limits: CandidateLimits,
  count: number,
  { style, reasons }: AnswerForm,
  isTrueOf: (box: Box) => IsTrue = () => () => true,
): Promise<ProposedBox[]> {
  const candidates: ProposedBox[] = [];
  const numbers = style.clamps ? new ClampedAnswer(answer, limits.frame) : answer;
  const { opening, closing } = aroundBox(style);
  const { comma } = marksOf(style);
  while (candidates.length < count) {
    const taken = candidates.map(({ boxInFrame }) => boxInFrame);
    const room = firstWithRoom(limits, taken);
    if (!room) break;
    const { space, lefts } = room;
    answer.literal(opening);
    const x1 = (await numbers.integer(lefts, comma)).value;
    const y1 = (await numbers.integer(space.tops(x1), comma)).value;
    const x2 = (await numbers.integer(space.rights(x1, y1), comma)).value;
    const y2 = (await numbers.integer(space.bottoms(x1, y1, x2), closing)).value;
    const boxInFrame: Box = [x1, y1, x2, y2];
    candidates.push({ boxInFrame, why: await writeReason(answer, reasons, isTrueOf(boxInFrame)) });
  }
  await answer.choose([{ value: 'end', text: END_OF_ANSWER }]);
  return candidates;
}

/** Well apart and without slivers if that is possible, else merely different. */
function firstWithRoom(
  limits: CandidateLimits,
  taken: readonly Box[],
): { space: CandidateSpace; lefts: number[] } | undefined {
  const apart = Math.ceil(Math.min(limits.frame.width, limits.frame.height) * DISTINCT_SHARE);
  for (const space of [
    new CandidateSpace(limits, taken, apart, leastTrim(limits)),
    new CandidateSpace(limits, taken, apart),
    new CandidateSpace(limits, taken, 1),
  ]) {
    const lefts = space.lefts();
    if (lefts.length > 0) return { space, lefts };
  }
  return undefined;
}
