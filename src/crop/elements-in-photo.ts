import type { Element } from '../base/schema.js';
import type { CropOutcome } from './crop-outcome.js';

/** T_comp, in oriented photo pixels. */
export function elementsInPhoto({ ready, analysed }: Pick<CropOutcome, 'ready' | 'analysed'>): Element[] {
  return analysed.elements.map((element) => ready.map.toPhoto.element(element));
}
