import { rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { readJsonFile } from '../../files/json-file.js';
import type { Range } from './ranges.js';

const journalSchema = z.object({
  url: z.string(),
  totalBytes: z.int().positive(),
  /** Of the server's file: another one means another file. */
  validator: z.string(),
  done: z.array(z.tuple([z.int().nonnegative(), z.int().nonnegative()])),
});

/** What is known of a download that is not finished: kept beside it, so that the next pull goes on. */
export interface Journal {
  readonly url: string;
  readonly totalBytes: number;
  readonly validator: string;
  readonly done: readonly Range[];
}

function journalPath(part: string): string {
  return `${part}.json`;
}

/** Undefined where there is none that can be read. */
export async function readJournal(part: string): Promise<Journal | undefined> {
  try {
    const journal = journalSchema.parse(await readJsonFile(journalPath(part), 'record of the download'));
    return journal.done.every(([from, to]) => from <= to && to <= journal.totalBytes) ? journal : undefined;
  } catch {
    return undefined;
  }
}

export async function writeJournal(part: string, journal: Journal): Promise<void> {
  const temporary = `${journalPath(part)}.tmp`;
  await writeFile(temporary, JSON.stringify(journal));
  await rename(temporary, journalPath(part));
}

/** Forgets a download, what came of it included. */
export async function dropDownload(part: string): Promise<void> {
  for (const file of [part, journalPath(part), `${journalPath(part)}.tmp`]) await rm(file, { force: true });
}

export async function dropJournal(part: string): Promise<void> {
  await rm(journalPath(part), { force: true });
}
