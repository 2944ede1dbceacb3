import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Box } from '../../../src/base/geometry.js';
import { openCropper, type Cropper } from '../../../src/cropper/cropper.js';
import { decodePhoto } from '../../../src/photo/decode.js';
import { readHandCrop } from '../../../src/photo/metadata/hand-crop.js';
import { writeSidecar } from '../../../src/photo/metadata/sidecar.js';
import { editXmp, openXmp, type XmpEdits } from '../../../src/photo/metadata/xmp.js';
import { analystOf } from '../../../src/train/export/analyst.js';
import { readChosenCrops } from '../../../src/train/prefs/chosen-crops.js';
import { preferencesOf } from '../../../src/train/prefs/preferences.js';
import { pairsAgainstOwn } from '../../../src/train/targets/pairs-against-own.js';
import { fromRaster, ORIENTATIONS, positioned, storedFor } from '../../photo/fixtures.js';
import { rejection } from '../../photo/thrown.js';
import { examplePhoto } from '../../support/photos.js';
import { writeLines, writeScenes, type ScenePhoto } from '../scenes.js';

let root: string;
let cropper: Cropper;
let photos: ScenePhoto[];
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'framewright-prefs-'));
  cropper = await openCropper({ model: 'nano', gpu: 'cpu' });
  photos = await writeScenes(path.join(root, 'photos'), 3);
});
afterAll(async () => {
  await cropper.dispose();
  await rm(root, { recursive: true, force: true });
});

let nFiles = 0;
const fresh = (name: string): string => path.join(root, `${nFiles++}-${name}`);

/** A crop in the sidecar of a photo, as another program would have made it. */
async function writeHandCrop(file: string, crop: readonly number[], edits: XmpEdits = {}): Promise<void> {
  const [x, y, width, height] = crop as [number, number, number, number];
  const { path: sidecar } = await writeSidecar(await decodePhoto(file), { x, y, width, height });
  const text = await readFile(sidecar, 'utf8');
  await writeFile(sidecar, editXmp(openXmp(text), { 'framewright:Crop': undefined, ...edits }));
}

describe('a crop made by hand', () => {
  test.each(ORIENTATIONS)('is read upright from a photo of orientation %i', async (orientation) => {
    const file = fresh('a.jpg');
    const raster = storedFor(positioned({ width: 240, height: 160 }), orientation);
    await writeFile(file, await fromRaster(raster).withMetadata({ orientation }).jpeg().toBuffer());
    await writeHandCrop(file, [30, 20, 120, 100]);
    expect(await readHandCrop(await decodePhoto(file))).toEqual({ box: [30, 20, 150, 120] });
  });

  test('is read from the photo itself', async () => {
    const file = fresh('a.jpg');
    await copyFile(examplePhoto('dogs'), file);
    const { width, height } = await decodePhoto(file);
    await writeHandCrop(file, [100, 50, 400, 300]);
    const xmp = await readFile(file.replace(/\.jpg$/, '.xmp'), 'utf8');
    const inside = fresh('b.jpg');
    const image = fromRaster(positioned({ width, height })).withXmp(xmp.replace(/<\?xpacket.*?\?>/g, ''));
    await writeFile(inside, await image.jpeg().toBuffer());
    expect(await readHandCrop(await decodePhoto(inside))).toEqual({ box: [100, 50, 500, 350] });
  });

  test.each([
    ['of ours, not moved since', undefined, /written by framewright/],
    ['at an angle', { 'crs:CropAngle': '3.5' }, /turned by an angle/],
    ['with sides that are none', { 'crs:CropLeft': 'x' }, /no shares of a photo/],
  ] as const)('%s is none to learn from, and it says why', async (_, edits, message) => {
    const file = fresh('a.jpg');
    await copyFile(examplePhoto('dogs'), file);
    if (edits) await writeHandCrop(file, [100, 50, 400, 300], edits);
    else await writeSidecar(await decodePhoto(file), { x: 100, y: 50, width: 400, height: 300 });
    expect(await readHandCrop(await decodePhoto(file))).toEqual({ unusable: expect.stringMatching(message) as string });
  });

  test('that is in the pixels already, or taken back, is none', async () => {
    for (const edits of [{ 'crs:AlreadyApplied': 'True' }, { 'crs:HasCrop': 'False' }] as const) {
      const file = fresh('a.jpg');
      await copyFile(examplePhoto('dogs'), file);
      await writeHandCrop(file, [100, 50, 400, 300], edits);
      expect(await readHandCrop(await decodePhoto(file))).toBeUndefined();
    }
  });
});

describe('choices', () => {
  test('of a file are taken with their shapes; what cannot be used is named', async () => {
    const [a, b] = photos as [ScenePhoto, ScenePhoto];
    const file = fresh('choices.jsonl');
    const photo = { widthPx: a.size.width, heightPx: a.size.height };
    await writeLines(file, [
      {
        path: a.path,
        box: [10, 10, 160, 150],
        photo,
        by: 'moved',
        offered: [
          [0, 0, 9, 9000],
          [0, 0, 99, 99],
        ],
      },
      { path: a.path, aspect: '1:1', box: [0, 0, 150, 150], photo },
      { path: b.path, box: [0, 0, 150, 9000] },
      { path: b.path, box: [0, 0, 50, 50], photo: { widthPx: 7, heightPx: 7 }, aspect: '4:5' },
      { path: 'gone.jpg', box: [0, 0, 5, 5] },
    ]);
    const { chosen, problems, nPhotos } = await readChosenCrops(file, undefined);
    expect(chosen.map(({ id, target }) => [id, target.aspect])).toEqual([
      [a.path, undefined],
      [`${a.path} 1:1`, { width: 1, height: 1 }],
    ]);
    expect(chosen.map(({ declined }) => declined)).toEqual([[0, 0, 99, 99], undefined]);
    expect(problems.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/is outside its/),
      expect.stringMatching(/was 7x7 px when its crop was chosen/),
      'it is missing, or no photo',
    ]);
    expect(nPhotos).toBe(3);
    const moved = await readChosenCrops(file, path.join(root, 'photos'));
    expect(moved.chosen).toHaveLength(2);
  });

  test('of a folder are the crops its photos have beside them', async () => {
    const folder = fresh('folder');
    await mkdir(path.join(folder, 'in'), { recursive: true });
    for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) await copyFile(examplePhoto('dogs'), path.join(folder, 'in', name));
    await writeFile(path.join(folder, 'broken.jpg'), 'no photo');
    await writeHandCrop(path.join(folder, 'in', 'a.jpg'), [100, 50, 400, 300]);
    await writeHandCrop(path.join(folder, 'in', 'b.jpg'), [100, 50, 400, 300], { 'crs:CropAngle': '1' });
    const { chosen, problems, nPhotos } = await readChosenCrops(folder, undefined);
    expect(chosen).toMatchObject([{ id: path.join('in', 'a.jpg'), box: [100, 50, 500, 350] }]);
    expect(problems.map(({ id }) => id)).toEqual(['broken.jpg', path.join('in', 'b.jpg')]);
    expect(nPhotos).toBe(4);
  });

  test('are preferred to the model’s own crop and then to its other candidates, but not where both agree', async () => {
    const [a, b] = photos as [ScenePhoto, ScenePhoto];
    const analyst = analystOf(cropper);
    const own = await analyst.look(b.path, {});
    const choice = (photo: ScenePhoto, box: readonly [number, number, number, number]) => ({
      id: photo.name,
      path: photo.path,
      box,
      target: {},
    });
    const corner = choice(a, [0, 0, Math.round(a.size.width * 0.6), Math.round(a.size.height * 0.6)]);
    const agreed = choice(b, own.candidates[own.best]!);
    const problems = [{ id: 'x', reason: 'gone' }];
    const { photos: taste, missing } = await preferencesOf(
      { chosen: [corner, agreed], problems, nPhotos: 3 },
      { analyst },
    );
    expect(missing).toEqual(problems);
    const pairs = taste.map(({ crops, own: said }) => pairsAgainstOwn(crops[0]!.box, said!));
    expect(pairs.map(({ length }) => length > 0)).toEqual([true, false]);
    const best = taste[0]!.own!.candidates[taste[0]!.own!.best]!;
    expect(pairs[0]![0]).toEqual({ chosen: corner.box, rejected: best });

    // A crop that was offered and not taken counts too, unless the model would offer it again.
    const declined: Box = [a.size.width - 20, a.size.height - 20, a.size.width, a.size.height];
    const offered = [
      { ...corner, declined },
      { ...corner, declined: best },
    ];
    const { photos: over } = await preferencesOf({ chosen: offered, problems: [], nPhotos: 1 }, { analyst });
    expect(over.map(({ pairs: against }) => against)).toEqual([[{ chosen: corner.box, rejected: declined }], []]);

    const none = await rejection(preferencesOf({ chosen: [agreed], problems, nPhotos: 3 }, { analyst }));
    expect(none).toMatchObject({
      code: 'DATASET_INVALID',
      message: expect.stringMatching(/nothing to learn/) as string,
    });
    const empty = await rejection(preferencesOf({ chosen: [], problems, nPhotos: 3 }, { analyst }));
    expect(empty.message).toMatch(/no crop made by hand in 3 photos, e\.g\. x: gone/);
  });
});
