import { appendFileSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { openCropper, watchBatch, type BatchListener, type WatchOptions } from '../../../src/index.js';
import { Arrivals } from '../../../src/batch/watch/arrivals.js';
import { fromRaster, positioned } from '../../photo/fixtures.js';
import { dng } from '../../photo/raw-parts.js';
import { recorder, useSmallPhotos } from '../small-photos.js';

const { at, written } = useSmallPhotos();

/** A watch over `in` into `out`, ended by `end`. */
function watch(options: Partial<WatchOptions> = {}, more: BatchListener = {}) {
  const ending = new AbortController();
  const { told, listener } = recorder(more);
  const ended = watchBatch(
    {
      inputs: [at('in')],
      output: at('out', '/'),
      cropper: { engine: 'rules' },
      everyMs: 30,
      noMore: ending.signal,
      ...options,
    },
    listener,
  );
  // What goes wrong is for whoever ends it.
  ended.catch(() => undefined);
  const end = async (): Promise<void> => {
    ending.abort();
    await ended;
  };
  return { told, end };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}

const done = (told: readonly string[]): string[] => told.filter((line) => line.endsWith(' done'));

test('a file is taken once two looks have found it the same, and again when it has changed or come back', async () => {
  const arrivals = new Arrivals();
  const file = at('in', 'dogs.jpg');
  expect(await arrivals.look([file])).toEqual([]);
  appendFileSync(file, 'more');
  expect(await arrivals.look([file])).toEqual([]);
  expect(await arrivals.look([file])).toEqual([file]);
  expect(await arrivals.look([file])).toEqual([file]);
  arrivals.take([file]);
  expect(await arrivals.look([file])).toEqual([]);
  appendFileSync(file, 'more');
  expect(await arrivals.look([file])).toEqual([]);
  expect(await arrivals.look([file])).toEqual([file]);
  arrivals.take([file]);
  rmSync(file);
  expect(await arrivals.look([file])).toEqual([]);
  writeFileSync(file, 'anew');
  await arrivals.look([file]);
  expect(await arrivals.look([file])).toEqual([file]);
});

test('crops what is there and what arrives, half a photo only once it is whole', async () => {
  const whole = readFileSync(at('in', 'pagoda.jpg'));
  rmSync(at('in', 'pagoda.jpg'));
  const { told, end } = watch();
  await until(() => done(told).length === 2);
  writeFileSync(at('in', 'pagoda.jpg'), whole.subarray(0, 3000));
  await until(() => told.some((line) => line.startsWith('pagoda.jpg failed: INPUT_CORRUPT')));
  expect(written()).toEqual(['dogs-crop.jpg', 'mountains-crop.jpg']);
  writeFileSync(at('in', 'pagoda.jpg'), whole);
  await until(() => done(told).length === 3);
  await end();
  expect(written()).toEqual(['dogs-crop.jpg', 'mountains-crop.jpg', 'pagoda-crop.jpg']);
});

test('a watch that is started again goes on, and its own crops are no photos to it', async () => {
  await using cropper = await openCropper({ engine: 'rules' });
  // Beside the photos, where every look finds them.
  const first = watch({ cropper, output: at('in', '/') });
  await until(() => done(first.told).length === 3);
  await first.end();
  const before = readFileSync(at('in', 'dogs-crop.jpg'));
  const second = watch({ cropper, output: at('in', '/') });
  await until(() => second.told.some((line) => line.startsWith('resume, 3 of')));
  copyFileSync(at('in', 'dogs.jpg'), at('in', 'later.jpg'));
  await until(() => done(second.told).length === 1);
  // Long enough for many looks.
  await new Promise((resolve) => setTimeout(resolve, 300));
  await second.end();
  expect(done(second.told)).toEqual(['later.jpg done']);
  expect(readFileSync(at('in', 'dogs-crop.jpg'))).toEqual(before);
});

test('waits for a folder that has no photo yet, or is not there yet', async () => {
  const { told, end } = watch({ inputs: [at('later')] });
  await new Promise((resolve) => setTimeout(resolve, 100));
  mkdirSync(at('later'));
  copyFileSync(at('in', 'dogs.jpg'), at('later', 'dogs.jpg'));
  await until(() => done(told).length === 1);
  await end();
});

test('a file in the way of one photo is told of, and the others are cropped', async () => {
  mkdirSync(at('out'));
  writeFileSync(at('out', 'dogs-crop.jpg'), 'of somebody else');
  const { told, end } = watch();
  await until(() => done(told).length === 2 && told.some((line) => line.includes('dogs.jpg failed: OUTPUT_EXISTS')));
  await end();
  expect(readFileSync(at('out', 'dogs-crop.jpg'), 'utf8')).toBe('of somebody else');
});

test('is ended by its signal, with its reason, and refuses what it has no use for', async () => {
  const stop = new AbortController();
  const { end } = watch({ signal: stop.signal });
  stop.abort(new Error('enough'));
  await expect(end()).rejects.toThrow('enough');
  const wrong = { inputs: [at('in')], hints: at('hints.jsonl') } as unknown as WatchOptions;
  await expect(watchBatch(wrong)).rejects.toMatchObject({ code: 'USAGE' });
  await expect(watchBatch({ inputs: [at('in')], everyMs: 0 })).rejects.toMatchObject({ code: 'USAGE' });
});

test('a photo whose own XMP it has changed is told of once, and again when somebody changes it', async () => {
  const { told, end } = watch({
    xmp: 'embed',
    output: undefined,
    aspects: ['1:1'],
    cropper: { engine: 'centre' },
  } as object);
  await until(() => done(told).length === 3);
  // Many looks later.
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(done(told)).toHaveLength(3);
  expect(told.filter((line) => line.startsWith('resume'))).toEqual(['resume, 0 of 3']);
  const file = at('in', 'dogs.jpg');
  writeFileSync(
    file,
    await sharp(readFileSync(at('in', 'pagoda.jpg')))
      .jpeg({ quality: 50 })
      .toBuffer(),
  );
  await until(() => done(told).length === 4);
  await end();
  expect(done(told).at(-1)).toMatch(/^dogs\.jpg/);
});

test('decodes as a run does: the most pixels, the first frame of an animation, and raw files for sidecars', async () => {
  const large = watch({ maxPixels: 10_000 });
  await until(() => large.told.filter((line) => line.endsWith(' failed: INPUT_TOO_LARGE')).length === 3);
  await large.end();

  const raw = { width: 80, height: 120, channels: 3, pageHeight: 60 } as const;
  await sharp(Buffer.alloc(80 * 120 * 3, 'ab3'), { raw })
    .gif()
    .toFile(at('in', 'moving.gif'));
  const first = watch({ firstFrame: true, cropper: { engine: 'centre' } });
  await until(() => done(first.told).length === 4);
  await first.end();
  expect((await sharp(at('out', 'moving-crop.png')).metadata()).format).toBe('png');

  const raster = positioned({ width: 600, height: 400 });
  const preview = await fromRaster(raster).jpeg().toBuffer();
  writeFileSync(at('in', 'r.dng'), dng({ raster, preview, previewSize: raster, orientation: 1 }));
  const beside = watch({ inputs: [at('in', '*.dng')], xmp: true, output: undefined } as object);
  await until(() => beside.told.includes('r.dng done'));
  await beside.end();
  expect(readFileSync(at('in', 'r.xmp'), 'utf8')).toContain('crs:HasCrop');
});
