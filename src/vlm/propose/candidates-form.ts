import type { Box } from '../../base/geometry.js';
import { leastTrim, type CandidateLimits, type ProposedBox } from '../../engines/limits.js';
import { CandidateSpace } from './candidate-space.js';
import { type IsTrue, type Reasons, writeReason } from '../answer/reasons.js';
import { END_OF_ANSWER, type AnswerWriter } from '../answer/writer.js';

/** The text between the opening of a candidate line and its first coordinate: what `rank` conditions on. */
export const CANDIDATE_OPENING = '{"box":[';
export const CANDIDATE_CLOSING = '],"why":"';

/** Candidates are told apart by at least this share of the shorter side, where the limits leave that much room. */
const DISTINCT_SHARE = 1 / 32;

/**
 * The proposal answer, JSON Lines: `{"box":[x1,y1,x2,y2],"why":"..."}` a candidate, `count` of them, no two alike. Fewer
 * only where the limits (aspect, keep, minimum) leave fewer boxes; none where they leave none.
 */
export async function writeCandidates(
  answer: AnswerWriter,
  limits: CandidateLimits,
  count: number,
  reasons: Reasons,
  isTrueOf: (box: Box) => IsTrue = () => () => true,
): Promise<ProposedBox[]> {
  const candidates: ProposedBox[] = [];
  while (candidates.length < count) {
    const taken = candidates.map(({ boxInFrame }) => boxInFrame);
    const room = firstWithRoom(limits, taken);
    if (!room) break;
    const { space, lefts } = room;
    answer.literal(CANDIDATE_OPENING);
    const x1 = (await answer.integer(lefts, ',')).value;
    const y1 = (await answer.integer(space.tops(x1), ',')).value;
    const x2 = (await answer.integer(space.rights(x1, y1), ',')).value;
    const y2 = (await answer.integer(space.bottoms(x1, y1, x2), CANDIDATE_CLOSING)).value;
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
