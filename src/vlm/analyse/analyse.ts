import { writeElements } from './elements-form.js';
import type { Conversation } from '../prompt/conversation.js';
import { fillTemplate } from '../prompt/template.js';
import { MAX_ELEMENTS, type Element } from '../../base/schema.js';
import { frameValues, spaceOf, type StageContext } from '../stage.js';

/** Stage 1, eq. (1), after the photo: composition prompt -> T_comp, 1 to MAX_ELEMENTS elements with coordinates in the stage's space. */
export async function analyse(chat: Conversation<unknown>, stage: StageContext): Promise<Element[]> {
  const { profile, sampling } = stage;
  chat.endUser(fillTemplate(profile.templates.analyse, { ...frameValues(stage), maxElements: MAX_ELEMENTS }));
  const elements = await writeElements(chat.answer(sampling), spaceOf(stage), profile.style);
  chat.endAnswer();
  return elements;
}
