import path from 'node:path';
import type { CropJournal } from '../batch/crop-journal.js';
import { writeFileAtomic } from '../image/write.js';
import { makeFolder } from '../make-folder.js';
import { errorLine } from './report-error.js';

/** A file about a run as a whole: a report, a contact sheet, a review list. */
export interface SummaryFile {
  readonly path: string;
  /** Its bytes, of what there is by now; undefined where that is nothing. */
  render(): Promise<Uint8Array | undefined>;
}

/**
 * Writes each of them, whatever becomes of the others.
 *
 * @throws the first failure; further ones are told on stderr.
 */
export async function writeSummaries(
  summaries: readonly SummaryFile[],
  run: { readonly force: boolean; readonly resume: boolean },
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
async function writeSummary(
  summary: SummaryFile,
  { force, resume }: { readonly force: boolean; readonly resume: boolean },
  journal?: CropJournal,
): Promise<void> {
  const bytes = await summary.render();
  if (!bytes) return;
  const mayReplace = force || (resume && (await journal?.isOwnSummary(summary.path)) === true);
  await journal?.noteSummary(summary.path, bytes);
  await makeFolder(path.dirname(summary.path));
  await writeFileAtomic(summary.path, bytes, { force: mayReplace });
}
