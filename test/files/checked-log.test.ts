import { appendFileSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CheckedLog, LogLines, readCheckedLog, type LinePlace } from '../../src/files/checked-log.js';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-log-'));
  file = path.join(folder, 'log.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

async function append(...values: unknown[]): Promise<void> {
  await using log = await CheckedLog.open(file);
  for (const value of values) await log.append(value);
}

test('a line is read again where it was found, whatever stands before it', async () => {
  await append({ name: 'Straße – 夕焼け 🌅' }, { name: 'a'.repeat(3_000_000) });
  appendFileSync(file, Buffer.from('\n["0123456789abcdef",{"torn": "\xff\xfe', 'latin1'));
  appendFileSync(file, `\n${'x'.repeat(2 ** 24 + 5)}`);
  await append({ name: 'last' });
  const values: unknown[] = [];
  const places: LinePlace[] = [];
  const nUnreadable = await readCheckedLog(file, (value, at) => {
    values.push(value);
    places.push(at);
    return true;
  });
  expect(nUnreadable).toBe(2);
  expect(values).toEqual([{ name: 'Straße – 夕焼け 🌅' }, { name: 'a'.repeat(3_000_000) }, { name: 'last' }]);
  await using lines = await LogLines.open(file);
  const again: unknown[] = [];
  for (const place of places.toReversed()) again.push(await lines.at(place));
  expect(again).toEqual(values.toReversed());
});

test('a line that is there no more is none', async () => {
  await append('first', 'second');
  const places: LinePlace[] = [];
  await readCheckedLog(file, (_, at) => places.push(at) > 0);
  await using lines = await LogLines.open(file);
  truncateSync(file, places[1]!.offset + 5);
  expect([await lines.at(places[0]!), await lines.at(places[1]!)]).toEqual(['first', undefined]);
});
