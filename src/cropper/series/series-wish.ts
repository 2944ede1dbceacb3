import { FramewrightError } from '../../base/errors.js';

/**
 * Which photos of a batch are a series, whose crops are to be one: `auto`, those taken one soon after the other that show the
 * same; `folder`, those of a folder, whatever they show.
 */
export const SERIES = ['off', 'auto', 'folder'] as const;
export type SeriesWish = (typeof SERIES)[number];

/** @throws FramewrightError USAGE for wishes that name pixels, which are others in each photo of a series */
export function checkSeries(
  wish: SeriesWish | undefined,
  wishes: { keep?: readonly unknown[]; focus?: unknown },
): void {
  if (wish === undefined || wish === 'off') return;
  const idle = wishes.keep && wishes.keep.length > 0 ? 'keep' : wishes.focus === undefined ? undefined : 'focus';
  if (idle === undefined) return;
  throw new FramewrightError(
    'USAGE',
    `series ${wish} takes a crop over to where its subject is in the next photo, and ${idle} is at the same pixels in all; leave out one, or say ${idle} of single photos (--hints)`,
  );
}
