import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { CropIndex } from '../../src/retrieval/crop-index.js';
import { centred } from '../../src/retrieval/descriptor.js';
import { quantised, readIndexFile, writeIndexFile, type IndexContents } from '../../src/retrieval/index-file.js';

const folder = mkdtempSync(path.join(tmpdir(), 'framewright-index-'));
afterAll(() => rmSync(folder, { recursive: true }));

const N_EMBD = 16;
const random = seededRandom(3);
const vectors = Array.from({ length: 40 }, () => Float32Array.from({ length: 4 * N_EMBD }, () => random() - 0.5));
const contents: IndexContents = {
  tower: { name: 'toy', mmprojSha256: 'ab'.repeat(32), minPixels: 1, maxPixels: 2, positionRamps: false },
  common: Float32Array.from({ length: N_EMBD }, () => random() / 10),
  photos: vectors.map((vector, i) => ({ name: `${i}.jpg`, boxes: [[0, 0.25, 0.5, 1]], vector: quantised(vector) })),
};

test('what is written is read, and the same contents are the same bytes', async () => {
  const [first, second] = ['a.json', 'b.json'].map((name) => path.join(folder, name)) as [string, string];
  await writeIndexFile(first, contents);
  const read = await readIndexFile(first);
  expect(read).toEqual(contents);
  await writeIndexFile(second, read);
  expect(readFileSync(second).equals(readFileSync(first))).toBe(true);
  await expect(writeIndexFile(first, contents)).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
});

test('the photos most alike are found in the order of their cosines, which 8 bits leave as they are', async () => {
  const index = await CropIndex.open(contents);
  const asked = Float32Array.from(vectors[7]!, (value) => value + 0.05 * (random() - 0.5));
  const unit = centred(asked, contents.common);
  const cosine = (vector: Float32Array): number =>
    vector.reduce((sum, value, i) => sum + value * unit[i]!, 0) / Math.hypot(...vector);
  const expected = vectors.map((vector, i) => [cosine(vector), `${i}.jpg`] as const).sort((a, b) => b[0] - a[0]);
  const found = await index.nearest(asked, 5);
  expect(found.map(({ photo }) => photo.name)).toEqual(expected.slice(0, 5).map(([, name]) => name));
  found.forEach(({ similarity }, i) => expect(similarity).toBeCloseTo(expected[i]![0], 2));
  expect(found[0]!.photo.name).toBe('7.jpg');
  const others = await index.nearest(asked, 4, found[0]!.photo);
  expect(others.map(({ photo }) => photo.name)).toEqual(expected.slice(1, 5).map(([, name]) => name));
});

test.each([
  ['no JSON', 'nothing', /is no index of crops/],
  ['another file', '{"schemaVersion": 1}', /is no index of crops/],
  ['a box outside the photo', () => altered((index) => (index.photos[0]!.boxes[0]![2] = 1.5)), /photos\.0\.boxes/],
  ['a vector cut short', () => altered((index) => (index.photos[3]!.vector = 'AAAA')), /3\.jpg has 3 numbers where 64/],
  ['no common part', () => altered((index) => (index.common = '')), /is no index of crops/],
  ['no photo', () => altered((index) => (index.photos = [])), /photos/],
])('%s is refused with the file and what to do', async (_, text, message) => {
  const file = path.join(folder, 'bad.json');
  writeFileSync(file, typeof text === 'string' ? text : await text());
  const refused = readIndexFile(file);
  await expect(refused).rejects.toMatchObject({ code: 'DATASET_INVALID' });
  await expect(refused).rejects.toThrow(message);
  await expect(refused).rejects.toThrow('framewright index build');
});

interface Parsed {
  common: string;
  photos: { boxes: number[][]; vector: string }[];
}

async function altered(change: (index: Parsed) => unknown): Promise<string> {
  const file = path.join(folder, 'whole.json');
  await writeIndexFile(file, contents, { force: true });
  const index = JSON.parse(readFileSync(file, 'utf8')) as Parsed;
  change(index);
  return JSON.stringify(index);
}
