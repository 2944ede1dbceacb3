import { formatAspect, type Target } from '../../crop/target.js';
import type { Cropper } from '../../cropper/cropper.js';
import type { PhotoInput } from '../../photo/input-kinds.js';
import type { OwnAnswer } from '../sources/types.js';

/** Who names compositions that nobody labelled, and proposes crops where people made few. */
export interface Analyst {
  /** For people: `rules`, or a model's name. */
  readonly name: string;
  /** Pixels of the upright photo. */
  look(photo: PhotoInput, target: Target, signal?: AbortSignal): Promise<OwnAnswer>;
}

/** The product itself: a model, or the rules. */
export function analystOf(cropper: Cropper): Analyst {
  return {
    name: cropper.model?.name ?? cropper.engine,
    look: async (photo, { aspect }, signal) => {
      const { analysis, candidates, best } = await cropper.crop(photo, {
        ...(aspect && { aspect: formatAspect(aspect) }),
        ...(signal && { signal }),
      });
      return { elements: analysis, candidates: candidates.map(({ box }) => box), best };
    },
  };
}
