import { writeElements } from './elements-form.js';
import type { Conversation } from '../prompt/conversation.js';
import { fillTemplate } from '../prompt/template.js';
import { MAX_ELEMENTS, type Element } from '../../base/schema.js';
import type { StageContext } from '../stage.js';

/** Stage 1, eq. (1), after the photo: composition prompt -> T_comp, 1 to MAX_ELEMENTS elements with coordinates in the frame. */
export async function analyse(chat: Conversation<unknown>, stage: StageContext): Promise<Element[]> {
  const { frame, profile, sampling } = stage;
  const { width, height } = frame;
  chat.endUser(fillTemplate(profile.templates.analyse, { width, height, maxElements: MAX_ELEMENTS }));
  const elements = await writeElements(chat.answer(sampling), frame);
  chat.endAnswer();
  return elements;
}
