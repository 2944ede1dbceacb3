import path from 'node:path';
import { CheckedLog } from '../../files/checked-log.js';
import { STDIN } from '../inputs.js';
import { isPictureName } from '../plan/format-of-name.js';
import { sha256Of } from './content-hash.js';
import type { CropJournal } from './crop-journal.js';
import { journalIn } from './journal-place.js';
import { VERSION, type SummaryRecord } from './journal-record.js';

interface NotingRun {
  readonly journal?: Pick<CropJournal, 'path'>;
  readonly inputs?: readonly string[];
}

/**
 * Notes a picture that a run has put among its photos (a contact sheet) where the next run over these photos looks for what
 * is no photo, wherever that one writes to: in the folder's own journal, if the run's is another or there is none.
 */
export async function noteAmongPhotos(file: string, bytes: Uint8Array, run: NotingRun): Promise<void> {
  const { journal, inputs = [] } = run;
  const folder = path.dirname(path.resolve(file));
  const isAmong = inputs.some((input) => input !== STDIN && path.dirname(path.resolve(input)) === folder);
  const there = journalIn(folder);
  if (!isPictureName(file) || !isAmong || journal?.path === there.file) return;
  const made = { path: path.basename(file), sha256: sha256Of(bytes) };
  const record: SummaryRecord = { version: VERSION, what: 'summary', files: [made] };
  try {
    await using log = await CheckedLog.open(there.file);
    await log.append(record);
  } catch {
    // The picture is there and whole; only the next run will not know it.
  }
}
