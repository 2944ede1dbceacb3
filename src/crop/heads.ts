import { FramewrightError } from '../base/errors.js';
import type { ReadyPhoto } from './ready-photo.js';

/** Boxes to keep that nobody asked for by hand are named where they may be what makes a crop impossible. */
export function namingHeads<E>(error: E, { heads = [] }: ReadyPhoto): E | FramewrightError {
  if (!(error instanceof FramewrightError) || error.code !== 'ASPECT_IMPOSSIBLE' || heads.length === 0) return error;
  const message = `${error.message}; with faces, ${heads.length} heads count as boxes to keep`;
  return new FramewrightError('ASPECT_IMPOSSIBLE', message, { cause: error });
}
