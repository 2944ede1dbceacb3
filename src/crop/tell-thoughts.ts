import { boxOfRect } from '../base/geometry.js';
import type { CropOutcome } from './crop-outcome.js';
import { elementsInPhoto } from './elements-in-photo.js';
import { exactCrops } from './exact-crops.js';

/** Tells whoever follows the thoughts about a photo which composition was found, in the photo's pixels. */
export function tellElements(outcome: Pick<CropOutcome, 'ready' | 'wishes' | 'analysed'>): void {
  outcome.wishes.onThought?.({ kind: 'elements', stage: 'analyse', elements: elementsInPhoto(outcome) });
}

/** Tells which crops were proposed for a target, as they will stand in its result. */
export function tellCandidates(outcome: Omit<CropOutcome, 'decided'>): void {
  const { onThought } = outcome.wishes;
  if (!onThought) return;
  const boxes = exactCrops(outcome).map(boxOfRect);
  onThought({ kind: 'candidates', stage: 'propose', boxes }, outcome.settled.target);
}
