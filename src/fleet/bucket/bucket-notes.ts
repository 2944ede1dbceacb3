import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sha256Of } from '../../batch/journal/content-hash.js';
import { makeFolder } from '../../files/make-folder.js';
import { codeOf } from '../../base/errors.js';
import { RunNotes } from '../run/run-notes.js';
import { inTurns } from './in-turns.js';
import { OpenBuckets } from './open-buckets.js';

const TRANSFERS = 8;

/** What a run in a bucket has noted, copied into a folder of this machine's own, where it is as that of a run in a folder. */
export class BucketNotes implements AsyncDisposable {
  /** Of the copy. */
  readonly notes: RunNotes;
  readonly #place: string;
  readonly #scratch: string;
  readonly #buckets: OpenBuckets;
  readonly #urls: readonly string[];

  private constructor(place: string, notes: RunNotes, scratch: string, buckets: OpenBuckets, urls: readonly string[]) {
    this.#place = place;
    this.notes = notes;
    this.#scratch = scratch;
    this.#buckets = buckets;
    this.#urls = urls;
  }

  /** @param home of the run: a URL */
  static async fetch(home: string, run: string): Promise<BucketNotes> {
    const scratch = await mkdtemp(path.join(tmpdir(), 'framewright-notes-'));
    const buckets = new OpenBuckets();
    try {
      const notes = new RunNotes(path.join(scratch, 'home'), run);
      await makeFolder(notes.folder);
      const place = home.replace(/\/?$/, '/');
      const urls: string[] = [];
      for await (const url of buckets.list(`${place}.framewright-fleet/${run}/`)) urls.push(url);
      await inTurns(urls, TRANSFERS, async (url) => {
        await buckets.download(url, path.join(notes.folder, url.slice(url.lastIndexOf('/') + 1))).catch(unlessGone);
      });
      // Last: notes that are gone since they were listed have become part of it.
      const whole = `${place}${path.basename(notes.whole.file)}`;
      await buckets.download(whole, notes.whole.file).catch(unlessGone);
      return new BucketNotes(place, notes, scratch, buckets, urls);
    } catch (error) {
      buckets[Symbol.dispose]();
      await rm(scratch, { recursive: true, force: true });
      throw error;
    }
  }

  /** Puts the whole journal in its place, and takes away what has become part of it. */
  async publish(): Promise<void> {
    const { file } = this.notes.whole;
    if (!existsSync(file)) return;
    const sha256 = sha256Of(await readFile(file));
    await this.#buckets.put(`${this.#place}${path.basename(file)}`, { file }, { sha256, force: true });
    await this.#buckets.remove(this.#urls);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#buckets[Symbol.dispose]();
    await rm(this.#scratch, { recursive: true, force: true });
  }
}

function unlessGone(error: unknown): void {
  if (codeOf(error) !== 'INPUT_NOT_FOUND') throw error;
}
