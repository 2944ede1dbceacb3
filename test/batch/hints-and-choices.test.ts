import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runBatch, type BatchListener, type BatchOptions, type CropResult } from '../../src/index.js';
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
  expect(told.find((text) => text.startsWith('note'))).toMatch(/^note on hints: 1 hint is for a photo .*cats\.jpg\)$/);
});

test('hints place, trim and fit single photos, and a fit of their own takes no colour from the others', async () => {
  const lines = [
    { path: at('in', 'dogs.jpg'), fit: 'pad', background: '#204060', keep: [[0, 0, 30, 100]] },
    { path: at('in', 'mountains.jpg'), place: 'left', focus: [60, 40] },
    { path: at('in', 'pagoda.jpg'), fit: 'crop' },
  ];
  const crops: CropResult[] = [];
  const run = async (options: BatchOptions = {}): Promise<void> => {
    crops.length = 0;
    const { failures } = await runBatch(rules({ aspects: ['2:1'], dryRun: true, ...options }), {
      onPhoto: ({ results }) => crops.push(results[0]!),
    });
    expect(failures).toEqual([]);
  };
  await run({ fit: 'pad', background: '#ffffff' });
  const plain = crops.map(({ crop }) => crop);
  writeFileSync(at('hints.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'));
  await run({ hints: at('hints.jsonl'), fit: 'pad', background: '#ffffff' });
  expect(crops.map(({ target }) => target)).toEqual([
    { aspect: '2:1', fit: 'pad', background: '#204060' },
    { aspect: '2:1', fit: 'pad', background: '#ffffff' },
    { aspect: '2:1' },
  ]);
  expect(crops[0]!.canvas).toMatchObject({ fill: 'pad', background: '#204060' });
  const { crop } = crops[1]!;
  expect(Math.abs((60.5 - crop.x) / crop.width - 1 / 3)).toBeLessThan(0.03);
  expect(plain[1]).not.toEqual(crop);
  writeFileSync(
    at('hints.jsonl'),
    JSON.stringify({ path: at('in', 'dogs.jpg'), margin: '5px', keep: [[20, 20, 30, 30]] }),
  );
  await run({ hints: at('hints.jsonl'), aspects: [] });
  expect(crops[0]!.crop).toEqual({ x: 15, y: 15, width: 40, height: 40 });
});

test.each([
  [{ place: 'middle' }, /place: /],
  [{ margin: '10' }, /"10" is no margin; write/],
  [{ fit: 'fill' }, /fit: /],
  [{ fit: 'blur', background: 'white' }, /a blurred canvas has no background colour/],
  [{ fit: 'crop', enlarge: true }, /enlarge is for what is put on a canvas/],
  [{ background: 'mauve' }, /"mauve" is no colour/],
  [{ enlarge: 1 }, /enlarge: /],
  [{ margins: '10%' }, /margins/],
])('the hint %j is refused, with its line', async (wish, why) => {
  writeFileSync(at('hints.jsonl'), `\n${JSON.stringify({ path: at('in', 'dogs.jpg'), ...wish })}`);
  await expect(runBatch(rules({ hints: at('hints.jsonl') }))).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringMatching(new RegExp(`hints\\.jsonl:2 is no hint: .*${why.source}`)) as string,
  });
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
