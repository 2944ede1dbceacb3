import type { CandidateLimits, ProposedBox } from '../../engines/limits.js';
import { writeCandidates } from './candidates-form.js';
import type { Element } from '../../base/schema.js';
import { isTrueReason } from '../answer/true-reasons.js';
import { FramewrightError } from '../../base/errors.js';
import type { Conversation } from '../prompt/conversation.js';
import { fillTemplate, type TemplateValues } from '../prompt/template.js';
import { ratioInWords } from '../one-box/ratio-words.js';
import { numberList } from '../answer/style.js';
import { frameValues, type StageContext } from '../stage.js';

export interface ProposalRequest {
  readonly count: number;
  readonly limits: CandidateLimits;
  /** What was found in the photo; reasons are given from it. Default: nothing. */
  readonly elements?: readonly Element[];
  /** The image has no elements drawn on it. Default false. */
  readonly isPlain?: boolean;
  /** `width:height` as the user said it. */
  readonly aspect?: string;
  /** What the owner of the photo wants, in words. */
  readonly instruct?: string;
}

/** Stage 2, after the image it is about: `count` distinct candidate boxes in the limits' space, each with a reason. */
export async function propose(
  chat: Conversation<unknown>,
  request: ProposalRequest,
  stage: StageContext,
): Promise<ProposedBox[]> {
  chat.endUser(proposalPrompt(request, stage));
  const candidates = await writeCandidates(
    chat.answer(stage.sampling),
    request.limits,
    request.count,
    stage.profile,
    (box) => (phrase) => isTrueReason(phrase, box, request.limits.frame, request.elements ?? []),
  );
  chat.endAnswer();
  if (candidates.length > 0) return candidates;
  throw new FramewrightError(
    'ASPECT_IMPOSSIBLE',
    `no crop fits ${describe(request)} in this photo; use another aspect ratio, a smaller minimum size or fewer boxes to keep`,
  );
}

export function proposalPrompt(request: ProposalRequest, stage: StageContext): string {
  return fillTemplate(stage.profile.templates.propose, { ...wishValues(request, stage), count: request.count });
}

/** What a prompt that asks for crops may ask for. */
export function wishValues(
  { aspect, limits, isPlain, instruct }: Omit<ProposalRequest, 'count'>,
  stage: StageContext,
): TemplateValues {
  const { ratios, style } = stage.profile;
  return {
    ...frameValues(stage),
    aspect,
    ratio: ratios ? ratioInWords(aspect, stage.frame, ratios) : aspect,
    drawn: isPlain ? undefined : 'yes',
    keep: limits.keep && numberList(limits.keep, style),
    instruct,
  };
}

function describe({ aspect, limits }: ProposalRequest): string {
  return [
    aspect && `aspect ratio ${aspect}`,
    limits.keep && 'the boxes to keep',
    `a minimum size of ${String(limits.minSize)} of the photo`,
  ]
    .filter(Boolean)
    .join(', ');
}
