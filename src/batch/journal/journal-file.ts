import { constants, stat } from 'node:fs/promises';
import path from 'node:path';
import { readCheckedLog } from '../../files/checked-log.js';
import { openOwnFile } from '../../files/own-file.js';
import { FramewrightError, messageOf } from '../../base/errors.js';
import { isOfAnyVersion, isRecord, type MadeFile } from './journal-record.js';
import { SeenRecords, type SeenRecord } from './seen-records.js';
import type { JournalPlace } from './journal-place.js';

/** How the first line of a journal begins, torn or whole. */
const BEGINNING = /^\n\["[0-9a-f]{16}"/;
const BEGINNING_BYTES = 20;

/** What is in a journal. */
export interface EarlierRuns {
  readonly at: JournalPlace;
  readonly records: readonly SeenRecord[];
  /** Of the file when it was read; undefined where there was none. */
  readonly nBytes: number | undefined;
  /** Absolute paths of every file they have made, or set out to. */
  readonly files: ReadonlySet<string>;
  /** Hashes of the files they have written about themselves, by absolute path. */
  readonly summaries: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Reads a journal without opening it for writing; where there is none, no run was earlier.
 *
 * @throws FramewrightError USAGE for a file that is something else, INPUT_UNREADABLE
 */
export async function readEarlierRuns(at: JournalPlace): Promise<EarlierRuns> {
  const { place, file } = at;
  const records = new SeenRecords();
  let nBytes: number | undefined;
  let isForeign = false;
  try {
    nBytes = await ownSizeOf(file);
    if (nBytes !== undefined && nBytes > 0) {
      let nWhole = 0;
      let nOurs = 0;
      await readCheckedLog(file, (value, at) => {
        nWhole++;
        if (isOfAnyVersion(value)) nOurs++;
        if (!isRecord(value)) return false;
        records.add(value, at);
        return true;
      });
      isForeign = nOurs === 0 && (nWhole > 0 || !(await beginsAsJournal(file)));
    }
  } catch (error) {
    throw new FramewrightError('INPUT_UNREADABLE', `cannot read the journal ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (isForeign) {
    throw new FramewrightError('USAGE', `${file} is no journal of crops; name another file with --journal`);
  }
  const files = new Set<string>();
  for (const record of records) for (const made of record.files) files.add(path.resolve(place, made.path));
  const summaries = new Map<string, Set<string>>();
  for (const record of records) {
    if (record.what === 'summary') for (const made of record.files) addHash(summaries, place, made);
  }
  return { at, records: [...records], nBytes, files, summaries };
}

/** Adds the hash of a file to those known by its absolute path. */
export function addHash(known: Map<string, Set<string>>, place: string, { path: file, sha256 }: MadeFile): void {
  const absolute = path.resolve(place, file);
  known.set(absolute, (known.get(absolute) ?? new Set()).add(sha256));
}

/** Of a run killed in its first line there is no whole one to know the file by. */
async function beginsAsJournal(file: string): Promise<boolean> {
  await using handle = await openOwnFile(file, constants.O_RDONLY);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(BEGINNING_BYTES), 0, BEGINNING_BYTES, 0);
  return BEGINNING.test(buffer.toString('latin1', 0, bytesRead));
}

/** As sizeOf, but a link or what is no file is refused. */
async function ownSizeOf(file: string): Promise<number | undefined> {
  try {
    await using handle = await openOwnFile(file, constants.O_RDONLY);
    return (await handle.stat()).size;
  } catch (error) {
    // What stands in the way of the folder itself is told by whoever writes there.
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** Undefined where there is no such file. */
export function sizeOf(file: string): Promise<number | undefined> {
  return stat(file).then(
    ({ size }) => size,
    () => undefined,
  );
}
