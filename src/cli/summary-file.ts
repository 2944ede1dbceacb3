import path from 'node:path';
import type { CropJournal } from '../batch/crop-journal.js';
import { writeFileAtomic } from '../image/write.js';
import { makeFolder } from '../make-folder.js';

/** A file about a run as a whole: a report, a contact sheet, a review list. */
export interface SummaryFile {
  readonly path: string;
  /** Its bytes, of what there is by now; undefined where that is nothing. */
  render(): Promise<Uint8Array | undefined>;
}

/**
 * Writes it, if there is anything to write; the journal notes it first, for a later run to know it by.
 *
 * @throws FramewrightError OUTPUT_EXISTS for a file that is there and not known as ours, without `force`; OUTPUT_WRITE
 */
export async function writeSummary(
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
