import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { contentHash } from '../../batch/journal/content-hash.js';
import { defined } from '../../base/defined.js';
import { makeFolder } from '../../files/make-folder.js';
import { codeOf } from '../../base/errors.js';
import { NOTES, RunNotes } from '../run/run-notes.js';
import { inTurns } from './in-turns.js';
import { OpenBuckets } from './open-buckets.js';

const TRANSFERS = 8;

/** The one journal of a place in a bucket, as it was fetched; without an ETag where there was none. */
interface WholeJournal {
  readonly url: string;
  readonly etag: string | undefined;
}

/** What a run in a bucket has noted, copied into a folder of this machine's own, where it is as that of a run in a folder. */
export class BucketNotes implements AsyncDisposable {
  /** Of the copy. */
  readonly notes: RunNotes;
  readonly #whole: WholeJournal;
  readonly #scratch: string;
  readonly #buckets: OpenBuckets;
  readonly #urls: readonly string[];

  private constructor(
    whole: WholeJournal,
    notes: RunNotes,
    scratch: string,
    buckets: OpenBuckets,
    urls: readonly string[],
  ) {
    this.#whole = whole;
    this.notes = notes;
    this.#scratch = scratch;
    this.#buckets = buckets;
    this.#urls = urls;
  }

  /** @param home of the run: a URL that ends in a slash */
  static async fetch(home: string, run: string): Promise<BucketNotes> {
    const scratch = await mkdtemp(path.join(tmpdir(), 'framewright-notes-'));
    const buckets = new OpenBuckets();
    try {
      const notes = new RunNotes(path.join(scratch, 'home'), run);
      await makeFolder(notes.folder);
      const urls: string[] = [];
      for await (const url of buckets.list(notesPlace(home, run))) urls.push(url);
      await inTurns(urls, TRANSFERS, async (url) => {
        await buckets.download(url, path.join(notes.folder, url.slice(url.lastIndexOf('/') + 1))).catch(unlessGone);
      });
      // Last: notes that are gone since they were listed have become part of it.
      const url = `${home}${path.basename(notes.whole.file)}`;
      const found = await buckets.download(url, notes.whole.file).catch(unlessGone);
      return new BucketNotes({ url, etag: found?.etag }, notes, scratch, buckets, urls);
    } catch (error) {
      buckets[Symbol.dispose]();
      await rm(scratch, { recursive: true, force: true });
      throw error;
    }
  }

  /**
   * Puts the whole journal in its place, and takes away what has become part of it.
   *
   * @throws FramewrightError OUTPUT_LOCKED, OUTPUT_EXISTS where another run has changed the journal since it was fetched
   */
  async publish(): Promise<void> {
    const { file } = this.notes.whole;
    // Piece by piece: of a million photos it has gigabytes.
    const sha256 = await contentHash(file);
    if (sha256 === undefined) return;
    const { url, etag } = this.#whole;
    await this.#buckets.put(url, { file }, { sha256, ...defined({ ifMatch: etag }) });
    await this.#buckets.remove(this.#urls);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#buckets[Symbol.dispose]();
    await rm(this.#scratch, { recursive: true, force: true });
  }
}

function unlessGone(error: unknown): undefined {
  if (codeOf(error) !== 'INPUT_NOT_FOUND') throw error;
}

/** Where in a bucket a file of notes of a run is; all of them without a name. */
export function notesPlace(home: string, run: string, name = ''): string {
  return `${home}${NOTES}/${run}/${name}`;
}
