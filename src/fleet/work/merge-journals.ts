import { createHash } from 'node:crypto';
import { isRecord, type DoneRecord } from '../../batch/journal/journal-record.js';
import { CheckedLog, readCheckedLog } from '../../files/checked-log.js';
import { lockFile } from '../../files/file-lock.js';
import { BucketNotes } from '../bucket/bucket-notes.js';
import { isBucketUrl } from '../bucket/bucket-url.js';
import { RunNotes } from '../run/run-notes.js';
import type { RunSpec } from '../run/run-spec.js';

/** As mergeJournals, wherever the home of the run is. */
export async function mergeRun({ home, run }: Pick<RunSpec, 'home' | 'run'>): Promise<void> {
  if (!isBucketUrl(home)) return mergeJournals(new RunNotes(home, run));
  await using noted = await BucketNotes.fetch(home, run);
  await mergeJournals(noted.notes);
  await noted.publish();
}

/**
 * Makes what the jobs of a run have noted part of one journal, that of its folder: as if one process had made it all, so
 * that `--resume`, `--report` and `--choices` go on from there. A photo that two jobs noted is in it once. Where this is
 * ended in the middle it can be done again.
 *
 * @throws FramewrightError OUTPUT_LOCKED where another run is at work in the folder, OUTPUT_WRITE
 */
export async function mergeJournals(notes: RunNotes): Promise<void> {
  const { file } = notes.whole;
  await using _lock = await lockFile(`${file.replace(/\.jsonl$/, '')}.lock`, notes.home);
  const journals = await notes.journals();
  await append(journals, file);
  // On the disk by now.
  await notes.remove(journals);
}

async function append(journals: readonly string[], file: string): Promise<void> {
  const known = new Set<string>();
  await using whole = await CheckedLog.open(file, (value) => {
    if (isRecord(value) && value.what === 'done') known.add(wordOf(value));
    return true;
  });
  for (const journal of journals) {
    for (const record of await lastOfEach(journal)) {
      const word = wordOf(record);
      if (known.has(word)) continue;
      known.add(word);
      await whole.append(record);
    }
  }
}

/** What is noted as done in a job's journal: of a photo done twice, the last time. */
async function lastOfEach(journal: string): Promise<DoneRecord[]> {
  const last = new Map<string, DoneRecord>();
  await readCheckedLog(journal, (value) => {
    if (isRecord(value) && value.what === 'done') last.set(`${value.key} ${value.photo}`, value);
    return true;
  });
  return [...last.values()];
}

/** Twelve bytes that tell what is noted of one photo from everything else. */
function wordOf({ photo, key, source, planned, files }: DoneRecord): string {
  const text = JSON.stringify([photo, key, source.sha256, planned, files]);
  return createHash('sha256').update(text).digest().toString('latin1', 0, 12);
}
