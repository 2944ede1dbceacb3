import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runBatch, type BatchListener } from '../../src/index.js';
import { recorder, useSmallPhotos } from './small-photos.js';

const { at, written, rules } = useSmallPhotos();

test('hints change single photos; one that is for none of the photos is told', async () => {
  const lines = [
    { path: at('in', 'dogs.jpg'), aspect: '1:1' },
    { path: at('in', 'cats.jpg'), focus: [1, 1] },
  ];
  writeFileSync(at('hints.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'));
  const ratios: (string | undefined)[] = [];
  const { told, listener } = recorder({ onPhoto: ({ results }) => ratios.push(results[0]!.target.aspect) });
  await runBatch(rules({ aspects: ['4:5'], hints: at('hints.jsonl') }), listener);
  expect(written()).toEqual(['dogs-1x1.jpg', 'mountains-4x5.jpg', 'pagoda-4x5.jpg']);
  expect(ratios).toEqual(['1:1', '4:5', '4:5']);
  expect(told.find((text) => text.startsWith('note'))).toMatch(/^note on hints: 1 hints are for photos .*cats\.jpg\)$/);
});

test('crops left for review are listed, and the list is what a later run takes for its photos', async () => {
  const result = await runBatch(rules({ minConfidence: 1 }));
  const list = at('out', 'review.jsonl');
  expect(result.review).toEqual({ path: list, nCrops: 3 });
  expect(written()).toEqual(['review.jsonl']);
  const { inputs: _, ...options } = rules({ hints: list, cropper: { engine: 'full' } });
  expect(await runBatch(options)).toMatchObject({ nTotal: 3, nDone: 3 });
  expect(written()).toHaveLength(4);
});

test('choices are cropped as picked, without a cropper', async () => {
  const choice = { path: at('in', 'dogs.jpg'), aspect: '1:1', box: [10, 20, 90, 100] };
  writeFileSync(
    at('c.jsonl'),
    `${JSON.stringify(choice)}\n${JSON.stringify({ ...choice, aspect: '2:1', box: [0, 0, 80, 40] })}`,
  );
  const { told, listener } = recorder();
  const crops: unknown[] = [];
  const onPhoto: BatchListener['onPhoto'] = ({ results }) => crops.push(results[0]!.crop);
  const result = await runBatch({ choices: at('c.jsonl'), output: at('out') }, { ...listener, onPhoto });
  expect(told).toEqual([
    'plan of 2',
    'begin, 0 of 2',
    '0 of 2, 0 failed',
    '1 of 2, 0 failed',
    '2 of 2, 0 failed',
    'end',
  ]);
  expect(crops).toEqual([
    { x: 10, y: 20, width: 80, height: 80 },
    { x: 0, y: 0, width: 80, height: 40 },
  ]);
  expect(result).toMatchObject({ nDone: 2, canResume: false });
  expect(written()).toEqual(['dogs-1x1.jpg', 'dogs-2x1.jpg']);
});

test('a choice that has its ratio as nearly as pixels can is cropped as it is; another is taken to the ratio', async () => {
  const lines = [
    { path: at('in', 'dogs.jpg'), aspect: '1.91:1', box: [3, 5, 83, 47] },
    { path: at('in', 'pagoda.jpg'), aspect: '1.91:1', box: [3, 5, 83, 50] },
  ];
  writeFileSync(at('c.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'));
  const crops: { width: number; height: number }[] = [];
  await runBatch(
    { choices: at('c.jsonl'), output: at('out') },
    { onPhoto: ({ results }) => crops.push(results[0]!.crop) },
  );
  expect(crops[0]).toEqual({ x: 3, y: 5, width: 80, height: 42 });
  expect(crops[1]!.height).toBe(Math.round(crops[1]!.width / 1.91));
});
