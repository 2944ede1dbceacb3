import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES, openCropper, runBatch, type BatchPhoto, type PhotoOutcome } from '../../src/index.js';
import { framewright } from '../cli/run.js';
import { examplePhoto } from '../support/photos.js';

/** The engine faces needs packages of its own; see test/faces. */
const WITHOUT_PACKAGES = ENGINES.filter((name) => name !== 'faces');

let folder: string;
let wide: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-impossible-'));
  wide = path.join(folder, 'wide.jpg');
  await sharp(examplePhoto('mountains')).resize(2560, 1080, { fit: 'cover' }).toFile(wide);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function firstOf(outcomes: AsyncIterable<PhotoOutcome>): Promise<PhotoOutcome> {
  for await (const outcome of outcomes) return outcome;
  throw new Error('no outcome');
}

describe('where no least size was asked for', () => {
  test.each(WITHOUT_PACKAGES)('a ratio of little room is met all the same by %s', async (engine) => {
    await using cropper = await openCropper({ engine });
    const outcome = await firstOf(cropper.cropEach([wide], { aspects: ['4:5', '9:16', '1:10'] }));
    expect(outcome.results?.map(({ target }) => target.aspect)).toEqual(['4:5', '9:16', '1:10']);
    for (const { crop, target } of outcome.results!) {
      const [width, height] = target.aspect!.split(':').map(Number);
      expect(crop.width * height!).toBe(crop.height * width!);
    }
  });

  test('the default still holds for a ratio that has the room', async () => {
    await using cropper = await openCropper({ engine: 'rules' });
    const { candidates, photo } = await cropper.crop(wide, { aspect: '16:9' });
    for (const { box } of candidates) {
      expect((box[2] - box[0]) * (box[3] - box[1])).toBeGreaterThanOrEqual(0.25 * photo.widthPx * photo.heightPx);
    }
  });
});

describe('a ratio that a wish makes impossible', () => {
  const wishes = { aspects: ['4:5', '9:16', '1:1'], minSize: 0.25 };

  test.each(WITHOUT_PACKAGES)('costs none of the others on %s, and says which wish it was', async (engine) => {
    await using cropper = await openCropper({ engine });
    const outcome = await firstOf(cropper.cropEach([wide], wishes));
    if (!outcome.results) throw outcome.error;
    expect(outcome.results.map(({ target }) => target.aspect)).toEqual(['4:5', '1:1']);
    expect(outcome.targets.map(({ result }) => result?.target.aspect)).toEqual(['4:5', undefined, '1:1']);
    const { error, target } = outcome.targets[1]!;
    expect(target).toEqual({ aspect: { width: 9, height: 16 } });
    expect(error).toMatchObject({ code: 'ASPECT_IMPOSSIBLE' });
    expect(error!.message).toMatch(/9:16 .*24 % of its area, but at least 25 % is asked for.*--min-size/);
  });

  test('goes to the error handler of cropAll, after the crops that were made; without one it ends the run', async () => {
    await using cropper = await openCropper({ engine: 'rules' });
    const told: unknown[] = [];
    for await (const { target } of cropper.cropAll([wide], { ...wishes, onError: (error) => told.push(error) })) {
      told.push(target.aspect);
    }
    expect(told).toEqual(['4:5', '1:1', expect.objectContaining({ code: 'ASPECT_IMPOSSIBLE' })]);
    const made: unknown[] = [];
    const run = async (): Promise<void> => {
      for await (const { target } of cropper.cropAll([wide, wide], wishes)) made.push(target.aspect);
    };
    await expect(run()).rejects.toMatchObject({ code: 'ASPECT_IMPOSSIBLE' });
    expect(made).toEqual(['4:5', '1:1']);
  });

  test('is an error of the photo where there is no other, told for each', async () => {
    await using cropper = await openCropper({ engine: 'rules' });
    const outcome = await firstOf(cropper.cropEach([wide], { aspects: ['9:16', '1:10'], minSize: 0.25 }));
    expect(outcome.results).toBeUndefined();
    expect(!outcome.results && outcome.error).toMatchObject({
      code: 'ASPECT_IMPOSSIBLE',
      message: expect.stringMatching(/9:16.*; .*1:10/) as string,
    });
    await expect(cropper.crop(wide, { aspect: '9:16', minSize: 0.25 })).rejects.toMatchObject({
      code: 'ASPECT_IMPOSSIBLE',
    });
  });

  test('in a run is a warning beside the others, noted as done and told again when the run is gone on from', async () => {
    const output = path.join(folder, 'out', '/');
    for (const resume of [false, true]) {
      const photos: BatchPhoto[] = [];
      const result = await runBatch(
        {
          ...wishes,
          inputs: [wide, examplePhoto('dogs')],
          output,
          resume,
          overlay: true,
          cropper: { engine: 'rules' },
        },
        { onPhoto: (photo) => photos.push(photo), onFailure: ({ error }) => expect.fail(String(error)) },
      );
      expect(result).toMatchObject({ nTotal: 2, nDone: 2, nEarlier: resume ? 2 : 0, nRefused: 1, failures: [] });
      expect(photos.map(({ refused }) => refused)).toEqual([
        [{ target: { aspect: '9:16' }, code: 'ASPECT_IMPOSSIBLE', detail: expect.stringContaining('24 %') as string }],
        [],
      ]);
      expect(photos[0]!.results.map(({ target }) => target.aspect)).toEqual(['4:5', '1:1']);
      expect(photos[0]!.results.map((each) => each.output!.map((file) => path.basename(file)))).toEqual([
        ['wide-4x5.jpg', 'wide-4x5-overlay.jpg'],
        ['wide-1x1.jpg', 'wide-1x1-overlay.jpg'],
      ]);
      const files = ['dogs-1x1', 'dogs-4x5', 'dogs-9x16', 'wide-1x1', 'wide-4x5'].flatMap((name) => [
        `${name}-overlay.jpg`,
        `${name}.jpg`,
      ]);
      expect(readdirSync(output).filter((name) => !name.startsWith('.'))).toEqual(files);
    }
  });

  test('of the command ends with 0 and a warning, and with 4 where the photo gives no crop at all', async () => {
    const args = ['--engine', 'rules', '--dry-run', '--json', '--min-size', '0.25', wide];
    const some = await framewright([...args, '-a', '9:16', '-a', '1:1'], { cwd: folder });
    expect(some.code).toBe(0);
    expect(some.stderr).toMatch(
      /^framewright: warning: .*wide\.jpg is not cropped to 9:16: .* \[ASPECT_IMPOSSIBLE\]\n$/,
    );
    const lines = some.stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { target: { aspect: '1:1' }, engine: 'rules' },
      { photo: { path: wide }, target: { aspect: '9:16' }, error: { code: 'ASPECT_IMPOSSIBLE' } },
    ]);
    const none = await framewright([...args, '-a', '9:16'], { cwd: folder });
    expect(none.code).toBe(4);
    expect(JSON.parse(none.stdout)).toMatchObject({ photo: { path: wide }, error: { code: 'ASPECT_IMPOSSIBLE' } });
  });

  test('by boxes to keep costs none of the others either, and the boxes are named', async () => {
    await using cropper = await openCropper({ engine: 'rules' });
    const keep = [{ x: 100, y: 100, width: 1500, height: 500 }];
    const outcome = await firstOf(cropper.cropEach([wide], { aspects: ['2:1', '4:5'], keep }));
    if (!outcome.results) throw outcome.error;
    expect(outcome.targets.map(({ result }) => result?.target.aspect)).toEqual(['2:1', undefined]);
    expect(outcome.targets[1]!.error!.message).toMatch(/keep boxes span/);
  });
});
