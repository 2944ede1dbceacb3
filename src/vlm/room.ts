import type { AnswerTokens } from './answer/answer-tokens.js';
import { marksOf } from './answer/style.js';
import { aroundBox } from './propose/candidates-form.js';
import { aroundBest } from './decide/decision-form.js';
import type { Reasons } from './answer/reasons.js';
import type { Box } from '../base/geometry.js';
import { decisionPrompt } from './decide/decide.js';
import type { AnswerPart } from './one-box/answer-template.js';
import { boxPrompt } from './one-box/ask-box.js';
import type { OneBoxForm } from './one-box/one-box-form.js';
import { proposalPrompt, type ProposalRequest } from './propose/propose.js';
import { spaceOf, type StageContext } from './stage.js';

/** What opens and closes the turns around a prompt and its answer. */
function turnCells({ noThoughts }: AnswerTokens): number {
  return 24 + noThoughts.length;
}

/** At most so many cells of the KV cache are taken by a proposal, prompt and answer. */
export function proposalCells(request: ProposalRequest, stage: StageContext, tokens: AnswerTokens): number {
  const { width, height } = spaceOf(stage);
  const { style } = stage.profile;
  const { opening, closing } = aroundBox(style);
  const edge = tokens.integer(Math.max(width, height)).length + tokens.literal(marksOf(style).comma).length;
  const candidate = tokens.literal(opening).length + 4 * edge + tokens.literal(closing).length;
  const answer = request.count * (candidate + reasonCells(stage.profile.reasons, tokens));
  return turnCells(tokens) + tokens.freeText(proposalPrompt(request, stage)).length + answer;
}

/** At most so many are taken by a question for one box, and its answer. */
export function boxCells(
  request: ProposalRequest,
  form: OneBoxForm,
  stage: StageContext,
  tokens: AnswerTokens,
): number {
  const { width, height } = spaceOf(stage);
  const number = tokens.integer(Math.max(width, height)).length;
  const longest = (parts: readonly AnswerPart[]): number =>
    parts.reduce((sum, part) => {
      if (part.kind === 'number') return sum + number;
      return sum + (part.kind === 'why' ? form.reasonTokens : tokens.literal(part.text).length);
    }, 0);
  const answer = Math.max(...form.lines.map(({ parts }) => longest(parts)));
  return turnCells(tokens) + tokens.freeText(boxPrompt(request, stage)).length + answer;
}

/** At most so many are taken by one vote on `count` candidates, and by the decision after it. */
export function voteCells(count: number, stage: StageContext, tokens: AnswerTokens): number {
  const { width, height } = spaceOf(stage);
  const { opening, closing } = aroundBest(stage.profile.style);
  const longest: Box = [width, height, width, height];
  const prompt = decisionPrompt(Array<Box>(count).fill(longest), stage);
  const answer = tokens.literal(opening).length + tokens.literal(closing).length;
  // Numbers of several digits are scored one by one, each on a cell of its own.
  const numbers = count * tokens.integer(count).length;
  return (
    turnCells(tokens) + tokens.freeText(prompt).length + answer + numbers + reasonCells(stage.profile.reasons, tokens)
  );
}

function reasonCells(reasons: Reasons, tokens: AnswerTokens): number {
  const ending = tokens.literal('"}\n').length;
  if (reasons.kind === 'sentence') return reasons.maxTokens + ending;
  return ending + Math.max(...reasons.phrases.map((phrase) => tokens.literal(phrase).length));
}
