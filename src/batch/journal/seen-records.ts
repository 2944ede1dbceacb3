import type { LinePlace } from '../../files/checked-log.js';
import type { DoneRecord, JournalRecord, MadeFile, SummaryRecord, WritingRecord } from './journal-record.js';

/** What is kept in memory of a photo that is done: its results stay on the disk, those of 100,000 photos are gigabytes. */
export type SeenDone = Omit<DoneRecord, 'results'> & {
  readonly at: LinePlace;
  /** Its crop went into its sidecar. */
  readonly hasSidecar: boolean;
};
/** A line of a journal as it is kept in memory. */
export type SeenRecord = WritingRecord | SeenDone | SummaryRecord;

/** The records of a journal, oldest first, as little of them as a run needs to go on. */
export class SeenRecords implements Iterable<SeenRecord> {
  readonly #records = new Map<number, SeenRecord>();
  /** Of the photos begun and not done, which record says so. */
  readonly #begun = new Map<string, number>();
  /** One string in place of a hundred thousand that say the same. */
  readonly #keys = new Map<string, string>();
  #nAdded = 0;

  add(record: JournalRecord, at: LinePlace): void {
    const nth = this.#nAdded++;
    if (record.what === 'summary') {
      this.#records.set(nth, record);
      return;
    }
    const { photo } = record;
    const key = this.#sameKey(record.key);
    if (record.what === 'writing') {
      this.#begun.set(photo, nth);
      this.#records.set(nth, { ...record, key });
      return;
    }
    const begun = this.#begun.get(photo);
    if (begun !== undefined && holdsAll(record.files, this.#records.get(begun)!.files)) this.#records.delete(begun);
    this.#begun.delete(photo);
    const { results, ...seen } = record;
    this.#records.set(nth, { ...seen, key, at, hasSidecar: results[0]?.sidecar?.state === 'written' });
  }

  [Symbol.iterator](): Iterator<SeenRecord> {
    return this.#records.values();
  }

  #sameKey(key: string): string {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    this.#keys.set(key, key);
    return key;
  }
}

/** Whether what was begun is all among what was done: then the second record says everything the first did. */
function holdsAll(done: readonly MadeFile[], begun: readonly MadeFile[]): boolean {
  return begun.every(({ path, sha256 }) => done.some((file) => file.path === path && file.sha256 === sha256));
}
