import type { ProposedBox } from '../../engines/limits.js';
import { boxOfSize } from '../../base/geometry.js';
import type { Conversation } from '../prompt/conversation.js';
import { fillTemplate } from '../prompt/template.js';
import { wishValues, type ProposalRequest } from '../propose/propose.js';
import { spaceOf, type StageContext } from '../stage.js';
import { writeOneBox, type OneBoxForm } from './one-box-form.js';

/** What is said where the model was not asked for a reason. */
const NO_REASON = 'the one box the model gives';

/**
 * The only question to a model that answers with one box, in the user's turn or in one of its own: the crop, and what the
 * model says of the photo where it is asked that. Without a box, as of a photo to keep, all of the photo.
 */
export async function askBox(
  chat: Conversation<unknown>,
  request: Omit<ProposalRequest, 'count'>,
  form: OneBoxForm,
  stage: StageContext,
): Promise<ProposedBox> {
  if (!chat.isUserTurn) chat.startUser();
  chat.endUser(boxPrompt(request, stage));
  const space = spaceOf(stage);
  const {
    box = boxOfSize(space),
    why = NO_REASON,
    verdict,
  } = await writeOneBox(chat.answer(stage.sampling), space, form);
  chat.endAnswer();
  return { boxInFrame: box, why, ...(verdict && { verdict }) };
}

export function boxPrompt(request: Omit<ProposalRequest, 'count'>, stage: StageContext): string {
  return fillTemplate(stage.profile.templates.decide, wishValues(request, stage));
}
