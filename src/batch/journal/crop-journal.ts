import { realpath, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { CheckedLog, LogLines } from '../../files/checked-log.js';
import { lockFile } from '../../files/file-lock.js';
import { temporaryFor } from '../../files/write.js';
import { FramewrightError } from '../../base/errors.js';
import { makeFolder } from '../../files/make-folder.js';
import type { CropResult } from '../../base/schema.js';
import { contentHash, holdsOneOf, sha256Of } from './content-hash.js';
import { addHash, readEarlierRuns, sizeOf, type EarlierRuns } from './journal-file.js';
import { isRecord, VERSION, type FinishedPhoto, type JournalRecord, type MadeFile } from './journal-record.js';
import type { SeenDone } from './seen-records.js';
import { isUnchanged } from './source-state.js';

/** What to call the temporary file of one that is begun. */
export function tokenOf({ sha256 }: Pick<MadeFile, 'sha256'>): string {
  return sha256.slice(0, 32);
}

/**
 * What earlier runs have done in a folder, so that one that was killed goes on where it stopped. Before a photo's files
 * take their names a line says which they are to be, with their hashes; when they have them, another says it is done.
 * A file that a killed run left without its second line is thus known as ours, and never mistaken for somebody's own.
 */
export class CropJournal implements AsyncDisposable {
  readonly #place: string;
  readonly #log: CheckedLog;
  /** To read what is in it again; opened when it is first needed. */
  #lines: LogLines | undefined;
  readonly #lock: AsyncDisposable;
  /** No other run has made the file, nor has anybody else. */
  readonly #isNew: boolean;
  #isUsed = false;
  /** By photo and key, each with its place among all records. */
  readonly #done = new Map<string, { readonly record: SeenDone; readonly nth: number }>();
  /** Which record was the last to have a file written, by path relative to the place. */
  readonly #written = new Map<string, number>();
  /** Hashes of files begun and not known to be done, or to be made anew, by absolute path. */
  readonly #begun = new Map<string, Set<string>>();
  readonly #summaries: ReadonlyMap<string, ReadonlySet<string>>;

  private constructor(place: string, log: CheckedLog, lock: AsyncDisposable, runs: EarlierRuns) {
    this.#place = place;
    this.#log = log;
    this.#lock = lock;
    this.#isNew = runs.nBytes === undefined;
    this.#summaries = runs.summaries;
    for (const [nth, record] of runs.records.entries()) {
      if (record.what === 'summary') continue;
      if (record.what === 'done') this.#done.set(identity(record.photo, record.key), { record, nth });
      for (const file of record.files) {
        this.#written.set(file.path, nth);
        if (record.what === 'done') this.#begun.get(path.resolve(place, file.path))?.delete(file.sha256);
        else this.#expect(file);
      }
    }
  }

  /**
   * Opens the journal of a folder, and keeps other runs out until disposed.
   *
   * @param seen what has been read of it, which is read again only if another run has written since
   * @param isHeld others are kept out already, by more than this machine knows
   * @throws FramewrightError OUTPUT_LOCKED where another run has it, OUTPUT_WRITE where it cannot be written, USAGE where
   *   the file is something else
   */
  static async open(seen: EarlierRuns, { isHeld = false }: { readonly isHeld?: boolean } = {}): Promise<CropJournal> {
    const { place, file } = seen.at;
    await makeFolder(path.dirname(file));
    const lock = isHeld ? NO_LOCK : await lockFile(`${file.replace(/\.jsonl$/, '')}.lock`, place);
    try {
      const runs = seen.nBytes === (await sizeOf(file)) ? seen : await readEarlierRuns(seen.at);
      const journal = new CropJournal(place, await CheckedLog.open(file), lock, runs);
      await journal.#removeTemporaries(seen.at.outputs);
      return journal;
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  }

  get path(): string {
    return this.#log.path;
  }

  /** Whether no run has noted anything yet. */
  get isEmpty(): boolean {
    return this.#done.size === 0 && this.#begun.size === 0;
  }

  /**
   * What is noted of a photo that is done: under this key, planned to give just these files, the files it gave all there
   * and its sidecar too, the photo unchanged since. Where some are missing, those that are left may be made anew.
   * Its size and time are looked at first, its content only where they differ. Where a later run with other settings had
   * the same names, the files themselves say whose they are.
   */
  async finished(
    photo: string,
    key: string,
    planned: readonly string[],
    sidecar?: string,
  ): Promise<SeenDone | undefined> {
    const done = this.#done.get(identity(this.#relative(photo), key));
    const names = planned.map((file) => this.#relative(file)).join('\n');
    if (done?.record.planned.join('\n') !== names) return undefined;
    const { record, nth } = done;
    const isSuperseded = record.planned.some((file) => (this.#written.get(file) ?? nth) > nth);
    if (isSuperseded && !(await this.#isAsLeft(record))) return undefined;
    if (!(await isUnchanged(photo, record.source))) return undefined;
    const given = record.files.map((file) => path.resolve(this.#place, file.path));
    if (sidecar !== undefined && record.hasSidecar) given.push(sidecar);
    if ((await Promise.all(given.map(isThere))).includes(false)) {
      for (const file of record.files) this.#expect(file);
      return undefined;
    }
    return record;
  }

  /**
   * The results of a photo that is done.
   *
   * @throws FramewrightError INPUT_UNREADABLE where the journal does not hold them any more
   */
  async resultsOf({ at, photo }: SeenDone): Promise<readonly CropResult[]> {
    this.#lines ??= await LogLines.open(this.path);
    const record = await this.#lines.at(at);
    if (isRecord(record) && record.what === 'done' && record.photo === photo) return record.results;
    throw new FramewrightError(
      'INPUT_UNREADABLE',
      `${this.path} has been changed by another program while it was in use; the same command with --resume reads it anew`,
    );
  }

  /**
   * Whether this file is one that an earlier run has put where it is and that is to be made anew: that run was stopped
   * before it could say so, or others of the photo's files are missing.
   */
  async isLeftover(file: string): Promise<boolean> {
    return holdsOneOf(this.#begun.get(path.resolve(file)), file);
  }

  /** Whether this file is one that an earlier run has written about itself, and as it was then. */
  async isOwnSummary(file: string): Promise<boolean> {
    return holdsOneOf(this.#summaries.get(path.resolve(file)), file);
  }

  /** Call before a file about the whole run takes its name. */
  async noteSummary(file: string, bytes: Uint8Array): Promise<void> {
    await this.#append({ version: VERSION, what: 'summary', files: [{ path: file, sha256: sha256Of(bytes) }] });
  }

  /**
   * Call before the photo's files take their names. A file that has one of these names and holds just what is to be written
   * is then ours: another worker has made it that took this one for dead.
   */
  async begin(photo: string, key: string, files: readonly MadeFile[]): Promise<void> {
    for (const { path: file, sha256 } of files) addHash(this.#begun, '.', { path: path.resolve(file), sha256 });
    await this.#append({ version: VERSION, what: 'writing', photo, key, files: [...files] });
  }

  /** Call when the photo's files have their names. */
  async finish(photo: string, key: string, finished: FinishedPhoto): Promise<void> {
    const { files, planned, source, results, refused = [] } = finished;
    await this.#append({
      version: VERSION,
      what: 'done',
      photo,
      key,
      files: [...files],
      planned: planned.map((file) => this.#relative(file)),
      source,
      results: [...results],
      ...(refused.length > 0 ? { refused: [...refused] } : {}),
    });
    for (const { path: file } of files) this.#begun.delete(path.resolve(file));
  }

  /** Whether of the names planned just those hold a file that were given one, and the same one. */
  async #isAsLeft({ planned, files }: SeenDone): Promise<boolean> {
    const made = new Map(files.map((file) => [file.path, file.sha256]));
    for (const file of planned) {
      if ((await contentHash(path.resolve(this.#place, file))) !== made.get(file)) return false;
    }
    return true;
  }

  #expect(file: MadeFile): void {
    addHash(this.#begun, this.#place, file);
  }

  /** Those a run left that was killed while it wrote them: below `outputs`, whatever paths and links say. */
  async #removeTemporaries(outputs: string): Promise<void> {
    const top = await realpath(outputs).catch(() => undefined);
    if (top === undefined) return;
    const isBelow = new Map<string, Promise<boolean>>();
    for (const [file, hashes] of this.#begun) {
      const folder = path.dirname(file);
      if (!isBelow.has(folder)) isBelow.set(folder, isReallyBelow(folder, top));
      if (!(await isBelow.get(folder)!)) continue;
      for (const sha256 of hashes) await unlink(temporaryFor(file, tokenOf({ sha256 }))).catch(() => undefined);
    }
  }

  async #append(record: JournalRecord): Promise<void> {
    this.#isUsed = true;
    const files = record.files.map((file) => ({ ...file, path: this.#relative(file.path) }));
    const photo = 'photo' in record && { photo: this.#relative(record.photo) };
    await this.#log.append({ ...record, ...photo, files });
  }

  /** Paths are kept relative to the folder, which may be moved or mounted elsewhere as a whole. */
  #relative(file: string): string {
    return path.relative(this.#place, path.resolve(file)).replaceAll(path.sep, '/');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#lines?.[Symbol.asyncDispose]();
      await this.#log[Symbol.asyncDispose]();
      if (this.#isNew && !this.#isUsed) await unlink(this.path);
    } finally {
      await this.#lock[Symbol.asyncDispose]();
    }
  }
}

const NO_LOCK: AsyncDisposable = { [Symbol.asyncDispose]: () => Promise.resolve() };

function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** @param top a path without links */
async function isReallyBelow(folder: string, top: string): Promise<boolean> {
  const real = await realpath(folder).catch(() => undefined);
  if (real === undefined) return false;
  const way = path.relative(top, real);
  return way !== '..' && !way.startsWith(`..${path.sep}`) && !path.isAbsolute(way);
}

function identity(photo: string, key: string): string {
  return `${key} ${photo}`;
}
