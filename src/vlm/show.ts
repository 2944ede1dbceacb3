import type { Conversation, SeenImage } from './prompt/conversation.js';
import { fillTemplate } from './prompt/template.js';
import type { StageContext } from './stage.js';

/** Opens the conversation: the system's words, and the user's first turn with the photo in it. */
export async function showPhoto<Embedding>(
  chat: Conversation<Embedding>,
  photo: SeenImage<Embedding>,
  { profile, sampling }: StageContext,
): Promise<void> {
  if (profile.templates.system) chat.system(fillTemplate(profile.templates.system, {}));
  await showAgain(chat, photo, { sampling });
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
