import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import { expandInputs, STDIN, type FoundPhotos } from '../inputs.js';
import { readEarlierRuns, type EarlierRuns } from '../journal/journal-file.js';
import { journalPlace } from '../journal/journal-place.js';
import type { BatchListener } from '../listener.js';
import type { StdinPhoto } from '../options.js';
import type { BatchSettings } from '../settings.js';
import { withoutEarlierCrops } from './earlier-crops.js';
import type { Wishes } from './wishes.js';

interface TakenPhotos {
  /** Those to crop. */
  readonly taken: readonly string[];
  /** Those and the crops of earlier runs among them. */
  readonly found: readonly string[];
  readonly stdin?: StdinPhoto;
  /** What the journal of the run holds, if it is to have one. */
  readonly earlier?: EarlierRuns;
}

/**
 * Finds the photos of a run, and tells what is left out of them.
 *
 * @throws FramewrightError USAGE, INPUT_NOT_FOUND, INPUT_UNREADABLE
 */
export async function takePhotos(
  settings: BatchSettings,
  wishes: Wishes,
  { onNote, onPrepare }: BatchListener,
): Promise<TakenPhotos> {
  const found = await findPhotos(settings, wishes, (nPhotos) => {
    settings.signal.throwIfAborted();
    onPrepare?.({ step: 'find', nPhotos });
  });
  for (const text of found.notes) onNote?.({ about: 'inputs', text });
  const stdin = found.photos.includes(STDIN) ? await readStdin(settings) : undefined;
  const place = settings.journal && (await journalPlace(found.photos, settings.output, settings.journal));
  const earlier = place ? await readEarlierRuns(place) : undefined;
  const { photos: originals, notes } = await withoutEarlierCrops(found, earlier);
  const taken = settings.filter ? originals.filter(settings.filter) : originals;
  for (const text of notes) onNote?.({ about: 'earlier-crops', text });
  const unused = wishes.unused(taken);
  if (unused !== undefined) onNote?.({ about: 'hints', text: unused });
  return { taken, found: found.photos, ...defined({ stdin, earlier }) };
}

function findPhotos(
  { inputs, recursive, rawPreview }: BatchSettings,
  { hinted }: Wishes,
  onFound: (nFound: number) => void,
): Promise<FoundPhotos> {
  if (inputs.length === 0 && !hinted) {
    throw new FramewrightError('USAGE', 'there are no inputs: name image files, or folders of them');
  }
  return expandInputs(inputs.length > 0 ? inputs : hinted!, recursive, onFound, rawPreview);
}

async function readStdin({ stdin, signal }: BatchSettings): Promise<StdinPhoto> {
  if (!stdin) throw new FramewrightError('USAGE', `${STDIN} is the photo on stdin, and there is no stdin; name a file`);
  return stdin(signal);
}
