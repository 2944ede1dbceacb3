import { cellPxOf, FAMILIES } from '../../gguf/index.js';
import type { AnswerTokens } from '../vlm/answer/answer-tokens.js';
import { writeCandidates } from '../vlm/propose/candidates-form.js';
import type { ProposedBox } from '../engines/limits.js';
import { aroundBest, writeDecision } from '../vlm/decide/decision-form.js';
import { writeElements } from '../vlm/analyse/elements-form.js';
import { RecordedAnswer } from '../vlm/answer/recorded-answer.js';
import type { AnswerWriter, Tokenizer } from '../vlm/answer/writer.js';
import type { Coordinates } from '../base/coordinates.js';
import { FramewrightError } from '../base/errors.js';
import type { Box, Size } from '../base/geometry.js';
import type { IsTrue } from '../vlm/answer/reasons.js';
import { isTrueReason } from '../vlm/answer/true-reasons.js';
import { Conversation, type SeenImage } from '../vlm/prompt/conversation.js';
import type { PromptProfile } from '../vlm/prompt/prompt-profile.js';
import type { Element } from '../base/schema.js';
import { analyse } from '../vlm/analyse/analyse.js';
import { decide } from '../vlm/decide/decide.js';
import { showAgain, showPhoto } from '../vlm/show.js';
import { propose, type ProposalRequest } from '../vlm/propose/propose.js';
import { spaceOf, type StageContext } from '../vlm/stage.js';
import { OracleSession, type Decision, type Label, type PlaceholderImage } from './oracle-session.js';
import { candidateValues, elementValues } from './target-values.js';

/** What a model should say about one photo. */
export interface ConversationTarget {
  readonly frame: Size;
  /** As `canonicalElements` gives them, in what answers count in, as the request's limits and the candidates. */
  readonly elements: readonly Element[];
  readonly request: ProposalRequest;
  /** Best first, or in any order the model is to see; each within the request's limits. */
  readonly candidates: readonly ProposedBox[];
  /** The order the numbered list shows them in. Default: as proposed. */
  readonly listOrder?: readonly number[];
  /** Probability of each candidate (as proposed) to be the best one; sums to 1. */
  readonly preference: readonly number[];
  /** Why the most preferred one. */
  readonly why: string;
}

export interface ConversationRecord {
  readonly tokens: readonly number[];
  readonly labels: readonly Label[];
  /** How many of the labels belong to analyse, propose and decide, in this order. */
  readonly nLabels: readonly [analyse: number, propose: number, decide: number];
}

export interface RecordOptions {
  readonly tokenizer: Tokenizer;
  readonly tokens: AnswerTokens;
  readonly profile: PromptProfile;
  /** Side of the square that one image token covers. Default: that of a Qwen2.5-VL. */
  readonly cellPx?: number;
  /** What answers count in. Default: what those of a Qwen2.5-VL do. */
  readonly coordinates?: Coordinates;
}

/** Runs the three stages on what the model should say; what comes out is what the loss is taken over. */
export async function recordConversation(
  target: ConversationTarget,
  { tokenizer, tokens, profile, cellPx = cellPxOf(FAMILIES.qwen2vl), coordinates = 'pixels' }: RecordOptions,
): Promise<ConversationRecord> {
  const { frame, elements, request, candidates } = target;
  const session = new OracleSession(tokenizer.tokenize('<|image_pad|>', { special: true })[0]!);
  const chat = new Conversation<PlaceholderImage>(session, tokenizer, tokens);
  const stage: StageContext = { frame, coordinates, profile, sampling: {} };
  const space = spaceOf(stage);
  const { style } = profile;
  const image: SeenImage<PlaceholderImage> = {
    frame,
    rgb: new Uint8Array(0), // nobody looks: the pixels of training photos travel beside the tokens
    embedding: { nTokens: (frame.width / cellPx) * (frame.height / cellPx) },
  };
  const isTrueOf =
    (box: Box): IsTrue =>
    (phrase) =>
      isTrueReason(phrase, box, space, elements);
  const counts: number[] = [];
  const endStage = (): void => {
    if (session.nExpected > 0) throw new FramewrightError('INTERNAL', 'a training target was not asked for');
    counts.push(session.labels.length - counts.reduce((sum, n) => sum + n, 0));
  };

  session.expect(
    await decisionsOf(tokens, elementValues(elements, style), (answer) => writeElements(answer, space, style)),
  );
  await showPhoto(chat, image, stage);
  await analyse(chat, stage);
  endStage();

  await showAgain(chat, image, stage);
  session.expect(
    await decisionsOf(tokens, candidateValues(candidates), (answer) =>
      writeCandidates(answer, request.limits, request.count, profile, isTrueOf),
    ),
  );
  await propose(chat, { ...request, elements }, stage);
  endStage();

  const order = target.listOrder ?? candidates.map((_, i) => i);
  const best = target.preference.indexOf(Math.max(...target.preference));
  const numbers = tokens.integerSet(
    order.map((_, i) => i + 1),
    [aroundBest(profile.style).closing],
  );
  session.expect([
    { probabilities: new Map(order.map((index, i) => [numbers.tokenAt(i, 0)!, target.preference[index]!])) },
    ...(await decisionsOf(tokens, [target.why, 'end'], (answer) =>
      writeDecision(answer, order.indexOf(best) + 1, profile, isTrueOf(candidates[best]!.boxInFrame)),
    )),
  ]);
  const listed = order.map((index) => candidates[index]!);
  await decide(chat, listed, 1, stage, { elements });
  await chat.flush(); // the end of the last answer
  endStage();
  return { tokens: session.tokens, labels: session.labels, nLabels: [counts[0]!, counts[1]!, counts[2]!] };
}

async function decisionsOf(
  tokens: AnswerTokens,
  values: readonly (string | number)[],
  write: (answer: AnswerWriter) => Promise<unknown>,
): Promise<Decision[]> {
  const answer = new RecordedAnswer(tokens, values);
  await write(answer);
  if (answer.nTargetsLeft > 0) {
    throw new FramewrightError(
      'ANSWER_INVALID',
      `${answer.nTargetsLeft} values of the target answer were not asked for`,
    );
  }
  return answer.tokenIds.flatMap((token, i) => {
    const closes = answer.sentences.get(i);
    return answer.decided[i] ? [{ token, ...(closes && { closes }) }] : [];
  });
}
