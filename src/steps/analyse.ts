import { writeElements } from '../answer/elements-form.js';
import type { Conversation, SeenImage } from '../prompt/conversation.js';
import { fillTemplate } from '../prompt/template.js';
import { MAX_ELEMENTS, type Element } from '../schema.js';
import type { StageContext } from './stage.js';

/** Stage 1, eq. (1): photo + composition prompt -> T_comp, 1 to MAX_ELEMENTS elements with coordinates in the frame. */
export async function analyse<Embedding>(
  chat: Conversation<Embedding>,
  photo: SeenImage<Embedding>,
  stage: StageContext,
): Promise<Element[]> {
  const { frame, profile, sampling } = stage;
  if (profile.templates.system) chat.system(fillTemplate(profile.templates.system, {}));
  chat.startUser();
  await chat.image(photo, sampling.signal);
  const { width, height } = frame;
  chat.endUser(fillTemplate(profile.templates.analyse, { width, height, maxElements: MAX_ELEMENTS }));
  const elements = await writeElements(chat.answer(sampling), frame);
  chat.endAnswer();
  return elements;
}
