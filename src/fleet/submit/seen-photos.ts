import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { isRecord } from '../../batch/journal/journal-record.js';
import { readCheckedLog } from '../../files/checked-log.js';
import { pathOfPlace } from '../bucket/places.js';
import type { RunNotes } from '../run/run-notes.js';

/** What tells a photo that is done from one that is not. */
export interface SeenPhoto {
  /** Relative to the home of the run, with `/`. */
  readonly photo: string;
  /** As the journal has it: what decides its files, apart from it. */
  readonly key: string;
  readonly size: number;
  readonly mtimeMs: number;
  /** Names of its files, relative to the home. */
  readonly planned: readonly string[];
}

/** Photos that are done, 12 bytes of each: of a million some 70 MB. */
export class SeenPhotos {
  readonly #seen = new Set<string>();

  get size(): number {
    return this.#seen.size;
  }

  add(photo: SeenPhoto): void {
    this.#seen.add(wordOf(photo));
  }

  has(photo: SeenPhoto): boolean {
    return this.#seen.has(wordOf(photo));
  }
}

function wordOf({ photo, key, size, mtimeMs, planned }: SeenPhoto): string {
  const text = JSON.stringify([photo, key, size, mtimeMs, planned]);
  return createHash('sha256').update(text).digest().toString('latin1', 0, 12);
}

/**
 * What of a run is done, by what its jobs and earlier runs have noted: photos whose files are all there.
 *
 * @param isThere whether a file of theirs is; it is relative to the home
 */
export async function seenPhotos(
  notes: RunNotes,
  isThere = (file: string): boolean => existsSync(path.resolve(notes.home, file)),
): Promise<SeenPhotos> {
  const seen = new SeenPhotos();
  // The whole one last: a worker that joins them meanwhile takes journals away once they are part of it.
  for (const file of [...(await notes.journals()), notes.whole.file]) {
    await readCheckedLog(file, (value) => {
      if (!isRecord(value) || value.what !== 'done') return true;
      const { photo, key, source, planned, files } = value;
      if (files.every((made) => isThere(made.path)))
        seen.add({ photo, key, size: source.size, mtimeMs: source.mtimeMs, planned });
      return true;
    }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
  }
  return seen;
}

/** As journals call it. */
export function pathInJournal(home: string, file: string): string {
  return path.relative(pathOfPlace(home), path.resolve(pathOfPlace(file))).replaceAll(path.sep, '/');
}
