import { existsSync } from 'node:fs';
import path from 'node:path';
import { readDone } from '../../batch/journal/done-records.js';
import { pathInJournal } from '../bucket/places.js';
import { RunNotes } from '../run/run-notes.js';
import type { JobPhoto, RunSpec } from '../run/run-spec.js';

/** Whether a job's journal has a photo as done, with its files there: whoever made them may have died before it said so. */
export async function isNotedDone({ home, run }: RunSpec, job: string, { planned }: JobPhoto): Promise<boolean> {
  const { file } = new RunNotes(home, run).of(job);
  const photo = pathInJournal(home, planned.input);
  let isDone = false;
  await readDone(file, (record) => {
    if (record.photo === photo) isDone = record.files.every((made) => existsSync(path.resolve(home, made.path)));
  });
  return isDone;
}
