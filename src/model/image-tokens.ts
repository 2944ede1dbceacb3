import { cellPxOf, type ModelFamily } from '../../gguf/index.js';
import type { ModelUse } from './manifest.js';

/** Images a conversation holds: the photo, and the photo redrawn. */
const IMAGES = 2;

/** Image tokens a photo is seen with at most. */
export function imageTokensOf({ pixelBudget }: Pick<ModelUse, 'pixelBudget'>, family: ModelFamily): number {
  return Math.floor(pixelBudget.max / cellPxOf(family) ** 2);
}

/** The same use with photos seen at `imageTokens` at most, its least size in proportion, and cells for them. */
export function withImageTokens(use: ModelUse, imageTokens: number, family: ModelFamily): ModelUse {
  const { min, max } = use.pixelBudget;
  const most = imageTokens * cellPxOf(family) ** 2;
  const more = IMAGES * Math.max(0, imageTokens - imageTokensOf(use, family));
  return {
    ...use,
    pixelBudget: { min: Math.min(most, Math.round((min * most) / max)), max: most },
    contextCells: use.contextCells + more,
  };
}
