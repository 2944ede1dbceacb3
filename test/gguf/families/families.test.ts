import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FAMILIES, cellPxOf, familyOfArchitecture, requireValidPair, writeToyPair } from '../../../gguf/index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'framewright-families-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('a pair of files tells its family', async () => {
  const { textPath, mmprojPath } = await writeToyPair(folder);
  const { family } = await requireValidPair(textPath, mmprojPath);
  expect(family).toBe(FAMILIES.qwen2vl);
  expect([cellPxOf(family), family.coordinates]).toEqual([28, 'pixels']);
});

test('each is found by its architecture, and an unknown one is not', () => {
  for (const [name, family] of Object.entries(FAMILIES)) {
    expect(family.architecture).toBe(name);
    expect(familyOfArchitecture(name)).toBe(family);
  }
  expect(familyOfArchitecture('llama')).toBeUndefined();
  expect(familyOfArchitecture('qwen35moe')).toBeUndefined();
  expect(familyOfArchitecture(undefined)).toBeUndefined();
});
