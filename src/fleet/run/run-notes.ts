import { readdir, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { journalIn, type JournalPlace } from '../../batch/journal/journal-place.js';

/** In the home of runs: the folder of their notes. */
export const NOTES = '.framewright-fleet';
const JOURNAL = '.jsonl';

/**
 * Where a run in a folder keeps what its jobs have noted, a journal each, until they are one: `.framewright-fleet/<run>/`.
 * These, not the queue, say what is done.
 */
export class RunNotes {
  /** The folder that paths of its journals are relative to. */
  readonly home: string;
  readonly folder: string;

  constructor(home: string, run: string) {
    this.home = home;
    this.folder = path.join(home, NOTES, run);
  }

  /** The journal of a job. */
  of(job: string): JournalPlace {
    return { place: this.home, file: path.join(this.folder, `${job}${JOURNAL}`), outputs: this.home };
  }

  /** The journal that all of them become, the one a run without a fleet would have. */
  get whole(): JournalPlace {
    return journalIn(this.home);
  }

  /** Those that are there, by name. */
  async journals(): Promise<string[]> {
    const names = await readdir(this.folder).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    });
    return names
      .filter((name) => name.endsWith(JOURNAL))
      .sort()
      .map((name) => path.join(this.folder, name));
  }

  /** Takes away those that are part of the whole, and the folder if it is empty then. */
  async remove(journals: readonly string[]): Promise<void> {
    for (const file of journals) await rm(file, { force: true });
    for (const folder of [this.folder, path.dirname(this.folder)]) {
      const isGone = await rmdir(folder).then(
        () => true,
        () => false,
      );
      if (!isGone) return;
    }
  }
}
