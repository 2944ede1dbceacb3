import { existsSync } from 'node:fs';
import path from 'node:path';
import { readDone } from '../../batch/journal/done-records.js';
import { shortHash } from '../../files/short-hash.js';
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

  add(photo: SeenPhoto): void {
    this.#seen.add(wordOf(photo));
  }

  has(photo: SeenPhoto): boolean {
    return this.#seen.has(wordOf(photo));
  }
}

function wordOf({ photo, key, size, mtimeMs, planned }: SeenPhoto): string {
  return shortHash([photo, key, size, mtimeMs, planned]);
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
    await readDone(file, ({ photo, key, source: { size, mtimeMs }, planned, files }) => {
      if (files.every((made) => isThere(made.path))) seen.add({ photo, key, size, mtimeMs, planned });
    });
  }
  return seen;
}
