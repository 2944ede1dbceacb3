import path from 'node:path';
import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import { expandInputs, STDIN, type FoundPhotos } from '../inputs.js';
import { holdsOneOf } from '../journal/content-hash.js';
import { readEarlierRuns } from '../journal/journal-file.js';
import { journalPlace } from '../journal/journal-place.js';
import type { BatchListener } from '../listener.js';
import type { StdinPhoto } from '../options.js';
import type { BatchSettings } from '../settings.js';
import { openOverviews } from '../summaries/overviews.js';
import { ReviewList } from '../summaries/review-list.js';
import { withoutEarlierCrops } from './earlier-crops.js';
import { outputFolder } from './folders.js';
import { planOptions, planOutputs } from './plan-outputs.js';
import type { PlannedPhoto } from './planned-photo.js';
import { refuseStdout } from './refuse-stdout.js';
import type { RunPlan } from './run-plan.js';
import { namedFiles, refuseSharedNames } from './shared-names.js';
import { readWishes, type Wishes } from './wishes.js';

/**
 * Plans a run of the photos given, or of those hints are for.
 *
 * @throws FramewrightError USAGE, INPUT_NOT_FOUND, INPUT_UNREADABLE, OUTPUT_EXISTS, OUTPUT_WRITE
 */
export async function planPhotos(settings: BatchSettings, listener: BatchListener): Promise<RunPlan> {
  const wishes = await readWishes(settings);
  const found = await findPhotos(settings, wishes, listener);
  const stdin = found.photos.includes(STDIN) ? await readStdin(settings) : undefined;
  const place = settings.journal && (await journalPlace(found.photos, settings.output, settings.journal));
  const earlier = place ? await readEarlierRuns(place) : undefined;
  const taken = await withoutEarlierCrops(found, earlier);
  const unused = wishes.unused(taken.photos);
  for (const note of [...taken.notes, ...(unused ? [unused] : [])]) listener.onNote?.(note);

  const photos = await planOutputs(taken.photos, wishes.targetsOf, planOptions(settings, stdin));
  refuseStdout(photos, settings);
  listener.onPlan?.(photos);

  const noted = isNoted(photos, settings) ? earlier : undefined;
  const list = await reviewListPath(found.photos, settings);
  const written = namedFiles([
    ['--journal', noted?.at.file],
    ['--report', settings.report],
    ['--contact-sheet', settings.contactSheet],
    ['--review-list', list],
  ]);
  await refuseSharedNames(written, photos, namedFiles([['--hints', settings.hints]]));
  // A run that goes on replaces what its first part has written about itself.
  const mayReplace = async (file: string): Promise<boolean> =>
    settings.force || (settings.resume && (await holdsOneOf(noted?.summaries.get(path.resolve(file)), file)));
  const overviews = await openOverviews(settings, photos, mayReplace);
  const review = list === undefined ? undefined : await ReviewList.open(list, await mayReplace(list));
  const wishesOf: RunPlan['wishesOf'] = ({ input }) => wishes.of(input);
  return { photos, wishesOf, overviews, ...defined({ stdin, earlier: noted, review }) };
}

async function findPhotos(
  { inputs, recursive }: BatchSettings,
  { hinted }: Wishes,
  { onNote }: BatchListener,
): Promise<FoundPhotos> {
  if (inputs.length === 0 && !hinted) {
    throw new FramewrightError('USAGE', 'there are no inputs: name image files, or folders of them');
  }
  const found = await expandInputs(inputs.length > 0 ? inputs : hinted!, recursive);
  for (const text of found.notes) onNote?.({ about: 'inputs', text });
  return found;
}

async function readStdin({ stdin, signal }: BatchSettings): Promise<StdinPhoto> {
  if (!stdin) throw new FramewrightError('USAGE', `${STDIN} is the photo on stdin, and there is no stdin; name a file`);
  return stdin(signal);
}

/** One photo is quickly done again, so that its run notes nothing unless asked to. */
function isNoted(photos: readonly PlannedPhoto[], { dryRun, resume, journal }: BatchSettings): boolean {
  return !dryRun && (photos.length > 1 || resume || typeof journal === 'string');
}

/** Only where a crop may be left for review. */
async function reviewListPath(
  photos: readonly string[],
  { minConfidence, fallback = 'review', dryRun, reviewList, output }: BatchSettings,
): Promise<string | undefined> {
  if (minConfidence === undefined || fallback !== 'review') return undefined;
  if (dryRun && reviewList === undefined) return undefined;
  return reviewList ?? path.join(await outputFolder(photos, output), 'review.jsonl');
}
