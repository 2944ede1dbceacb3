import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCropper, runBatch, type CropOptions, type CropResult } from '../../src/index.js';
import { canvasOf } from '../../src/crop/canvas.js';
import { hasRoomFor, paddedBox } from '../../src/crop/padded-box.js';
import { examplePhoto } from '../support/photos.js';

let folder: string;
let wide: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-fit-'));
  wide = path.join(folder, 'wide.jpg');
  await sharp(examplePhoto('mountains')).resize(2560, 1080, { fit: 'cover' }).toFile(wide);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Wider than any 9:16 crop of the photo. */
const KEEP = { x: 300, y: 300, width: 1500, height: 300 };

async function cropOf(options: CropOptions): Promise<CropResult> {
  await using cropper = await openCropper({ engine: 'rules' });
  return await cropper.crop(wide, options);
}

describe('where no crop of the ratio holds what is to be kept', () => {
  test.each(['pad', 'blur'] as const)('%s puts the smallest part that does on a canvas of the ratio', async (fit) => {
    const { crop, canvas, target, candidates, best } = await cropOf({ aspect: '9:16', keep: [KEEP], fit });
    expect(target).toMatchObject({ aspect: '9:16', fit });
    // All of the photo's height, and no more of its width than the rectangle with its room.
    expect(crop).toEqual({ x: 150, y: 0, width: 1800, height: 1080 });
    expect(candidates[best]!.box).toEqual([150, 0, 1950, 1080]);
    expect(canvas).toMatchObject({ fill: fit, at: { x: 0, width: 1800, height: 1080 } });
    expect(canvas!.widthPx * 16).toBe(canvas!.heightPx * 9);
    expect(canvas!.at.y).toBe(Math.floor((canvas!.heightPx - 1080) / 2));
  });

  test('without it the ratio is refused, and costs none of the others', async () => {
    await using cropper = await openCropper({ engine: 'rules' });
    for await (const { results = [] } of cropper.cropEach([wide], { aspects: ['9:16', '2:1'], keep: [KEEP] })) {
      expect(results.map(({ target }) => target.aspect)).toEqual(['2:1']);
    }
    for await (const { results = [] } of cropper.cropEach([wide], {
      aspects: ['9:16', '2:1', '4:5'],
      keep: [KEEP],
      fit: 'pad',
    })) {
      expect(results.map(({ target, canvas }) => [target.aspect, canvas !== undefined])).toEqual([
        ['9:16', true],
        ['2:1', false],
        ['4:5', true],
      ]);
    }
  });

  test('a size is met to the pixel', async () => {
    await using cropper = await openCropper({ engine: 'rules' });
    const { bytes, width, height, result } = await cropper.cropBuffer(wide, {
      size: '1080x1920',
      keep: [KEEP],
      fit: 'blur',
    });
    expect([width, height]).toEqual([1080, 1920]);
    expect(await sharp(bytes).metadata()).toMatchObject({ width: 1080, height: 1920 });
    expect(result.canvas!.at).toEqual({ x: 0, y: 636, width: 1080, height: 648 });
    expect(result.notes).toBeUndefined();
  });

  test('a least size that the ratio has no room for is met on a canvas too', async () => {
    const { crop, canvas } = await cropOf({ aspect: '9:16', minSize: 0.5, fit: 'pad', background: '#000' });
    expect(crop.width * crop.height).toBeGreaterThanOrEqual(0.5 * 2560 * 1080);
    expect(canvas).toMatchObject({ background: '#000000' });
  });
});

describe('what is smaller than the size asked for', () => {
  test('stays as it is in the middle of its canvas, unless it is to be enlarged', async () => {
    const plain = await cropOf({ size: '4000x4000', fit: 'pad' });
    expect(plain.canvas!.at).toMatchObject({ width: plain.crop.width, height: plain.crop.height });
    expect(plain.notes).toBeUndefined();
    const enlarged = await cropOf({ size: '4000x4000', fit: 'pad', enlarge: true });
    expect(enlarged.canvas).toBeUndefined();
    expect(enlarged.notes?.[0]).toMatch(/is enlarged 3\.\d times/);
  });

  test('a crop that fills its ratio has no canvas', async () => {
    const { canvas, crop } = await cropOf({ aspect: '1:1', fit: 'blur' });
    expect(canvas).toBeUndefined();
    expect(crop.width).toBe(crop.height);
  });
});

const SMALL = { x: 300, y: 300, width: 200, height: 200 };

test('a photo kept as it is because no crop is sure is all on its canvas, wherever its subject was to be', async () => {
  await using cropper = await openCropper({ engine: 'rules' });
  const wishes = {
    aspect: '1:1',
    fit: 'pad',
    margin: '5%',
    keep: [SMALL],
    minConfidence: 1,
    fallback: 'keep',
  } as const;
  const { crop, canvas, fallback } = await cropper.crop(wide, wishes);
  expect(fallback).toBe('keep');
  expect(crop).toEqual({ x: 0, y: 0, width: 2560, height: 1080 });
  expect(canvas).toMatchObject({ widthPx: 2560, heightPx: 2560, at: { x: 0, y: 740, width: 2560, height: 1080 } });
});

test('the engine that leaves the photo whole puts all of it on the canvas', async () => {
  await using cropper = await openCropper({ engine: 'full' });
  const { crop, canvas } = await cropper.crop(wide, { aspect: '1:1', fit: 'blur' });
  expect(crop).toEqual({ x: 0, y: 0, width: 2560, height: 1080 });
  expect(canvas).toMatchObject({ widthPx: 2560, heightPx: 2560, at: { x: 0, y: 740 } });
});

test.each([
  [{ aspect: '1:1', background: '#fff' }, /background is for what is put on a canvas; ask for fit pad or blur/],
  [{ aspect: '1:1', enlarge: true }, /enlarge is for/],
  [{ aspect: '1:1', fit: 'blur', background: '#fff' }, /has no background colour/],
  [{ fit: 'pad' }, /fills up a ratio or size, and none is asked for/],
  [{ aspect: '1:1', fit: 'pad', background: 'mauve' }, /"mauve" is no colour/],
] as const)('%o is refused with what to do', async (options, message) => {
  await expect(cropOf(options)).rejects.toThrow(message);
});

test('canvases of every ratio hold their crop, of random photos and things to keep', () => {
  let seed = 7;
  const random = (most: number): number => (seed = (seed * 16_807) % 2_147_483_647) % most;
  for (let i = 0; i < 2000; i++) {
    const photo = { width: 50 + random(3000), height: 50 + random(3000) };
    const aspect = { width: 1 + random(21), height: 1 + random(21) };
    const [x, y] = [random(photo.width - 10), random(photo.height - 10)];
    const held = [[x, y, x + 1 + random(photo.width - x - 1), y + 1 + random(photo.height - y - 1)]] as const;
    if (hasRoomFor({ photo, aspect, held })) continue;
    const [x1, y1, x2, y2] = paddedBox({ photo, aspect, held, minSize: 0.1 }, [0, 0, photo.width, photo.height]);
    expect(x1 >= 0 && y1 >= 0 && x2 <= photo.width && y2 <= photo.height).toBe(true);
    expect(x1 <= held[0][0] && y1 <= held[0][1] && x2 >= held[0][2] && y2 >= held[0][3]).toBe(true);
    const crop = { x: x1, y: y1, width: x2 - x1, height: y2 - y1 };
    for (const size of [undefined, { width: aspect.width * 40, height: aspect.height * 40 }]) {
      const canvas = canvasOf(crop, { aspect, ...(size && { size }) }, { fit: 'pad' }, photo)!;
      expect(Math.abs(canvas.width * aspect.height - canvas.height * aspect.width)).toBe(0);
      expect(canvas.at.x >= 0 && canvas.at.x + canvas.at.width <= canvas.width).toBe(true);
      expect(canvas.at.y >= 0 && canvas.at.y + canvas.at.height <= canvas.height).toBe(true);
      expect(canvas.at.width <= crop.width && canvas.at.height <= crop.height).toBe(true);
    }
  }
});

test('a run, its report, the choices made in it and a sidecar go on with the canvas', async () => {
  const output = path.join(folder, 'out');
  const report = path.join(folder, 'report.html');
  const made: CropResult[] = [];
  const wishes = { aspects: ['9:16'], keep: [KEEP], fit: 'pad', background: '#123456' } as const;
  await runBatch(
    {
      ...wishes,
      inputs: [wide],
      output: `${output}/`,
      report,
      xmp: true,
      journal: false,
      cropper: { engine: 'rules' },
    },
    { onPhoto: ({ results }) => made.push(...results) },
  );
  const { canvas, notes, crop } = made[0]!;
  expect(notes).toEqual([expect.stringContaining('a sidecar that says its crop alone')]);
  expect(readdirSync(output)).toEqual(['wide-9x16.jpg']);
  expect(readFileSync(report, 'utf8')).toContain('"fit":"pad","background":"#123456"');
  // As the page writes it.
  const choices = path.join(folder, 'choices.jsonl');
  const box = [crop.x, crop.y, crop.x + crop.width, crop.y + crop.height];
  writeFileSync(
    choices,
    JSON.stringify({ path: wide, aspect: '9:16', fit: 'pad', background: '#123456', box, by: 'kept' }),
  );
  const chosen: CropResult[] = [];
  await runBatch({ choices, output: `${output}2/` }, { onPhoto: ({ results }) => chosen.push(...results) });
  expect(chosen[0]).toMatchObject({ crop, canvas, engine: 'chosen' });
  expect(readFileSync(path.join(`${output}2`, 'wide-9x16.jpg'))).toEqual(
    readFileSync(path.join(output, 'wide-9x16.jpg')),
  );
});
