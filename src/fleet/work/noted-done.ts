import { existsSync } from 'node:fs';
import path from 'node:path';
import { isRecord } from '../../batch/journal/journal-record.js';
import { readCheckedLog } from '../../files/checked-log.js';
import { RunNotes } from '../run/run-notes.js';
import type { JobPhoto, RunSpec } from '../run/run-spec.js';
import { pathInJournal } from '../submit/seen-photos.js';

/** Whether a job's journal has a photo as done, with its files there: whoever made them may have died before it said so. */
export async function isNotedDone({ home, run }: RunSpec, job: string, { planned }: JobPhoto): Promise<boolean> {
  const { file } = new RunNotes(home, run).of(job);
  if (!existsSync(file)) return false;
  const photo = pathInJournal(home, planned.input);
  let isDone = false;
  await readCheckedLog(file, (value) => {
    if (!isRecord(value)) return false;
    if (value.what !== 'done' || value.photo !== photo) return true;
    isDone = value.files.every((made) => existsSync(path.resolve(home, made.path)));
    return true;
  });
  return isDone;
}
