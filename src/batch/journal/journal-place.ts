import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { cacheFolder } from '../../files/cache-folder.js';
import { outputFolder } from '../plan/folders.js';
import { keyOfSettings } from './settings-key.js';

const JOURNAL = '.framewright-journal.jsonl';

/** Where the journal of a run is, and the folder its paths are relative to. */
export interface JournalPlace {
  readonly place: string;
  readonly file: string;
  /** The folder whose crops it is about, by this run: nothing outside it is removed, whatever the journal says. */
  readonly outputs: string;
}

/** The journal of what is written to or below a folder lies in that folder. */
export function journalIn(folder: string): JournalPlace {
  const place = path.resolve(folder);
  return { place, file: path.join(place, JOURNAL), outputs: place };
}

/**
 * Where a run notes what it has done: in the folder it writes to, or where the photos' crops go beside them, in the
 * folder all photos lie in or below. Where that cannot be written, or is the whole disk, in the user's cache folder.
 *
 * @param journal the file, where the user has named one
 */
export async function journalPlace(
  photos: readonly string[],
  output: string | undefined,
  journal: string | true,
): Promise<JournalPlace> {
  const there = journalIn(await outputFolder(photos, output));
  if (journal !== true) return { ...there, place: path.resolve(path.dirname(journal)), file: path.resolve(journal) };
  const isWhole = path.dirname(there.place) === there.place;
  if (!isWhole && !(await isReadOnly(there.place))) return there;
  return { ...there, file: path.join(cacheFolder(), 'crop', `${keyOfSettings(there.place)}.jsonl`) };
}

function isReadOnly(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => false,
    (error: unknown) => (error as NodeJS.ErrnoException).code !== 'ENOENT',
  );
}
