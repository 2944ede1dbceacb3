import { readDone } from '../../batch/journal/done-records.js';
import type { DoneRecord } from '../../batch/journal/journal-record.js';
import { CheckedLog } from '../../files/checked-log.js';
import { lockFile } from '../../files/file-lock.js';
import { shortHash } from '../../files/short-hash.js';
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
  await readDone(file, (record) => known.add(wordOf(record)));
  await using whole = await CheckedLog.open(file);
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
  await readDone(journal, (record) => last.set(`${record.key} ${record.photo}`, record));
  return [...last.values()];
}

/** What tells what is noted of one photo from everything else. */
function wordOf({ photo, key, source, planned, files }: DoneRecord): string {
  return shortHash([photo, key, source.sha256, planned, files]);
}
