import { counted } from '../../base/counted.js';
import { FramewrightError, messageOf } from '../../base/errors.js';
import { intersectionOverUnion } from '../../base/geometry.js';
import type { Analyst } from '../export/analyst.js';
import type { OwnAnswer, PreferredPair, Problem, TastePhoto, TasteSource } from '../sources/types.js';
import { AGREED_IOU, pairsAgainstOwn } from '../targets/pairs-against-own.js';
import type { ChosenCrop, ChosenCrops } from './chosen-crops.js';

export interface PreferenceOptions {
  /** The model to be trained, as it is. */
  readonly analyst: Analyst;
  readonly onProgress?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * What the choices prefer: each picked or moved crop against the one it was chosen over, where a choice says which, and
 * against the model's own and its other candidates. Where a
 * choice agrees with the model nothing is preferred, and it is still an example of a good crop.
 *
 * @throws FramewrightError DATASET_INVALID where there are no choices, or all of them agree with the model
 */
export async function preferencesOf(
  { chosen, problems, nPhotos }: ChosenCrops,
  { analyst, onProgress, signal }: PreferenceOptions,
): Promise<TasteSource> {
  const photos: TastePhoto[] = [];
  let nOther = 0;
  const missing: Problem[] = [...problems];
  for (const [i, choice] of chosen.entries()) {
    signal?.throwIfAborted();
    onProgress?.(`what ${analyst.name} makes of it: ${i + 1} of ${chosen.length}, ${choice.id}`);
    try {
      const { id, path, box, target } = choice;
      const own = await analyst.look(path, target, signal);
      const pairs = pairAgainstDeclined(choice, own);
      if (pairs.length > 0 || pairsAgainstOwn(box, own).length > 0) nOther++;
      photos.push({ id, path, target, own, crops: [{ box, rating: 1 }], pairs, isPreferredToOwn: true });
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof FramewrightError) || error.code === 'DISPOSED') throw error;
      missing.push({ id: choice.id, reason: messageOf(error) });
    }
  }
  if (photos.length === 0) {
    const why = missing.length > 0 ? `, e.g. ${missing[0]!.id}: ${missing[0]!.reason}` : '';
    throw new FramewrightError('DATASET_INVALID', `no crop made by hand in ${counted(nPhotos, 'photo')}${why}`);
  }
  if (nOther === 0) {
    throw new FramewrightError(
      'DATASET_INVALID',
      `all ${photos.length} choices are the crops of ${analyst.name} itself: there is nothing to learn from them`,
    );
  }
  return { name: 'own choices', photos, ratingGap: 1, missing, repairs: [] };
}

/** Against the crop that was declined, where that is neither the choice nor what the model would offer again. */
function pairAgainstDeclined({ box, declined }: ChosenCrop, own: OwnAnswer): PreferredPair[] {
  if (!declined) return [];
  const isKnown = [box, own.candidates[own.best]!].some((crop) => intersectionOverUnion(crop, declined) >= AGREED_IOU);
  return isKnown ? [] : [{ chosen: box, rejected: declined }];
}
