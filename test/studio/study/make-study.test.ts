import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readStudy } from '../../../src/studio/study/study-file.js';
import { framewright } from '../../cli/run.js';
import { SIZE, useSmallStudy } from './small-study.js';

const { at } = useSmallStudy(4);
const make = (...args: string[]) => framewright(['study', 'make', ...args], { cwd: at() });

test('crops for different targets are not compared', async () => {
  for (const [name, aspect] of [
    ['tall', '2:3'],
    ['square', '1:1'],
  ] as const) {
    const args = ['--engine', 'centre', '-a', aspect, '--dry-run', '--json', '0.jpg'];
    writeFileSync(at(`${name}.jsonl`), (await framewright(args, { cwd: at() })).stdout);
  }
  const { code, stderr } = await make('tall.jsonl', 'square.jsonl', '-o', 'none.json');
  expect(code).toBe(2);
  expect(stderr).toMatch(/no photo has crops of two methods for the same target/);
});

test('results of --json for the same target are compared', async () => {
  const lines = (x: number) =>
    ['0.jpg', '1.jpg', '2.jpg'].map((photo) =>
      JSON.stringify({
        photo: { path: photo, widthPx: SIZE.width, heightPx: SIZE.height },
        target: { aspect: '1:1' },
        crop: { x, y: 0, width: 100, height: 100 },
      }),
    );
  writeFileSync(at('a.jsonl'), lines(0).join('\n'));
  writeFileSync(at('b.jsonl'), lines(100).join('\n'));
  const { code, stdout, stderr } = await make(
    'ours=a.jsonl',
    'b.jsonl',
    '-o',
    's.json',
    '--judges',
    '5',
    '--checks',
    '2',
  );
  expect([code, stdout]).toEqual([0, 's.json\n']);
  expect(stderr).toContain('3 pairs, 2 attention checks');
  const study = await readStudy(at('s.json'));
  expect([study.judges, study.pairs.length, study.checks.length]).toEqual([5, 3, 2]);
  expect(study.pairs[0]).toMatchObject({ a: { method: 'ours' }, b: { method: 'b' }, target: '1:1' });
  // The crop is at the upper left, so the corner is at the lower right: an eighth of each side.
  expect(study.checks[0]).toMatchObject({ a: { box: [0, 0, 100, 100] }, b: { box: [175, 131, 200, 150] } });
  const again = await make('ours=a.jsonl', 'b.jsonl', '-o', 's.json');
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('OUTPUT_EXISTS')]);
  expect((await make('ours=a.jsonl', '-o', 't.json')).stderr).toMatch(/name the results of two methods/);
  expect((await make('=a.jsonl', 'b.jsonl', '-o', 't.json')).stderr).toMatch(/names no results/);
});

test('so is what an evaluation says of a photo, in the photo’s pixels', async () => {
  const evaluation = {
    schemaVersion: 1,
    methods: [{ name: 'vlm (nano)' }, { name: 'rules' }, { name: 'prior' }],
    photos: [
      {
        id: '0',
        path: at('0.jpg'),
        size: { width: 2 * SIZE.width, height: 2 * SIZE.height },
        predictions: [
          { prediction: { boxes: [[0, 0, 200.4, 300]] } },
          { prediction: { boxes: [[100, 0, 401, 300]] } },
          { prediction: { unusable: 'no box' } },
        ],
      },
    ],
  };
  writeFileSync(at('eval.json'), JSON.stringify(evaluation));
  expect((await make('eval.json', '-o', 'of-eval.json', '--checks', '0')).code).toBe(0);
  const { photos } = JSON.parse(readFileSync(at('of-eval.json'), 'utf8')) as { photos: unknown[] };
  expect(photos).toEqual([{ path: at('0.jpg'), crops: { 'vlm -nano-': [0, 0, 100, 150], rules: [50, 0, 200, 150] } }]);
  writeFileSync(at('other.json'), '{"methods": []}');
  expect((await make('other.json', '-o', 'x.json')).stderr).toMatch(/nothing that framewright eval --out wrote/);
});
