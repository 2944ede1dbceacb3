import path from 'node:path';
import { makeFolder } from '../../files/make-folder.js';
import { writeFileAtomic } from '../../files/write.js';
import { noteAmongPhotos } from '../journal/note-among-photos.js';
import type { CropJournal } from '../journal/crop-journal.js';

/** A file about a run as a whole: a report, a contact sheet, a review list. */
export interface Summary {
  readonly path: string;
  /** Its bytes, of what there is by now; undefined where that is nothing. */
  render(): Promise<Uint8Array | undefined>;
}

/** What a run may replace of the files that are there. */
export interface Replacing {
  readonly force: boolean;
  readonly resume: boolean;
  readonly journal?: CropJournal;
  /** The photos of the run. */
  readonly inputs?: readonly string[];
}

/** Anything with `force`; with `resume` what an earlier part of the run has written, and nobody since. */
export async function mayReplaceSummary(
  { path: file }: Summary,
  { force, resume, journal }: Replacing,
): Promise<boolean> {
  return force || (resume && (await journal?.isOwnSummary(file)) === true);
}

/**
 * Writes each of them, whatever becomes of the others.
 *
 * @param onFurtherError told of failures after the first
 * @throws the first failure
 */
export async function writeSummaries(
  summaries: readonly Summary[],
  replacing: Replacing,
  onFurtherError?: (error: unknown) => void,
): Promise<void> {
  const errors: unknown[] = [];
  for (const summary of summaries) {
    await writeSummary(summary, replacing).catch((error: unknown) => errors.push(error));
  }
  const [first, ...others] = errors;
  for (const error of others) onFurtherError?.(error);
  if (errors.length > 0) throw first;
}

/**
 * Writes it, if there is anything to write; the journal notes it first, for a later run to know it by.
 *
 * @throws FramewrightError OUTPUT_EXISTS for a file that is there and not known as ours, without `force`; OUTPUT_WRITE
 */
async function writeSummary(summary: Summary, replacing: Replacing): Promise<void> {
  const bytes = await summary.render();
  if (!bytes) return;
  const force = await mayReplaceSummary(summary, replacing);
  await replacing.journal?.noteSummary(summary.path, bytes);
  await makeFolder(path.dirname(summary.path));
  await writeFileAtomic(summary.path, bytes, { force });
  await noteAmongPhotos(summary.path, bytes, replacing);
}
