import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { runBatch, watchBatch, type BatchOptions, type CropResult } from '../../src/index.js';
import { boxOfRect } from '../../src/base/geometry.js';
import { framewright } from '../cli/run.js';
import { burstOf, cropsApart, type Frame } from '../support/bursts.js';
import { examplePhoto } from '../support/photos.js';

let frames: Frame[];
let folder: string;
const at = (...names: readonly string[]): string => path.join(folder, ...names);
beforeAll(async () => {
  frames = await burstOf(examplePhoto('pagoda'), { count: 3, seed: 11, longSidePx: 400 });
});
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-batch-series-'));
  mkdirSync(at('in'));
  for (const [i, { bytes }] of frames.entries()) writeFileSync(at('in', `a${i}.jpg`), bytes);
  await sharp(examplePhoto('dogs')).resize(200).toFile(at('in', 'b.jpg'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const options = (more: Partial<BatchOptions> = {}): BatchOptions => ({
  ...{ inputs: [at('in')], output: at('out', '/'), cropper: { engine: 'rules' }, series: 'auto' },
  ...more,
});

/** The crops of a run, by the names of their photos. */
async function run(more?: Partial<BatchOptions>): Promise<Map<string, CropResult & { isEarlier: boolean }>> {
  const crops = new Map<string, CropResult & { isEarlier: boolean }>();
  await runBatch(options(more), {
    onPhoto: ({ input, results: [result], isEarlier }) => crops.set(path.basename(input), { ...result!, isEarlier }),
  });
  return crops;
}

function worstApart(crops: ReadonlyMap<string, CropResult>): number {
  const boxes = frames.map((_, i) => boxOfRect(crops.get(`a${i}.jpg`)!.crop));
  return Math.max(...frames.map((frame, i) => cropsApart(frames[0]!, boxes[0]!, frame, boxes[i]!)));
}

test('a folder is compared, and its burst has one crop; the photo beside it has its own', async () => {
  const compared: number[] = [];
  const crops = new Map<string, CropResult>();
  const result = await runBatch(options(), {
    onPrepare: ({ step, nPhotos }) => step === 'compare' && compared.push(nPhotos),
    onPhoto: ({ input, results }) => crops.set(path.basename(input), results[0]!),
  });
  expect(result).toMatchObject({ nDone: 4, failures: [] });
  expect(compared).toEqual([0, 1, 2, 3]);
  expect([...crops.values()].map(({ series }) => series?.by)).toEqual([
    'lead',
    'registration',
    'registration',
    undefined,
  ]);
  expect(crops.get('a1.jpg')!.series).toMatchObject({ lead: at('in', 'a0.jpg'), nPhotos: 3 });
  expect(worstApart(crops)).toBeLessThan(0.01);
  expect(readdirSync(at('out')).filter((name) => !name.startsWith('.'))).toHaveLength(4);
});

test('a run that goes on has the crops of one that was never stopped', async () => {
  const whole = await run({ output: at('whole', '/') });
  const stop = new AbortController();
  await runBatch(options({ noMore: stop.signal }), { onPhoto: () => stop.abort() });
  const { mtimeMs } = statSync(at('out', 'a0-crop.jpg'));
  const crops = await run({ resume: true });
  expect([...crops.values()].map(({ isEarlier }) => isEarlier)).toEqual([true, false, false, false]);
  expect(statSync(at('out', 'a0-crop.jpg')).mtimeMs).toBe(mtimeMs);
  for (const [name, { crop }] of crops) expect(crop).toEqual(whole.get(name)!.crop);
  // Once all is done nothing is compared.
  const steps: string[] = [];
  await runBatch(options({ resume: true }), { onPrepare: ({ step }) => steps.push(step) });
  expect(steps).not.toContain('compare');
  expect(readFileSync(at('out', 'a2-crop.jpg'))).toEqual(readFileSync(at('whole', 'a2-crop.jpg')));
});

test('a photo that was not there before takes over what is done', async () => {
  rmSync(at('in', 'a0.jpg'));
  const before = await run();
  writeFileSync(at('in', 'a0.jpg'), frames[0]!.bytes);
  const crops = await run({ resume: true });
  expect(crops.get('a1.jpg')!.crop).toEqual(before.get('a1.jpg')!.crop);
  expect(crops.get('a0.jpg')!.series).toMatchObject({ lead: at('in', 'a1.jpg'), by: 'registration' });
  expect(worstApart(crops)).toBeLessThan(0.01);
});

test('a reference that has changed under its name is another one for a run that goes on', async () => {
  const like = at('like.jpg');
  const cut = (left: number): Promise<unknown> =>
    sharp(examplePhoto('pagoda')).extract({ left, top: 2, width: 425, height: 425 }).jpeg().toFile(like);
  await cut(0);
  const first = await run({ series: 'off', like });
  expect(first.get('a0.jpg')!.like).toEqual({ reference: like, by: 'registration' });
  expect((await run({ series: 'off', like, resume: true })).get('a0.jpg')!.isEarlier).toBe(true);
  await cut(20);
  utimesSync(like, 1, 1);
  const again = await run({ series: 'off', like, resume: true, force: true });
  expect(again.get('a0.jpg')!.isEarlier).toBe(false);
  expect(again.get('a0.jpg')!.crop).not.toEqual(first.get('a0.jpg')!.crop);
});

test.each<[string, Partial<BatchOptions>]>([
  ['--like asks for one crop a photo', { like: 'x.jpg', top: 2 }],
  ['so does margin', { like: 'x.jpg', margin: '10%' }],
  ['keep is at the same pixels in all', { keep: [{ x: 0, y: 0, width: 9, height: 9 }] }],
  ['series changes nothing about it', { inputs: [], choices: 'c.jsonl' }],
  ['did you mean series?', { serie: 'auto' } as never],
])('a run is refused: %s', async (message, more) => {
  const running = runBatch(options(more));
  await expect(running).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(message) as string });
});

test('a watch takes no series', async () => {
  const running = watchBatch({ inputs: [at('in')], series: 'auto' } as never);
  await expect(running).rejects.toMatchObject({ code: 'USAGE' });
});

test('the command says what it compares with, and what it cannot', async () => {
  const { stdout } = await framewright(['--engine', 'rules', '--series', 'auto', '--dry-run', '--json', at('in')]);
  const results = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as CropResult);
  expect(results.map(({ series }) => series?.by)).toEqual(['lead', 'registration', 'registration', undefined]);
  const watched = await framewright(['--watch', '--series', 'auto', at('in')]);
  expect(watched).toMatchObject({ code: 2, stderr: expect.stringContaining('photos that are all there') as string });
  const scene = await framewright(['--engine', 'rules', '--dry-run', '--like', examplePhoto('mountains'), at('in')]);
  expect(scene).toMatchObject({ code: 2, stderr: expect.stringContaining('no subject is found in') as string });
});
