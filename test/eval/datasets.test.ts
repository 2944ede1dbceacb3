import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DATASET_READERS } from '../../src/eval/datasets/index.js';
import { readMat5 } from '../../src/eval/datasets/mat5.js';

const fixtures = new URL('../fixtures/eval/', import.meta.url).pathname;
let root: string;
let nFolders = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'framewright-datasets-'));
});
afterAll(() => rm(root, { recursive: true }));

/** A fresh folder holding `files`: text, JSON values or photos of a size. */
async function folderWith(files: Record<string, string | Buffer | object>): Promise<string> {
  const folder = join(root, String(nFolders++));
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content));
  }
  return folder;
}

function photo(width: number, height: number, orientation = 1): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: '#789' } })
    .withMetadata({ orientation })
    .jpeg()
    .toBuffer();
}

describe('FLMS', () => {
  test('clamps crops over an edge, drops inverted ones and failed annotators, and says so', async () => {
    const folder = await folderWith({
      'images/a.jpg': await photo(100, 80),
      'crops.json': {
        'a.jpg': [
          [10, 10, 90, 70],
          [0, 20, 100, 95],
          [70, 60, 20, 70],
          [-1, -1, -1, -1],
        ],
      },
    });
    const { photos, repairs, missing, kind } = await DATASET_READERS.flms(folder);
    expect(kind).toBe('boxes');
    expect(photos).toEqual([
      {
        id: 'a.jpg',
        path: join(folder, 'images/a.jpg'),
        size: { width: 100, height: 80 },
        split: undefined,
        boxes: [
          [10, 10, 90, 70],
          [0, 20, 100, 80],
        ],
      },
    ]);
    expect(repairs).toEqual([
      'a.jpg: clamped [0, 20, 100, 95] to [0, 20, 100, 80]',
      'a.jpg: dropped the inverted box [70, 60, 20, 70]',
      'a.jpg: dropped a failed annotator [-1, -1, -1, -1]',
    ]);
    expect(missing).toEqual([]);
  });

  test('keeps the labels of a photo that is not there or not readable, and lists it', async () => {
    const folder = await folderWith({
      'broken.jpg': 'no photo',
      'crops.json': { 'gone.jpg': [[0, 0, 10, 10]], 'broken.jpg': [[0, 0, 10, 10]] },
    });
    const { photos, missing } = await DATASET_READERS.flms(folder);
    expect(photos.map(({ id, path }) => [id, path])).toEqual([
      ['gone.jpg', undefined],
      ['broken.jpg', undefined],
    ]);
    expect(missing.map(({ id }) => id)).toEqual(['gone.jpg', 'broken.jpg']);
    expect(missing[1]!.reason).toContain('cannot be read');
  });

  test('labels stay in the size they were made in when the photos are scaled copies', async () => {
    const folder = await folderWith({
      'images/a.jpg': await photo(50, 40),
      'crops.json': { 'a.jpg': { original_size: [100, 80], crops_xyxy_original: [[0, 0, 100, 90]] } },
    });
    const [only] = (await DATASET_READERS.flms(folder)).photos;
    expect(only).toMatchObject({ size: { width: 100, height: 80 }, boxes: [[0, 0, 100, 80]] });
  });

  test('a photo turned by EXIF has the size it is shown in', async () => {
    const folder = await folderWith({
      'a.jpg': await photo(100, 60, 6),
      'crops.json': { 'a.jpg': [[0, 0, 60, 100]] },
    });
    const { photos, repairs } = await DATASET_READERS.flms(folder);
    expect(photos[0]!.size).toEqual({ width: 60, height: 100 });
    expect(repairs).toEqual([]);
  });

  test.each(['struct-compressed.mat', 'struct-plain.mat', 'cells.mat'])(
    'reads the original MATLAB table (%s)',
    async (name) => {
      const folder = await folderWith({ 'image/b.jpg': await photo(800, 600) });
      await copyFile(join(fixtures, name), join(folder, '500_image_dataset.mat'));
      const { photos, repairs, missing } = await DATASET_READERS.flms(folder);
      expect(photos.map(({ id, boxes }) => ({ id, boxes }))).toEqual([
        {
          id: '118697470_Large.jpg',
          boxes: [
            [20, 10, 400, 300],
            [0, 0, 640, 480],
          ],
        },
        {
          id: 'b.jpg',
          boxes: [
            [0, 12.5, 800, 600],
            [6, 5, 650, 490],
          ],
        },
        { id: 'ünïcode.jpg', boxes: [[2, 1, 4, 3]] },
      ]);
      expect(repairs).toHaveLength(2);
      expect(missing.map(({ id }) => id)).toEqual(['118697470_Large.jpg', 'ünïcode.jpg']);
    },
  );

  test('names the file and key it cannot read', async () => {
    const folder = await folderWith({ 'crops.json': { 'a.jpg': [[1, 2, 3, 4]], 'b.jpg': [[1, 2, 'x', 4]] } });
    await expect(DATASET_READERS.flms(folder)).rejects.toMatchObject({
      code: 'DATASET_INVALID',
      message: expect.stringMatching(/crops\.json, at b\.jpg/) as string,
    });
    await expect(DATASET_READERS.flms(join(root, 'nowhere'))).rejects.toMatchObject({ code: 'DATASET_INVALID' });
    await expect(DATASET_READERS.flms(await folderWith({ 'readme.txt': '' }))).rejects.toMatchObject({
      code: 'DATASET_INVALID',
    });
  });
});

describe('MATLAB level 5', () => {
  const elements = (flags: number, dims: number[], data: Buffer): Buffer => {
    const tag = (type: number, payload: Buffer): Buffer => {
      const head = Buffer.alloc(8);
      head.writeUInt32BE(type, 0);
      head.writeUInt32BE(payload.length, 4);
      return Buffer.concat([head, payload, Buffer.alloc((8 - (payload.length % 8)) % 8)]);
    };
    const word = (...values: number[]): Buffer => {
      const bytes = Buffer.alloc(values.length * 4);
      values.forEach((value, i) => bytes.writeUInt32BE(value, i * 4));
      return bytes;
    };
    const matrix = Buffer.concat([
      tag(6, word(flags, 0)),
      tag(5, word(...dims)),
      tag(1, Buffer.from('x')),
      tag(4, data),
    ]);
    const header = Buffer.alloc(128);
    header.write('MATLAB 5.0 MAT-file', 0, 'latin1');
    header.write('MI', 126, 'latin1');
    return Buffer.concat([header, tag(14, matrix)]);
  };

  test('reads big-endian files', () => {
    const data = Buffer.from([0x01, 0x02, 0x00, 0x05]);
    expect(readMat5(elements(6, [1, 2], data), 'x.mat').get('x')).toEqual({
      kind: 'numbers',
      dims: [1, 2],
      data: [258, 5],
    });
  });

  test.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, bytes.length - 9)],
    ['complex', () => elements(6 | 0x0800, [1, 2], Buffer.alloc(4))],
    ['sparse', () => elements(5, [1, 2], Buffer.alloc(4))],
    ['claiming a billion cells', () => elements(1, [1 << 15, 1 << 15], Buffer.alloc(4))],
    ['of more numbers than its size says', () => elements(6, [1, 3], Buffer.alloc(4))],
    ['of HDF5', () => Buffer.concat([Buffer.from('MATLAB 7.3 MAT-file'), Buffer.alloc(200)])],
    ['no MATLAB file', () => Buffer.alloc(500, 'text ')],
  ])('a file %s is a typed error', (_name, damage) => {
    const bytes = damage(elements(6, [1, 2], Buffer.alloc(4)));
    expect(() => readMat5(bytes, 'x.mat')).toThrow(expect.objectContaining({ code: 'DATASET_INVALID' }) as Error);
  });

  test.each([
    ['one variable of zeros', 1, 100_000_000],
    ['many that are each small enough', 60, 8_000_000],
  ])('a small file that inflates to gigabytes is refused within memory: %s', (_name, nVariables, nBytes) => {
    const plain = elements(9, [1, nBytes], Buffer.alloc(0)).subarray(128);
    // The numbers as bytes (type 2), which take eight times the room as values.
    const data = Buffer.alloc(nBytes + 8);
    data.writeUInt32BE(2, 0);
    data.writeUInt32BE(nBytes, 4);
    const inner = Buffer.concat([plain.subarray(8, plain.length - 8), data]);
    const head = Buffer.alloc(8);
    head.writeUInt32BE(14, 0);
    head.writeUInt32BE(inner.length, 4);
    const packed = deflateSync(Buffer.concat([head, inner]));
    const tag = Buffer.alloc(8);
    tag.writeUInt32BE(15, 0);
    tag.writeUInt32BE(packed.length, 4);
    const header = elements(6, [1, 2], Buffer.alloc(4)).subarray(0, 128);
    const file = Buffer.concat([header, ...Array.from({ length: nVariables }, () => [tag, packed]).flat()]);
    expect(file.length).toBeLessThan(1_000_000);
    const before = process.memoryUsage().rss;
    expect(() => readMat5(file, 'x.mat')).toThrow(expect.objectContaining({ code: 'DATASET_INVALID' }) as Error);
    expect(process.memoryUsage().rss - before).toBeLessThan(700_000_000);
  });

  test('no flipped byte of a file can crash the reader', async () => {
    const { readFile } = await import('node:fs/promises');
    const bytes = await readFile(join(fixtures, 'struct-plain.mat'));
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = damaged[at]! ^ 0xff;
      try {
        readMat5(damaged, 'x.mat');
      } catch (error) {
        expect(error).toMatchObject({ code: 'DATASET_INVALID' });
      }
    }
  });
});

describe('GAICD', () => {
  const annotation = '10 5 60 80 3.5\n0 5 60 80 4.25\n10 5 60 90 -2\n';

  test.each([
    ['a folder a split', 'annotations/test/1.txt', 'images/test/1.jpg'],
    ['flat annotations', 'annotations/1.txt', 'images/test/1.jpg'],
  ])('reads text annotations with %s', async (_name, text, image) => {
    const folder = await folderWith({ [text]: annotation, [image]: await photo(100, 70) });
    const { photos, repairs } = await DATASET_READERS.gaicd(folder);
    expect(photos).toEqual([
      {
        id: '1.jpg',
        path: join(folder, image),
        size: { width: 100, height: 70 },
        split: 'test',
        crops: [
          { box: [5, 0, 80, 60], mos: 4.25 },
          { box: [5, 10, 80, 60], mos: 3.5 },
        ],
      },
    ]);
    expect(repairs).toEqual(['1.jpg: left out 1 crop rated -2 (discarded)']);
  });

  test('crops listed by rating come out in the order of their coordinates', async () => {
    const boxes = [
      [30, 0, 60, 40],
      [0, 0, 50, 40],
      [10, 0, 50, 40],
    ];
    const folder = await folderWith({
      'gaicd_v1.json': { 'a.jpg': { split: 'train', size_inferred: [60, 40], crops_xyxy: boxes, mos: [5, 4, 3] } },
    });
    const { photos } = await DATASET_READERS.gaicd(folder);
    expect(photos[0]!.crops.map(({ mos }) => mos)).toEqual([4, 3, 5]);
  });

  test('names file and line of what it cannot read', async () => {
    const folder = await folderWith({ 'annotations/train/7.txt': '1 2 3 4 5\n1 2 x 4 5\n' });
    await expect(DATASET_READERS.gaicd(folder)).rejects.toMatchObject({
      code: 'DATASET_INVALID',
      message: expect.stringContaining('7.txt:2:') as string,
    });
    const uneven = { 'a.jpg': { split: 'train', size_inferred: [9, 9], crops_xyxy: [[0, 0, 1, 1]], mos: [] } };
    await expect(DATASET_READERS.gaicd(await folderWith({ 'gaicd.json': uneven }))).rejects.toMatchObject({
      message: expect.stringContaining('at a.jpg: 1 crop but 0 scores') as string,
    });
  });
});

describe('FCDB', () => {
  const crops = (id: number, crop: number[]): object => ({ url: `https://x/${id}_z_b.jpg`, flickr_photo_id: id, crop });

  test('turns x, y, width, height into corners and finds photos by address or number', async () => {
    const folder = await folderWith({
      'cropping_training_set.json': [crops(1, [10, 5, 20, 30]), crops(3, [0, 0, 5, 5])],
      'cropping_testing_set.json': [crops(2, [0, 0, 50, 50])],
      'images/1_z_b.jpg': await photo(60, 60),
      'images/2.jpg': await photo(40, 60),
    });
    const { photos, missing, repairs } = await DATASET_READERS.fcdb(folder);
    expect(photos.map(({ id, split, boxes }) => ({ id, split, boxes }))).toEqual([
      { id: '1', split: 'train', boxes: [[10, 5, 30, 35]] },
      { id: '3', split: 'train', boxes: [[0, 0, 5, 5]] },
      { id: '2', split: 'test', boxes: [[0, 0, 40, 50]] },
    ]);
    expect(missing.map(({ id }) => id)).toEqual(['3']);
    expect(repairs).toHaveLength(1);
  });

  test('reads ranked pairs with their votes', async () => {
    const pair = (votes: number[]): object => ({
      crop_0: [0, 0, 10, 10],
      crop_1: [1, 2, 3, 4],
      vote_for_0: votes[0],
      vote_for_1: votes[1],
    });
    const folder = await folderWith({
      'cropping_testing_set.json': [crops(2, [0, 0, 1, 1])],
      'ranking_annotation.json': [{ url: 'https://x/2.jpg', flickr_photo_id: 2, crops: [pair([4, 1]), pair([2, 2])] }],
    });
    const { photos, repairs } = await DATASET_READERS['fcdb-pairs'](folder);
    expect(photos[0]!.pairs).toEqual([
      {
        boxes: [
          [0, 0, 10, 10],
          [1, 2, 4, 6],
        ],
        votes: [4, 1],
      },
    ]);
    expect(photos[0]!.split).toBe('test');
    expect(repairs).toEqual(['2: left out a pair with 2 votes each']);
  });
});

describe('CADB', () => {
  test('keeps the ten classes, names the others, joins the segments of a vanishing point', async () => {
    const folder = await folderWith({
      'composition_elements.json': {
        'a.jpg': {
          center: [[659, 0, 0, 655]],
          vanishing_point: [
            [0, 0, 9, 9],
            [0, 9, 9, 0],
          ],
          curved: [[1, 2, 3, 4, 5, 6]],
          triangle: [[0, 0, 9, 0, 4, 8]],
          radial: [[0, 0, 1, 1]],
          fill_the_frame: {},
        },
        'b.jpg': { none: [] },
      },
      'split.json': { test: ['b.jpg'] },
    });
    const { photos, repairs } = await DATASET_READERS.cadb(folder);
    expect(photos[0]).toMatchObject({
      size: { width: 1024, height: 1024 },
      elements: [
        { type: 'center', box: [0, 0, 659, 655] },
        {
          type: 'vanishing_point',
          lines: [
            [0, 0, 9, 9],
            [0, 9, 9, 0],
          ],
        },
        {
          type: 'curved',
          points: [
            [1, 2],
            [3, 4],
            [5, 6],
          ],
        },
        {
          type: 'triangle',
          points: [
            [0, 0],
            [9, 0],
            [4, 8],
          ],
        },
      ],
      otherClasses: ['radial', 'fill_the_frame'],
    });
    expect(photos[1]).toMatchObject({ elements: [], otherClasses: ['none'], split: 'test' });
    expect(repairs).toEqual(['a.jpg: ordered the corners of [659, 0, 0, 655]']);
  });

  test.each([
    [{ spiral: [[1, 2, 3, 4]] }, /at a\.jpg > spiral: "spiral" is no composition class/],
    [{ triangle: [[1, 2, 3, 4]] }, /at a\.jpg > triangle/],
    [{ curved: [[1, 2, 3, 4, 5]] }, /at a\.jpg > curved/],
    [{ horizontal: [[1, 2, 3, 4000]] }, /at a\.jpg > horizontal, at 3/],
  ])('names the key of what it cannot read: %j', async (classes, message) => {
    const folder = await folderWith({ 'composition_elements.json': { 'a.jpg': classes } });
    await expect(DATASET_READERS.cadb(folder)).rejects.toMatchObject({
      code: 'DATASET_INVALID',
      message: expect.stringMatching(message) as string,
    });
  });
});

test('GenCrop labels are shares of the size of the subject mask, photos found by the hash of their number', async () => {
  const mask = await sharp({ create: { width: 200, height: 100, channels: 3, background: '#000' } })
    .png()
    .toBuffer();
  const id = createHash('sha256').update('abcDEF').digest('hex');
  const label = {
    subject_xywh: [0, 0, 1, 1],
    crop_xywh: [[0.1, 0.2, 0.9, 0.8]],
    subject_mask: mask.toString('base64'),
  };
  const folder = await folderWith({
    'dog/testeval_sha256.json.gz': gzipSync(JSON.stringify({ [id]: label, other: label })),
    'dog/abcDEF.jpg': await photo(400, 200),
  });
  const { photos, missing, repairs } = await DATASET_READERS.gencrop(folder);
  expect(photos[0]).toMatchObject({ path: join(folder, 'dog/abcDEF.jpg'), split: 'dog', boxes: [[20, 20, 200, 100]] });
  expect(missing.map((entry) => entry.id)).toEqual(['other']);
  expect(repairs).toEqual([]);
});

describe('own photos', () => {
  test('reads boxes, with the photo relative to the file', async () => {
    const folder = await folderWith({
      'photos/a.jpg': await photo(100, 80),
      'labels.jsonl':
        '{"photo": "photos/a.jpg", "boxes": [[0, 0, 120, 80]]}\n\n{"photo": "gone.jpg", "boxes": [[0, 0, 5, 5]]}\n',
    });
    const dataset = await DATASET_READERS.own(folder);
    expect(dataset.kind).toBe('boxes');
    expect(dataset.photos[0]).toMatchObject({ id: 'photos/a.jpg', boxes: [[0, 0, 100, 80]] });
    expect(dataset.missing.map(({ id }) => id)).toEqual(['gone.jpg']);
    expect(dataset.repairs).toHaveLength(1);
  });

  test.each([
    [
      'ranking',
      {
        crops: [
          { box: [5, 0, 9, 9], mos: 2 },
          { box: [0, 0, 9, 9], mos: 1 },
        ],
      },
    ],
    [
      'pairs',
      {
        pairs: [
          {
            boxes: [
              [0, 0, 5, 5],
              [1, 1, 6, 6],
            ],
            votes: [3, 0],
          },
        ],
      },
    ],
    ['elements', { elements: [{ type: 'center', box: [0, 0, 5, 5] }] }],
  ])('reads %s', async (kind, labels) => {
    const folder = await folderWith({
      'labels.jsonl': { photo: 'a.jpg', id: 'one', size: [10, 10], split: 'test', ...labels },
    });
    const dataset = await DATASET_READERS.own(join(folder, 'labels.jsonl'));
    expect(dataset.kind).toBe(kind);
    expect(dataset.photos[0]).toMatchObject({ id: 'one', size: { width: 10, height: 10 }, split: 'test' });
  });

  test.each([
    ['{"photo": "a.jpg", "boxes": [[0, 0, 5, 5]]}\n{oops', /labels\.jsonl:2 is not JSON/],
    ['{"photo": "a.jpg", "boxes": [[0, 0, 5]]}', /labels\.jsonl:1, at boxes > 0/],
    ['{"photo": "a.jpg", "boxes": [[0, 0, 5, 5]], "note": 1}', /labels\.jsonl:1: .*note/],
    ['{"photo": "a.jpg"}', /labels\.jsonl:1: none of boxes, crops/],
    ['{"photo": "a.jpg", "boxes": [[0,0,5,5]]}\n{"photo": "a.jpg", "boxes": [[0,0,5,5]]}', /two lines are for a\.jpg/],
    ['\n', /has no lines/],
  ])('names the line and key of %j', async (text, message) => {
    const folder = await folderWith({ 'labels.jsonl': text });
    await expect(DATASET_READERS.own(folder)).rejects.toMatchObject({
      code: 'DATASET_INVALID',
      message: expect.stringMatching(message) as string,
    });
  });
});
