import { lotsFor } from '../lots.js';
import type { Problem, Split, TastePhoto } from '../sources/types.js';
import { hashDistance, NEAR_SIGNS, type PerceptualHash } from './perceptual-hash.js';

/** A photo with what tells it from others. */
export interface HashedPhoto {
  readonly photo: TastePhoto;
  readonly hash: PerceptualHash;
}

/** One turn of a cross-validation. */
export interface Fold {
  readonly number: number;
  readonly of: number;
}

export interface SplitOptions {
  /** Of the photos whose source does not say where they belong, 0..1. */
  readonly heldOutShare: number;
  /** In place of a share: of so many parts, as even as can be, this one, from 1; each photo is in one of them. */
  readonly fold?: Fold;
  readonly seed: number;
  /** Photos that nothing near may be trained on or measured with, e.g. those of a benchmark. */
  readonly apartFrom?: readonly { readonly id: string; readonly hash: PerceptualHash }[];
}

export interface SplitPhoto {
  readonly photo: TastePhoto;
  readonly split: Split;
}

export interface SplitResult {
  readonly photos: readonly SplitPhoto[];
  /** Photos left out because another one shows the same, each with which. */
  readonly duplicates: readonly Problem[];
  /** Photos left out because a photo that is measured with shows the same. */
  readonly leaks: readonly Problem[];
}

/**
 * Divides by photo, the same for the same seed. Of photos that show the same the first is kept; where one of them is for
 * measuring by its source's own division, that one is, so that nothing is measured on what was trained on.
 */
export function splitPhotos(photos: readonly HashedPhoto[], options: SplitOptions): SplitResult {
  const { heldOutShare, fold, seed, apartFrom = [] } = options;
  const duplicates: Problem[] = [];
  const leaks: Problem[] = [];
  const kept: HashedPhoto[] = [];
  // Those for measuring come first, so that what is near to them is left out, not they.
  const inOrder = [...photos].sort((a, b) => Number(isHeldOut(b)) - Number(isHeldOut(a)));
  for (const item of inOrder) {
    const { id } = item.photo;
    const foreign = apartFrom.find(({ hash }) => isNear(hash, item.hash));
    const near = kept.find(({ photo, hash }) => photo.path !== item.photo.path && isNear(hash, item.hash));
    if (foreign) leaks.push({ id, reason: `shows the same as ${foreign.id}, which is to be kept apart` });
    else if (!near) kept.push(item);
    else if (isHeldOut(near) && item.photo.split === 'train') {
      leaks.push({ id, reason: `shows the same as ${near.photo.id}, which is held out` });
    } else duplicates.push({ id, reason: `shows the same as ${near.photo.id}` });
  }
  const order = new Map(photos.map(({ photo }, i) => [photo, i]));
  kept.sort((a, b) => order.get(a.photo)! - order.get(b.photo)!);
  const undivided = new Set(kept.filter(({ photo }) => photo.split === undefined).map(({ photo }) => photo.path));
  const upTo = (share: number): number => Math.round(undivided.size * share);
  const [first, end] = fold
    ? [upTo((fold.number - 1) / fold.of), upTo(fold.number / fold.of)]
    : [0, upTo(heldOutShare)];
  // By file: a photo that was cropped to two shapes is on one side with both.
  const ids = new Map(kept.map(({ photo }) => [photo.path, photo.id]));
  const byLot = [...undivided]
    .map((path) => ({ path, id: ids.get(path)!, lot: lotsFor(seed, `held out: ${ids.get(path)!}`)() }))
    .sort((a, b) => a.lot - b.lot || (a.id < b.id ? -1 : 1))
    .slice(first, end);
  const heldOut = new Set(byLot.map(({ path }) => path));
  return {
    photos: kept.map(({ photo }) => ({ photo, split: photo.split ?? (heldOut.has(photo.path) ? 'heldout' : 'train') })),
    duplicates,
    leaks,
  };
}

function isHeldOut({ photo }: HashedPhoto): boolean {
  return photo.split === 'heldout';
}

function isNear(a: PerceptualHash, b: PerceptualHash): boolean {
  return hashDistance(a, b) <= NEAR_SIGNS;
}
