import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RunNotes } from '../../../src/fleet/run/run-notes.js';
import { mergeJournals } from '../../../src/fleet/worker/merge-journals.js';
import { framewright } from '../../cli/run.js';
import { projectFile } from '../../support/photos.js';
import { journalOf } from '../fleet-folder.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-merge-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('what was joined already, by a worker that died before it took the journals away, is in the whole once', async () => {
  const photo = projectFile('examples', 'photos', 'dogs.jpg');
  const { code } = await framewright([photo, '--engine', 'centre', '-a', '1:1', '-o', folder, '--resume']);
  expect(code).toBe(0);
  const notes = new RunNotes(folder, 'autumn');
  mkdirSync(notes.folder, { recursive: true });
  // Two jobs that both have it, of which neither knew of the other.
  for (const job of ['one', 'two']) copyFileSync(notes.whole.file, notes.of(job).file);
  await mergeJournals(notes);
  expect(journalOf(folder).size).toBe(1);
  expect(existsSync(notes.folder)).toBe(false);
});
