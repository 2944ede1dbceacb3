import type { ProposedBox } from '../../engines/limits.js';
import { numberList } from '../answer/style.js';
import { aroundBest, writeDecision } from './decision-form.js';
import type { Box } from '../../base/geometry.js';
import type { Decision } from '../../engines/engine.js';
import { isTrueReason } from '../answer/true-reasons.js';
import type { Element } from '../../base/schema.js';
import type { Conversation } from '../prompt/conversation.js';
import { fillTemplate } from '../prompt/template.js';
import { frameValues, spaceOf, type StageContext } from '../stage.js';
import { inWaves } from '../waves.js';

/**
 * Stage 3: the numbered candidates -> the best one and why. The scores are the model's next-token probabilities of the
 * candidate numbers. A model prefers some positions in a list whatever stands there, so each of the `votes` shows the
 * list rotated by another number of places, and the probabilities are averaged. `atOnce` votes are cast
 * side by side. The reason is given from `elements`, what was found in the photo.
 */
export async function decide(
  chat: Conversation<unknown>,
  candidates: readonly ProposedBox[],
  votes: number,
  stage: StageContext,
  { elements = [], atOnce = votes }: { readonly elements?: readonly Element[]; readonly atOnce?: number } = {},
): Promise<Decision> {
  const nVotes = Math.min(votes, candidates.length);
  const rotations = Array.from({ length: nVotes }, (_, vote) => Math.round((vote * candidates.length) / nVotes));
  // The decision goes on from the list that is not rotated, so that vote is in the last wave.
  const perVote = await inWaves(chat, [...rotations.entries()], atOnce, (ballot, [vote, rotation]) => {
    ballot.listener = ballot.listener?.ofVote(vote);
    return castVote(ballot, candidates, rotation, stage);
  });
  const modelScores = candidates.map((_, i) => perVote.reduce((sum, scores) => sum + scores[i]!, 0) / nVotes);
  const best = modelScores.indexOf(Math.max(...modelScores));
  chat.listener?.decided(best, modelScores);
  const { profile, sampling } = stage;
  const why = await writeDecision(chat.answer(sampling), best + 1, profile, (phrase) =>
    isTrueReason(phrase, candidates[best]!.boxInFrame, spaceOf(stage), elements),
  );
  return { best, why, modelScores };
}

/** Without the stage: the candidate that was proposed first, none of them preferred. */
export function firstProposed(candidates: readonly ProposedBox[]): Decision {
  return { best: 0, why: candidates[0]!.why, modelScores: candidates.map(() => 1 / candidates.length) };
}

/** The probability of each candidate under one order of the list. Leaves the chat before the number of the best. */
async function castVote(
  chat: Conversation<unknown>,
  candidates: readonly ProposedBox[],
  rotation: number,
  stage: StageContext,
): Promise<number[]> {
  const n = candidates.length;
  const listed = candidates.map((_, place) => candidates[(place + rotation) % n]!.boxInFrame);
  if (!chat.isUserTurn) chat.startUser();
  chat.endUser(decisionPrompt(listed, stage));
  const { opening, closing } = aroundBest(stage.profile.style);
  chat.answer(stage.sampling).literal(opening);
  const places = await placeProbabilities(chat, n, closing, stage.sampling.signal);
  return candidates.map((_, i) => places[(i - rotation + n) % n]!);
}

export function decisionPrompt(listed: readonly Box[], stage: StageContext): string {
  const { style, templates } = stage.profile;
  const list = listed.map((box, place) => `${String(place + 1)}: ${numberList(box, style)}`).join('\n');
  return fillTemplate(templates.decide, { ...frameValues(stage), candidates: list });
}

/** P(number k is said next, `closing` after it) for k = 1..n, normalised over these numbers. */
async function placeProbabilities(
  chat: Conversation<unknown>,
  n: number,
  closing: string,
  signal?: AbortSignal,
): Promise<number[]> {
  const options = chat.tokens.integerSet(
    Array.from({ length: n }, (_, i) => i + 1),
    [closing],
  );
  const firstTokens = Int32Array.from({ length: n }, (_, i) => options.tokenAt(i, 0)!);
  const { logProbs } = await chat.flush(signal, firstTokens);
  if (new Set(firstTokens).size === n) return softmax(Array.from(logProbs));
  // Numbers of several digits share their first: score each number to where its end shows.
  const sequences = Array.from({ length: n }, (_, i) =>
    Int32Array.from([...chat.tokens.integer(i + 1), options.tokenAt(i, chat.tokens.integer(i + 1).length)!]),
  );
  const scored = await chat.session.score(sequences, signal ? { signal } : {});
  return softmax(scored.map((tokenLogProbs) => tokenLogProbs.reduce((sum, logProb) => sum + logProb, 0)));
}

function softmax(logits: readonly number[]): number[] {
  const greatest = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - greatest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
