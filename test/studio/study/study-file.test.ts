import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { CropResult } from '../../../src/base/schema.js';
import { readStudy } from '../../../src/studio/study/study-file.js';
import { rejection } from '../../photo/thrown.js';
import { OURS, SIZE, THEIRS, useSmallStudy } from './small-study.js';

const { at, write } = useSmallStudy(4);

test('a study of boxes has a pair for each photo and two methods, and the checks apart', async () => {
  const { pairs, checks, judges, judgesPerPair } = await readStudy(write('study.json'));
  expect([pairs.length, checks.length, judges, judgesPerPair]).toEqual([4, 1, 3, 3]);
  expect(pairs[0]).toMatchObject({
    path: at('0.jpg'),
    target: 'free',
    size: SIZE,
    a: { method: 'ours', box: OURS },
    b: { method: 'theirs', box: THEIRS },
  });
  expect(new Set([...pairs, ...checks].map(({ id }) => id)).size).toBe(5);
});

test('three methods are compared two by two, in the order the study names them; the very same crop is not asked about', async () => {
  const photos = [
    { path: at('0.jpg'), aspect: '10:8', crops: { c: [0, 0, 50, 40], b: [0, 0, 50, 40], a: [50, 50, 100, 90] } },
  ];
  const { pairs, nSame } = await readStudy(write('three.json', { photos }));
  expect(pairs.map(({ a, b, target }) => [a.method, b.method, target])).toEqual([
    ['c', 'a', '5:4'],
    ['b', 'a', '5:4'],
  ]);
  expect(nSame).toBe(1);
});

test('judgements outlive another order of methods and photos: the pairs are the same', async () => {
  const one = await readStudy(write('study.json'));
  const turned = [3, 1].map((i) => ({ path: at(`${i}.jpg`), crops: { theirs: THEIRS, ours: OURS } }));
  const other = await readStudy(write('turned.json', { photos: turned }));
  expect(other.pairs.map(({ id }) => id)).toEqual([one.pairs[3]!.id, one.pairs[1]!.id]);
  expect(other.pairs[0]!.a.method).toBe('theirs');
});

function result(photo: string, crop: CropResult['crop'], aspect?: string): string {
  const size = { widthPx: SIZE.width, heightPx: SIZE.height };
  const box = [crop.x, crop.y, crop.x + crop.width, crop.y + crop.height];
  return JSON.stringify({
    schemaVersion: 1,
    ...{
      photo: { ...size, path: photo },
      engine: 'rules',
      frame: size,
      target: aspect === undefined ? {} : { aspect },
    },
    ...{ analysis: [], candidates: [{ box, modelScore: 1, why: '' }], best: 0, why: '', crop },
    ...{ focalPoint: { x: 0, y: 0 }, verdict: 'crop', timingsMs: {} },
  });
}

test('results of --json are compared where they cropped the same photo for the same target', async () => {
  const [left, right] = [
    { x: 0, y: 0, width: 100, height: 100 },
    { x: 50, y: 0, width: 100, height: 100 },
  ];
  writeFileSync(
    at('a.jsonl'),
    [result('0.jpg', left, '1:1'), result('1.jpg', left, '1:1'), result('0.jpg', left)].join('\n'),
  );
  writeFileSync(at('b.jsonl'), [result('0.jpg', right, '1:1'), result('2.jpg', right, '1:1')].join('\n'));
  const { pairs, notes } = await readStudy(
    write('of-results.json', { photos: [], results: { a: 'a.jsonl', b: 'b.jsonl' } }),
  );
  expect(pairs).toMatchObject([{ name: '0.jpg', path: at('0.jpg'), target: '1:1', a: { box: [0, 0, 100, 100] } }]);
  expect(notes).toEqual([
    '1.jpg: only a has a crop of it',
    '0.jpg: only a has a crop of it',
    '2.jpg: only b has a crop of it',
  ]);
});

test.each([
  ['{"judges"', /is no study: .*JSON/],
  ['{"judge": 3}', /is no study: .*judge/],
  ['{"photos": []}', /no photo has two different crops to compare/],
  ['{"judges": 2, "judgesPerPair": 3}', /3 are to judge each pair, and there are 2/],
  [
    '{"photos": [{"path": "0.jpg", "crops": {"=cmd": [0, 0, 1, 1], "b": [0, 0, 2, 2]}}]}',
    /"=cmd" is no name of a method/,
  ],
  [
    '{"photos": [{"path": "0.jpg", "crops": {"a": [0, 0, 1, 1], "b": [0, 0, 201, 2]}}]}',
    /is not inside 0\.jpg, 200x150 px/,
  ],
  [
    '{"photos": [{"path": "0.jpg", "aspect": "1:1", "size": "5x5", "crops": {"a": [0, 0, 1, 1], "b": [0, 0, 2, 2]}}]}',
    /fixes the aspect/,
  ],
  ['{"photos": [{"path": "gone.jpg", "crops": {"a": [0, 0, 1, 1], "b": [0, 0, 2, 2]}}]}', /gone\.jpg/],
])('%s is refused, and it says why', async (text, message) => {
  writeFileSync(at('bad.json'), text);
  const error = await rejection(readStudy(at('bad.json')));
  expect(error.message).toMatch(message);
  expect(error.message).toContain(path.basename(text.includes('gone') ? 'gone.jpg' : 'bad.json'));
});
