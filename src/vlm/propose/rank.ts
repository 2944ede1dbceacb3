import { marksOf } from '../answer/style.js';
import { aroundBox } from './candidates-form.js';
import type { Box } from '../../base/geometry.js';
import type { Conversation } from '../prompt/conversation.js';
import { proposalPrompt } from './propose.js';
import { spaceOf, type StageContext } from '../stage.js';

/**
 * Log-likelihood (natural) of each box as the first candidate of the proposal stage, under one common context, all scored
 * as parallel sequences. The boxes must be apart by at least one of what answers count in to be told apart. The chat is used up.
 */
export async function rank(
  chat: Conversation<unknown>,
  boxesInFrame: readonly Box[],
  stage: StageContext,
  isPlain: boolean,
): Promise<number[]> {
  const { sampling, profile } = stage;
  const { opening, closing: after } = aroundBox(profile.style);
  chat.endUser(proposalPrompt({ count: 1, limits: { frame: spaceOf(stage), minSize: 0 }, isPlain }, stage));
  chat.answer(sampling).literal(opening);
  await chat.flush(sampling.signal);
  const { tokens } = chat;
  const comma = tokens.literal(marksOf(profile.style).comma);
  const closing = tokens.literal(after).slice(0, 1); // what shows that the last number has ended
  const sequences = boxesInFrame.map((box) =>
    Int32Array.from(box.flatMap((edge, i) => [...tokens.integer(edge), ...(i < 3 ? comma : closing)])),
  );
  const scored = await chat.session.score(sequences, sampling.signal ? { signal: sampling.signal } : {});
  return scored.map((tokenLogProbs) => tokenLogProbs.reduce((sum, logProb) => sum + logProb, 0));
}
