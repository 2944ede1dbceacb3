import path from 'node:path';
import { defined } from '../../base/defined.js';
import { isRawExtension } from '../../photo/camera-raw.js';
import { holdsOneOf } from '../journal/content-hash.js';
import type { EarlierRuns } from '../journal/journal-file.js';
import type { BatchListener } from '../listener.js';
import type { BatchSettings } from '../settings.js';
import { openOverviews } from '../summaries/overviews.js';
import { ReviewList } from '../summaries/review-list.js';
import { outputFolder } from './folders.js';
import { mirroredOfList, planOptions, planOutputs } from './plan-outputs.js';
import type { PlannedPhoto } from './planned-photo.js';
import { refuseStdout } from './refuse-stdout.js';
import type { RunPlan } from './run-plan.js';
import { namedFiles, refuseSharedNames } from './shared-names.js';
import { takePhotos } from './take-photos.js';
import { readWishes } from './wishes.js';

const SIDECAR_READERS =
  'the crops go into XMP sidecars, which Lightroom reads of raw files only, not of JPEG, PNG or TIFF (--xmp embed is for these); darktable reads photo.xmp when it imports a photo';
const OF_PREVIEWS = 'raw files are cropped by the JPEG previews in them, in whose pixels places are given';

/** Of those that are to have a crop in their own XMP each is told by itself where it cannot. */
function sidecarNotes(photos: readonly PlannedPhoto[]): string[] {
  const beside = photos.filter(({ sidecar, embeds }) => sidecar !== undefined && embeds !== true);
  const raws = beside.filter(({ input }) => isRawExtension(input));
  return [...(raws.length < beside.length ? [SIDECAR_READERS] : []), ...(raws.length > 0 ? [OF_PREVIEWS] : [])];
}

/**
 * Plans a run of the photos given, or of those hints are for.
 *
 * @throws FramewrightError USAGE, INPUT_NOT_FOUND, INPUT_UNREADABLE, OUTPUT_EXISTS, OUTPUT_WRITE
 */
export async function planPhotos(settings: BatchSettings, listener: BatchListener): Promise<RunPlan> {
  const wishes = await readWishes(settings);
  const { taken, found, stdin, earlier } = await takePhotos(settings, wishes, listener);
  settings.signal.throwIfAborted();
  listener.onPrepare?.({ step: 'name', nPhotos: taken.length });
  const photos = await planOutputs(taken, wishes.targetsOf, {
    ...planOptions(settings, stdin),
    ...(settings.inputs.length === 0 ? { mirrored: mirroredOfList(taken) } : {}),
  });
  refuseStdout(photos, settings);
  for (const text of sidecarNotes(photos)) listener.onNote?.({ about: 'sidecars', text });
  listener.onPlan?.(photos);
  const noted = isNoted(photos, settings) ? earlier : undefined;
  const list = await reviewListPath(found, settings);
  await refuseSharedFiles(photos, settings, noted, list);
  const mayReplace = replaceable(settings, noted);
  const overviews = await openOverviews(settings, photos, mayReplace);
  const review = list === undefined ? undefined : await ReviewList.open(list, await mayReplace(list));
  const wishesOf: RunPlan['wishesOf'] = ({ input }) => wishes.of(input);
  return { photos, wishesOf, overviews, ...defined({ stdin, earlier: noted, review }) };
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

function refuseSharedFiles(
  photos: readonly PlannedPhoto[],
  { report, contactSheet, hints }: BatchSettings,
  noted: EarlierRuns | undefined,
  list: string | undefined,
): Promise<void> {
  const written = namedFiles([
    ['--journal', noted?.at.file],
    ['--report', report],
    ['--contact-sheet', contactSheet],
    ['--review-list', list],
  ]);
  return refuseSharedNames(written, photos, namedFiles([['--hints', hints]]));
}

/** Which summaries that are there may be written over: a run that goes on replaces those of its first part. */
function replaceable({ force, resume }: BatchSettings, noted?: EarlierRuns): (file: string) => Promise<boolean> {
  return async (file) => force || (resume && (await holdsOneOf(noted?.summaries.get(path.resolve(file)), file)));
}
