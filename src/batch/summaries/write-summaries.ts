import path from 'node:path';
import type { CropJournal } from '../journal/crop-journal.js';
import { writeFileAtomic } from '../../files/write.js';
import { makeFolder } from '../../files/make-folder.js';
import { errorLine } from '../../cli/terminal/report-error.js';

/** A file about a run as a whole: a report, a contact sheet, a review list. */
export interface SummaryFile {
  readonly path: string;
  /** Its bytes, of what there is by now; undefined where that is nothing. */
  render(): Promise<Uint8Array | undefined>;
}

/** What a run may replace. */
interface Replacing {
  readonly force: boolean;
  readonly resume: boolean;
}

/** Anything with --force; with --resume what an earlier part of the run has written, and nobody since. */
export async function mayReplaceSummary(
  { path: file }: SummaryFile,
  { force, resume }: Replacing,
  journal?: CropJournal,
): Promise<boolean> {
  return force || (resume && (await journal?.isOwnSummary(file)) === true);
}

/**
 * Writes each of them, whatever becomes of the others.
 *
 * @throws the first failure; further ones are told on stderr.
 */
export async function writeSummaries(
  summaries: readonly SummaryFile[],
  run: Replacing,
  journal?: CropJournal,
): Promise<void> {
  const errors: unknown[] = [];
  for (const summary of summaries) {
    await writeSummary(summary, run, journal).catch((error: unknown) => errors.push(error));
  }
  const [first, ...others] = errors;
  for (const error of others) process.stderr.write(`${errorLine(error)}\n`);
  if (errors.length > 0) throw first;
}

/**
 * Writes it, if there is anything to write; the journal notes it first, for a later run to know it by.
 *
 * @throws FramewrightError OUTPUT_EXISTS for a file that is there and not known as ours, without `force`; OUTPUT_WRITE
 */
async function writeSummary(summary: SummaryFile, run: Replacing, journal?: CropJournal): Promise<void> {
  const bytes = await summary.render();
  if (!bytes) return;
  const mayReplace = await mayReplaceSummary(summary, run, journal);
  await journal?.noteSummary(summary.path, bytes);
  await makeFolder(path.dirname(summary.path));
  await writeFileAtomic(summary.path, bytes, { force: mayReplace });
}
