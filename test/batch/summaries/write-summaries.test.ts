import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeSummaries, type Summary } from '../../../src/batch/summaries/write-summaries.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-summaries-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => path.join(folder, name);
const summary = (name: string, failure?: string): Summary => ({
  path: at(name),
  render: () => (failure === undefined ? Promise.resolve(Buffer.from(name)) : Promise.reject(new Error(failure))),
});

test('each is written whatever becomes of the ones before; the first failure is thrown, the others are told', async () => {
  const further: unknown[] = [];
  const files = [summary('a'), summary('bad', 'the disk is full'), summary('b'), summary('worse', 'still full')];
  const writing = writeSummaries(files, { force: false, resume: false }, (error) => further.push(error));
  await expect(writing).rejects.toThrow('the disk is full');
  expect(further).toEqual([new Error('still full')]);
  expect(files.map(({ path: file }) => existsSync(file))).toEqual([true, false, true, false]);
});
