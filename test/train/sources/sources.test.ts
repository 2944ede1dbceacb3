import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contains } from '../../../src/base/geometry.js';
import { asElements } from '../../../src/train/sources/composition.js';
import { readSource } from '../../../src/train/sources/read-source.js';
import { rejection } from '../../photo/thrown.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'framewright-sources-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

let nFolders = 0;
async function folderWith(files: Record<string, object | Buffer>): Promise<string> {
  const folder = path.join(root, String(nFolders++));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), Buffer.isBuffer(content) ? content : JSON.stringify(content));
  }
  return folder;
}

const photo = (width = 400, height = 300): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background: '#789' } })
    .jpeg()
    .toBuffer();

/** White where the subject is. */
async function mask(
  width: number,
  height: number,
  [x1, y1, x2, y2]: readonly [number, number, number, number],
): Promise<Buffer> {
  const white = { create: { width: x2 - x1, height: y2 - y1, channels: 3, background: '#fff' } } as const;
  return sharp({ create: { width, height, channels: 3, background: '#000' } })
    .composite([{ input: await sharp(white).png().toBuffer(), left: x1, top: y1 }])
    .png()
    .toBuffer();
}

describe('data sets', () => {
  test('GAICD: rated crops, its own division, photos in a folder of their own', async () => {
    const crops = [
      [0, 0, 300, 200],
      [50, 50, 350, 280],
      [10, 10, 390, 290],
    ];
    const label = { size_inferred: [400, 300], crops_xyxy: crops, mos: [2.5, -2, 4] };
    const labels = await folderWith({
      'gaicd.json': { 'a.jpg': { split: 'train', ...label }, 'b.jpg': { split: 'test', ...label } },
    });
    const photos = await folderWith({ 'a.jpg': await photo() });
    const { photos: taste, missing, ratingGap } = await readSource('gaicd', labels, { photos, seed: 0 });
    expect(taste).toMatchObject([{ id: 'a.jpg', split: 'train', crops: [{ rating: 2.5 }, { rating: 4 }], pairs: [] }]);
    expect(missing).toEqual([{ id: 'b.jpg', reason: 'not in the folder' }]);
    expect(ratingGap).toBe(1);
  });

  test('FLMS: people’s crops by how far they agree, and drawn ones that agree less', async () => {
    const folder = await folderWith({
      'crops.json': {
        'a.jpg': [
          [10, 10, 300, 250],
          [20, 10, 310, 260],
          [100, 100, 390, 290],
        ],
      },
      'images/a.jpg': await photo(),
    });
    const read = async (seed: number): Promise<string> =>
      JSON.stringify((await readSource('flms', folder, { seed })).photos);
    const [taste] = (await readSource('flms', folder, { seed: 0 })).photos;
    const people = taste!.crops.filter(({ isDrawn }) => !isDrawn);
    expect(people).toHaveLength(3);
    expect(people[2]!.rating).toBeLessThan(people[0]!.rating);
    expect(taste!.crops.length).toBeGreaterThan(20);
    expect(await read(0)).toBe(await read(0));
    expect(await read(0)).not.toBe(await read(1));
  });

  test('FCDB: the crop, and the pairs that people voted on, none of a tie', async () => {
    const named = { url: 'https://x/a.jpg', flickr_photo_id: 7 };
    const pair = { crop_0: [0, 0, 200, 200], crop_1: [100, 50, 250, 200] };
    const folder = await folderWith({
      'cropping_training_set.json': [{ ...named, crop: [10, 10, 300, 200] }],
      'cropping_testing_set.json': [],
      'ranking_annotation.json': [
        {
          ...named,
          crops: [
            { ...pair, vote_for_0: 1, vote_for_1: 4 },
            { ...pair, vote_for_0: 2, vote_for_1: 2 },
          ],
        },
      ],
      'a.jpg': await photo(),
    });
    const { photos, repairs } = await readSource('fcdb', folder, { seed: 0 });
    expect(photos).toMatchObject([
      {
        split: 'train',
        crops: [{ box: [10, 10, 310, 210] }],
        pairs: [{ chosen: [100, 50, 350, 250], rejected: [0, 0, 200, 200] }],
      },
    ]);
    expect(repairs.join()).toMatch(/2 votes each/);
  });

  test('CADB: compositions in its own space', async () => {
    const folder = await folderWith({
      'composition_elements.json': {
        'a.jpg': { center: [[300, 200, 700, 800]], none: [] },
        'b.jpg': { pattern: [] },
      },
      'a.jpg': await photo(),
      'b.jpg': await photo(),
    });
    const { photos } = await readSource('cadb', folder, { seed: 0 });
    expect(photos).toMatchObject([
      { id: 'a.jpg', space: { width: 1024, height: 1024 }, elements: [{ type: 'center', box: [300, 200, 700, 800] }] },
    ]);
  });

  test('subject masks: pairs of crops that hold the subject against ones that cut it', async () => {
    const photos = await folderWith({ 'a.jpg': await photo(), 'b.jpg': await photo() });
    const masks = await folderWith({
      'a.png': await mask(200, 150, [60, 50, 110, 120]),
      'b.png': await mask(200, 150, [60, 50, 61, 51]), // a speck
    });
    const { photos: taste } = await readSource('masks', masks, { photos, seed: 0 });
    expect(taste.map(({ id }) => id)).toEqual(['a.jpg']);
    expect(taste[0]!.subject).toEqual([120, 100, 220, 240]);
    expect(taste[0]!.pairs.length).toBeGreaterThan(3);
    for (const { chosen, rejected } of taste[0]!.pairs) {
      expect(contains(chosen, taste[0]!.subject!)).toBe(true);
      expect(contains(rejected, taste[0]!.subject!)).toBe(false);
    }
    expect(await rejection(readSource('masks', masks, { seed: 0 }))).toMatchObject({ code: 'USAGE' });
  });

  test('a folder that is none is an error', async () => {
    expect(await rejection(readSource('flms', path.join(root, 'none'), { seed: 0 }))).toMatchObject({
      code: 'DATASET_INVALID',
    });
    expect(await rejection(readSource('own', path.join(root, 'none'), { seed: 0 }))).toMatchObject({
      code: 'INPUT_NOT_FOUND',
    });
  });
});

describe('annotators’ shapes as elements', () => {
  test('segments that meet near a point all start at that one', () => {
    const [element] = asElements([
      {
        type: 'vanishing_point',
        lines: [
          [0, 0, 500, 498],
          [1000, 0, 502, 500],
        ],
      },
    ]);
    expect(element).toEqual({
      type: 'vanishing_point',
      lines: [
        [502, 500, 0, 0],
        [502, 500, 1000, 0],
      ],
    });
  });

  test('long curves keep their ends, and what is no element is left out', () => {
    const points = Array.from({ length: 15 }, (_, i) => [i * 10, i * 5] as const);
    const [curve, ...others] = asElements([
      { type: 'curved', points },
      { type: 'curved', points: points.slice(0, 2) },
      { type: 'vanishing_point', lines: [[0, 0, 1, 1]] },
      {
        type: 'vanishing_point',
        lines: [
          [0, 0, 10, 0],
          [0, 9, 10, 9],
        ],
      },
    ]);
    expect(others).toEqual([]);
    expect(curve).toMatchObject({ type: 'curved' });
    const kept = 'points' in curve! ? curve.points : [];
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([12, [0, 0], [140, 70]]);
  });
});
