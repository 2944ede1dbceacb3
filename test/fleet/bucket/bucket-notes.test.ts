import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BucketNotes } from '../../../src/fleet/bucket/bucket-notes.js';
import { mergeJournals, mergeRun } from '../../../src/fleet/worker/merge-journals.js';
import { framewright } from '../../cli/run.js';
import { rejection } from '../../photo/thrown.js';
import { projectFile } from '../../support/photos.js';
import { useS3 } from './use-s3.js';

const used = useS3();
const JOURNAL = '.framewright-journal.jsonl';
const HOME = 's3://photos/crops/';
const WHOLE = `crops/${JOURNAL}`;

/** What one job noted of a photo. */
const noted = new Map<string, Buffer>();
beforeAll(async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'framewright-noted-'));
  for (const name of ['dogs', 'pagoda', 'mountains']) {
    const photo = projectFile('examples', 'photos', `${name}.jpg`);
    const out = path.join(folder, name);
    const { code } = await framewright([photo, '--engine', 'centre', '-a', '1:1', '-o', `${out}/`, '--resume']);
    expect(code).toBe(0);
    noted.set(name, readFileSync(path.join(out, JOURNAL)));
  }
  rmSync(folder, { recursive: true });
});
afterAll(() => noted.clear());

const placeNotes = (run: string, photo: string): Promise<void> =>
  used().s3.place('photos', { [`crops/.framewright-fleet/${run}/job.jsonl`]: noted.get(photo)! });

/** A run as far as it is before its journal is put in its place. */
async function joined(run: string): Promise<BucketNotes> {
  const notes = await BucketNotes.fetch(HOME, run);
  await mergeJournals(notes.notes);
  return notes;
}

/** Why the second of two runs that have read the same journal cannot put its own in that place after the first. */
async function failureOfLater(first: string, second: string): Promise<string | undefined> {
  await using early = await joined(first);
  await using late = await joined(second);
  await early.publish();
  return (await rejection(late.publish())).code;
}

const photosIn = (journal: Buffer | undefined): readonly string[] =>
  [...(journal?.toString() ?? '').matchAll(/examples\/photos\/(\w+)\.jpg/g)].map(([, name]) => name!).sort();

test('of runs that end at the same moment each has its photos in the one journal, the second when it has read it again', async () => {
  const { bucket } = used();
  await placeNotes('first', 'dogs');
  await placeNotes('second', 'pagoda');
  // There was none when it was fetched.
  expect(await failureOfLater('first', 'second')).toBe('OUTPUT_EXISTS');
  await mergeRun({ home: HOME, run: 'second' });
  expect(new Set(photosIn(await bucket.read(WHOLE)))).toEqual(new Set(['dogs', 'pagoda']));

  await placeNotes('third', 'mountains');
  await placeNotes('fourth', 'dogs');
  {
    await using third = await joined('third');
    await using fourth = await joined('fourth');
    // It has nothing new, and so leaves the journal as it is.
    await fourth.publish();
    await third.publish();
  }
  expect(new Set(photosIn(await bucket.read(WHOLE)))).toEqual(new Set(['dogs', 'mountains', 'pagoda']));
});

test('a journal that another run has changed meanwhile is not written over', async () => {
  const { bucket } = used();
  await bucket.remove([WHOLE]);
  await placeNotes('fifth', 'dogs');
  await mergeRun({ home: HOME, run: 'fifth' });
  await placeNotes('sixth', 'pagoda');
  await placeNotes('seventh', 'mountains');
  expect(await failureOfLater('sixth', 'seventh')).toBe('OUTPUT_LOCKED');
  expect(new Set(photosIn(await bucket.read(WHOLE)))).toEqual(new Set(['dogs', 'pagoda']));
  await mergeRun({ home: HOME, run: 'seventh' });
  expect(new Set(photosIn(await bucket.read(WHOLE)))).toEqual(new Set(['dogs', 'mountains', 'pagoda']));
});
