import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Journal, predictionKey, type JournalRecord } from '../../src/eval/journal.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'framewright-journal-'));
});
afterAll(() => rm(root, { recursive: true }));

function record(i: number): JournalRecord {
  const box = [0.1 + i / 3, 1e-17, 1e21 + i, 2 ** 70] as const;
  return { key: `key ${i}`, method: 'méthode "x"\n', photo: `${i}.jpg`, prediction: { boxes: [box] }, ms: i };
}

test('what was added is there after opening it again, to the last bit', async () => {
  const path = join(root, 'nested', 'a.jsonl');
  {
    await using journal = await Journal.open(path);
    await Promise.all([0, 1, 2].map((i) => journal.add(record(i))));
    expect(journal.get('key 1')).toEqual(record(1));
  }
  await using journal = await Journal.open(path);
  expect([journal.size, journal.nUnreadable]).toEqual([3, 0]);
  expect(journal.get('key 2')).toEqual(record(2));
});

test('a file cut anywhere loses only its last record, and goes on from there', async () => {
  const path = join(root, 'torn.jsonl');
  {
    await using journal = await Journal.open(path);
    for (const i of [0, 1]) await journal.add(record(i));
  }
  const whole = await readFile(path);
  const secondStarts = whole.lastIndexOf('\n');
  for (let length = 0; length <= whole.length; length++) {
    await writeFile(path, whole.subarray(0, length));
    {
      await using journal = await Journal.open(path);
      const nWhole = length === whole.length ? 2 : length >= secondStarts ? 1 : 0;
      expect(journal.size, `cut at ${length}`).toBe(nWhole);
      await journal.add(record(7));
    }
    await using reopened = await Journal.open(path);
    expect(reopened.get('key 7'), `cut at ${length}`).toEqual(record(7));
  }
});

test('a flipped digit is not believed', async () => {
  const path = join(root, 'flipped.jsonl');
  {
    await using journal = await Journal.open(path);
    await journal.add(record(3));
  }
  await writeFile(path, (await readFile(path, 'utf8')).replace('"ms":3', '"ms":4'));
  await appendFile(path, '\nnull\n{"key": 1}\n[]');
  await using journal = await Journal.open(path);
  expect([journal.size, journal.nUnreadable]).toEqual([0, 4]);
});

test('two writers of one file keep each other whole', async () => {
  const path = join(root, 'shared.jsonl');
  {
    await using one = await Journal.open(path);
    await using other = await Journal.open(path);
    await Promise.all(Array.from({ length: 200 }, (_, i) => (i % 2 ? one : other).add(record(i))));
  }
  await using journal = await Journal.open(path);
  expect([journal.size, journal.nUnreadable]).toEqual([200, 0]);
});

test('a path that cannot be written is a typed error', async () => {
  await writeFile(join(root, 'file'), '');
  await expect(Journal.open(join(root, 'file', 'a.jsonl'))).rejects.toMatchObject({ code: 'OUTPUT_WRITE' });
});

test('a key changes with every part', () => {
  const parts = [1, 'photo', 'method', [[0, 0, 1, 1]]];
  const changed = [
    [2, 'photo', 'method', [[0, 0, 1, 1]]],
    [1, 'photo2', 'method', [[0, 0, 1, 1]]],
    [1, 'photo', 'method', [[0, 0, 1, 2]]],
  ];
  expect(new Set([parts, ...changed].map(predictionKey)).size).toBe(4);
});
