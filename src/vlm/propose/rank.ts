import { FramewrightError } from '../../base/errors.js';
import type { Box } from '../../base/geometry.js';
import type { AnswerTokens } from '../answer/answer-tokens.js';
import { marksOf } from '../answer/style.js';
import { CORNERS, openingOf, type AnswerPart } from '../one-box/answer-template.js';
import { boxPrompt } from '../one-box/ask-box.js';
import type { Conversation } from '../prompt/conversation.js';
import type { PromptProfile } from '../prompt/prompt-profile.js';
import { spaceOf, type StageContext } from '../stage.js';
import { aroundBox } from './candidates-form.js';
import { proposalPrompt } from './propose.js';

/**
 * Log-likelihood (natural) of each box as the first candidate of the proposal stage, or as the one box of a model that
 * answers so, under one common context, all scored as parallel sequences. The boxes must be apart by at least one of what
 * answers count in to be told apart. The chat is used up.
 *
 * @throws FramewrightError USAGE where the model gives its reason before the box
 */
export async function rank(
  chat: Conversation<unknown>,
  boxesInFrame: readonly Box[],
  stage: StageContext,
  isPlain: boolean,
): Promise<number[]> {
  const { sampling, profile } = stage;
  const request = { count: 1, limits: { frame: spaceOf(stage), minSize: 0 }, isPlain };
  if (!chat.isUserTurn) chat.startUser();
  chat.endUser(profile.oneBox ? boxPrompt(request, stage) : proposalPrompt(request, stage));
  const parts = boxParts(profile);
  chat.answer(sampling).literal(openingOf(parts));
  await chat.flush(sampling.signal);
  const sequences = boxesInFrame.map((box) => tokensOf(parts, box, chat.tokens));
  const scored = await chat.session.score(sequences, sampling.signal ? { signal: sampling.signal } : {});
  return scored.map((tokenLogProbs) => tokenLogProbs.reduce((sum, logProb) => sum + logProb, 0));
}

/** How the box stands in the answer, up to what shows that its last number has ended. */
function boxParts({ style, oneBox }: PromptProfile): readonly AnswerPart[] {
  if (!oneBox) {
    const { opening, closing } = aroundBox(style);
    const between = marksOf(style).comma;
    return [
      { kind: 'text', text: opening },
      ...CORNERS.flatMap((corner, i): AnswerPart[] => [
        { kind: 'number', corner },
        { kind: 'text', text: i < 3 ? between : closing },
      ]),
    ];
  }
  const { parts } = oneBox.lines.find(({ verdict }) => verdict === 'refine') ?? oneBox.lines[0];
  const upTo = parts.slice(0, parts.findLastIndex(({ kind }) => kind === 'number') + 2);
  if (upTo.slice(0, -1).some(({ kind }) => kind === 'why')) {
    throw new FramewrightError(
      'USAGE',
      'the model gives its reason before the box: boxes have no likelihood of their own',
    );
  }
  return upTo;
}

/** From after the opening to the first token after the last number. */
function tokensOf(parts: readonly AnswerPart[], box: Box, tokens: AnswerTokens): Int32Array {
  const rest = openingOf(parts) === '' ? parts : parts.slice(1);
  const ids = rest.flatMap((part, i): number[] => {
    if (part.kind === 'number') return [...tokens.integer(box[CORNERS.indexOf(part.corner)]!)];
    const text = [...tokens.literal(part.kind === 'text' ? part.text : '')];
    return i < rest.length - 1 ? text : text.slice(0, 1);
  });
  return Int32Array.from(rest.at(-1)?.kind === 'number' ? [...ids, tokens.endOfTurn] : ids);
}
