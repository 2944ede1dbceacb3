import { setTimeout } from 'node:timers/promises';
import { defined } from '../../base/defined.js';
import { codeOf, FramewrightError } from '../../base/errors.js';
import { checkOptions, checkWhole } from '../../base/options-check.js';
import { openCropper } from '../../cropper/cropper.js';
import { expandInputs } from '../inputs.js';
import type { BatchListener } from '../listener.js';
import { BATCH_OPTIONS } from '../option-kinds.js';
import type { BatchOptions } from '../options.js';
import { cropSettled } from '../run-batch.js';
import { settingsOf, type BatchSettings } from '../settings.js';
import { Arrivals } from './arrivals.js';

type Unwatched =
  | ('hints' | 'choices' | 'stdin' | 'stdout' | 'report' | 'contactSheet' | 'dryRun')
  | ('resume' | 'filter' | 'inputs' | 'journal' | 'force' | 'series');

/** As of a run; what is done is always noted, and never done again. */
export interface WatchOptions extends Omit<BatchOptions, Unwatched> {
  /** Folders and patterns; there need not be a photo yet. */
  readonly inputs: readonly string[];
  /** The file where it notes what is done. Default: as of a run. */
  readonly journal?: string;
  /** Between two looks, in milliseconds. A photo is taken once two looks have found it the same. Default 2000. */
  readonly everyMs?: number;
}

const UNWATCHED = [
  ...([
    'hints',
    'choices',
    'stdin',
    'stdout',
    'report',
    'contactSheet',
    'dryRun',
    'resume',
    'filter',
    'force',
    'series',
  ] as const),
] satisfies readonly Unwatched[];

/** Two looks see each file in this time; systems that note no fractions of a second need one. */
const DEFAULT_EVERY_MS = 2000;

/**
 * Crops what lies in folders and what arrives there, each photo once it is whole, until `noMore` is aborted. What earlier
 * watches and runs have done is not done again, and what they have made is not taken for photos. A photo that fails is
 * told of and looked at again when it has changed; of photos whose files are in the way, the others are cropped.
 *
 * @param listener told of each run: one for all photos that have arrived since the last
 * @throws FramewrightError as runBatch before its first photo, but for photos that are not there yet; OUTPUT_WRITE. The
 *   reason of `signal` when aborted.
 */
export async function watchBatch(options: WatchOptions, listener: BatchListener = {}): Promise<void> {
  const { everyMs = DEFAULT_EVERY_MS, ...rest } = options;
  checkOptions('watchBatch', rest, WATCH_OPTIONS);
  checkWhole('everyMs', everyMs, 1, 3_600_000);
  const settings = settingsOf({ ...rest, resume: true });
  const { noMore, signal } = settings;
  const stop = AbortSignal.any([noMore, signal]);
  await using own = settings.openCropper ? undefined : await openCropper(settings.cropperOptions);
  // Settled once: what an open cropper is asked for does not say how it was opened, such as that it takes raw files.
  const run: WatchRun = { ...settings, openCropper: settings.openCropper ?? own! };
  const arrivals = new Arrivals();
  const embedded = new Set<string>();
  const remembering = rememberingEmbedded(listener, embedded);
  listener.onOpen?.(run.openCropper);
  while (!stop.aborted) {
    const arrived = await arrivals.look(await photosIn(run));
    if (arrived.length > 0) {
      // What we have written to ourselves comes again, and is known: only what is new about it is told.
      const again = arrived.filter((photo) => embedded.delete(photo));
      const others = arrived.filter((photo) => !again.includes(photo));
      if (again.length > 0) await cropArrived(again, run, ofNewAlone(remembering));
      if (others.length > 0) await cropArrived(others, run, remembering);
      arrivals.take(arrived);
    }
    await setTimeout(everyMs, undefined, { signal: stop }).catch(() => undefined);
  }
  signal.throwIfAborted();
}

const WATCH_OPTIONS = Object.fromEntries(
  Object.entries(BATCH_OPTIONS).filter(([name]) => !(UNWATCHED as readonly string[]).includes(name)),
) as Readonly<Record<keyof Omit<WatchOptions, 'everyMs'>, 'any'>>;

/** What each run of a watch is asked for. */
type WatchRun = BatchSettings & Required<Pick<BatchSettings, 'openCropper'>>;

/** Told the same, while the photos whose own XMP a run has changed are noted. */
function rememberingEmbedded(listener: BatchListener, embedded: Set<string>): BatchListener {
  return {
    ...listener,
    onPhoto: (photo) => {
      if (!photo.isEarlier && photo.results[0]?.embedded?.state === 'written') embedded.add(photo.input);
      listener.onPhoto?.(photo);
    },
  };
}

function ofNewAlone({ onPhoto, onFailure, onNote }: BatchListener): BatchListener {
  const onNew: BatchListener['onPhoto'] = (photo) => {
    if (!photo.isEarlier) onPhoto?.(photo);
  };
  return { onPhoto: onNew, ...defined({ onFailure, onNote }) };
}

async function photosIn({ inputs, recursive, rawPreview }: WatchRun): Promise<readonly string[]> {
  try {
    return (await expandInputs(inputs, recursive, undefined, rawPreview)).photos;
  } catch (error) {
    // A folder without photos, or one that a network has lost for a moment.
    if (['INPUT_NOT_FOUND', 'INPUT_UNREADABLE'].includes(codeOf(error))) return [];
    throw error;
  }
}

/** What cannot be planned together, as the file of one is in the way, is cropped one by one. */
async function cropArrived(
  arrived: readonly string[],
  run: WatchRun,
  { onOpen: _, ...listener }: BatchListener,
): Promise<void> {
  const only = (photos: readonly string[]): BatchSettings => {
    const wanted = new Set(photos);
    return { ...run, filter: (photo) => wanted.has(photo) };
  };
  try {
    await cropSettled(only(arrived), listener);
  } catch (error) {
    if (!isOfOnePhoto(error)) throw error;
    if (arrived.length === 1) {
      listener.onFailure?.({ input: arrived[0]!, error });
      return;
    }
    for (const photo of arrived) await cropArrived([photo], run, listener);
  }
}

function isOfOnePhoto(error: unknown): boolean {
  return error instanceof FramewrightError && error.code === 'OUTPUT_EXISTS';
}
