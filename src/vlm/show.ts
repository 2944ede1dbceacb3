import type { Conversation, SeenImage } from './prompt/conversation.js';
import { fillTemplate } from './prompt/template.js';
import { frameValues, type StageContext } from './stage.js';

/** Opens the conversation: the system's words, and the user's first turn with the photo in it. */
export async function showPhoto<Embedding>(
  chat: Conversation<Embedding>,
  photo: SeenImage<Embedding>,
  stage: StageContext,
): Promise<void> {
  const { system } = stage.profile.templates;
  if (system) chat.system(fillTemplate(system, frameValues(stage)));
  await showAgain(chat, photo, stage);
}

/** Opens a further turn of the user's with an image in it. */
export async function showAgain<Embedding>(
  chat: Conversation<Embedding>,
  image: SeenImage<Embedding>,
  { sampling }: Pick<StageContext, 'sampling'>,
): Promise<void> {
  chat.startUser();
  await chat.image(image, sampling.signal);
}
