import { FramewrightError } from '../../base/errors.js';
import { FALLBACKS } from '../../base/schema.js';
import type { BatchSettings } from '../settings.js';
import { filesOf, STDOUT, type PlannedPhoto } from './planned-photo.js';

/**
 * Where a crop goes to stdout, there is to be one, and somebody to take it.
 *
 * @throws FramewrightError USAGE
 */
export function refuseStdout(
  photos: readonly PlannedPhoto[],
  { dryRun, minConfidence, fallback = 'review', stdout }: BatchSettings,
): void {
  if (dryRun || !photos.some((photo) => filesOf(photo).includes(STDOUT))) return;
  if (minConfidence !== undefined && fallback === 'review') {
    const others = FALLBACKS.filter((name) => name !== 'review').join(', ');
    throw new FramewrightError(
      'USAGE',
      `a crop left for review would leave stdout empty; choose another --fallback (${others}), or name a file with --output`,
    );
  }
  if (!stdout) throw new FramewrightError('USAGE', 'there is no stdout to take the crop; name a file with --output');
}
