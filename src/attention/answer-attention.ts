import type { HeldPhoto } from '../cropper/held-photo.js';
import type { Size } from '../base/geometry.js';
import type { Element } from '../base/schema.js';
import type { ConversationPart } from '../engines/engine.js';
import { coveredCells } from './covered-cells.js';
import { summarise, type ConditionAttention } from './photo-attention.js';
import { replayAttention } from './replay.js';
import { conversationGroups } from './token-groups.js';

/** What one answer of a conversation attends to. */
export interface AnswerOfConversation {
  /** Image tokens across and down. */
  readonly grid: Size;
  readonly attention: ConditionAttention;
}

/**
 * What each answer of a conversation about a photo attends to, in order: each puts all before it through the model again.
 *
 * @param elements the composition found in it, in oriented photo pixels
 */
export async function* answersAttention(
  held: Pick<HeldPhoto, 'withModel' | 'widthPx' | 'heightPx'>,
  parts: readonly ConversationPart[],
  elements: readonly Element[],
  signal?: AbortSignal,
): AsyncGenerator<AnswerOfConversation, void, undefined> {
  const { frame } = parts.find((part) => part.kind === 'image')!.image;
  for (const [i, { kind }] of parts.entries()) {
    if (kind !== 'answer') continue;
    const upToHere = parts.slice(0, i + 1);
    yield await held.withModel(signal, async (model, both) => {
      const grid = { width: frame.width / model.cellPx, height: frame.height / model.cellPx };
      const inside = coveredCells(elements, { width: held.widthPx, height: held.heightPx }, grid);
      const groups = conversationGroups(upToHere, inside, (token) => model.tokenText(token));
      return { grid, attention: summarise(await replayAttention(model, upToHere, both), groups) };
    });
  }
}
