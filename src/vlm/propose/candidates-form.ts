import { boxArea, type Box, type Size } from '../../base/geometry.js';
import { CandidateSpace, type CandidateLimits } from './candidate-space.js';
import type { Reasons } from '../answer/reasons.js';
import { writeReason } from '../answer/reasons.js';
import { END_OF_ANSWER, type AnswerWriter } from '../answer/writer.js';

/** The text between the opening of a candidate line and its first coordinate: what `rank` conditions on. */
export const CANDIDATE_OPENING = '{"box":[';
export const CANDIDATE_CLOSING = '],"why":"';

/** Candidates are told apart by at least this share of the shorter side, where the limits leave that much room. */
const DISTINCT_SHARE = 1 / 32;

/** Nobody trims less than this share of a side; where no ratio says how much to trim, a candidate does not either. */
const LEAST_TRIM_SHARE = 1 / 50;

export interface ProposedBox {
  readonly boxInFrame: Box;
  readonly why: string;
}

/**
 * The proposal answer, JSON Lines: `{"box":[x1,y1,x2,y2],"why":"..."}` a candidate, `count` of them, no two alike. Fewer
 * only where the limits (aspect, keep, minimum) leave fewer boxes; none where they leave none.
 */
export async function writeCandidates(
  answer: AnswerWriter,
  limits: CandidateLimits,
  count: number,
  reasons: Reasons,
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
    candidates.push({ boxInFrame: [x1, y1, x2, y2], why: await writeReason(answer, reasons) });
  }
  await answer.choose([{ value: 'end', text: END_OF_ANSWER }]);
  return candidates;
}

/** Whether a box is one the proposal answer may give, were it not for the ratio. */
export function meetsLimits(box: Box, limits: CandidateLimits): boolean {
  const { frame, keep, minShare } = limits;
  const holds = !keep || (box[0] <= keep[0] && box[1] <= keep[1] && box[2] >= keep[2] && box[3] >= keep[3]);
  return holds && boxArea(box) >= minShare * frame.width * frame.height && !trimsSliver(box, limits);
}

/** Whether the proposal answer avoids this box for what it trims. */
function trimsSliver([x1, y1, x2, y2]: Box, limits: CandidateLimits): boolean {
  const least = leastTrim(limits);
  if (!least) return false;
  const { width, height } = limits.frame;
  const isSliver = (trimmed: number, side: keyof Size): boolean => trimmed > 0 && trimmed < least[side];
  return (
    isSliver(x1, 'width') || isSliver(y1, 'height') || isSliver(width - x2, 'width') || isSliver(height - y2, 'height')
  );
}

/** Least distance from the frame's side of an edge that is not at it, across and down. */
function leastTrim({ frame, heightPerWidth }: CandidateLimits): Size | undefined {
  if (heightPerWidth !== undefined) return undefined;
  return {
    width: Math.ceil(frame.width * LEAST_TRIM_SHARE),
    height: Math.ceil(frame.height * LEAST_TRIM_SHARE),
  };
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
