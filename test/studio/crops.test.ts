import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { runBatch, startStudio } from '../../src/index.js';
import { sha256Of } from '../../src/batch/journal/content-hash.js';
import { readChoices } from '../../src/batch/choices.js';
import type { LibraryAnswer, PhotoAnswer, PhotoSummary, RunProgress, SaveAnswer } from '../../src/studio/api.js';
import { DOGS } from '../server/serving.js';
import { cropAll, NAMES, photoCalled, useStudio } from './opened.js';

interface ProblemAnswer {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

describe('a library', () => {
  const studio = useStudio();

  test('is the photos of the folder, not yet cropped; those below it only when asked for', async () => {
    const { photos, folder, output, engine, run } = await studio().json<LibraryAnswer>('GET', 'library');
    expect(photos.map(({ name, state }) => [name, state])).toEqual(NAMES.map((name) => [name, 'new']));
    expect(folder).toBe(studio().folder);
    expect(output).toBe(studio().at('cropped'));
    expect(engine).toBe('rules');
    expect(run.isRunning).toBe(false);
  });

  test('gives pictures of the sides there are, upright and kept by the browser', async () => {
    const { id, version } = await photoCalled(studio(), 'dogs.jpg');
    const picture = await studio().ask(`/studio/api/photos/${id}/picture?side=320&v=${version}`);
    expect(picture.headers.get('cache-control')).toContain('immutable');
    const { width, height, format } = await sharp(Buffer.from(await picture.arrayBuffer())).metadata();
    expect([Math.max(width, height), format]).toEqual([320, 'jpeg']);
    expect((await studio().ask(`/studio/api/photos/${id}/picture?side=321`)).status).toBe(400);
  });

  test('takes photos in under a harmless name of their own, and nothing that is none', async () => {
    const add = async (name: string, body: Uint8Array): Promise<PhotoSummary & ProblemAnswer> => {
      const response = await studio().ask(`/studio/api/photos?name=${encodeURIComponent(name)}`, { body });
      return (await response.json()) as PhotoSummary & ProblemAnswer;
    };
    expect((await add('../../.ssh/<b>new</b>.png', DOGS)).name).toBe('b-.jpg');
    expect((await add('dogs.jpg', DOGS)).name).toBe('dogs-2.jpg');
    expect((await add('..', DOGS)).name).toBe('photo.jpg');
    expect(await add('half.jpg', DOGS.subarray(0, 60_000))).toMatchObject({ status: 422, code: 'INPUT_CORRUPT' });
    expect(await add('page.jpg', Buffer.from('<html>'))).toMatchObject({ status: 415, code: 'INPUT_UNSUPPORTED' });
    expect(readdirSync(studio().folder).filter((name) => name.endsWith('.jpg'))).toHaveLength(6);
  });
});

describe('crops', () => {
  const studio = useStudio({ minConfidence: 1 });

  test('are made by the engine for each shape asked for, of any shape too, and kept', async () => {
    await cropAll(studio(), ['dogs.jpg', 'pagoda.jpg'], ['4:5', 'free', '8:10']);
    const dogs = await photoCalled(studio(), 'dogs.jpg');
    expect(Object.keys(dogs.crops).sort()).toEqual(['4:5', 'free']);
    expect(dogs.state).toBe('review');
    const { results, elements, size } = await studio().json<PhotoAnswer>('GET', `photos/${dogs.id}`);
    expect(results['4:5']!.candidates).toHaveLength(5);
    expect(results['4:5']!.crop.x).toBe(dogs.crops['4:5']!.box[0]);
    expect(elements.length).toBe(results['4:5']!.analysis.length);
    expect(Math.max(size.widthPx, size.heightPx)).toBe(480);
    await studio().restart();
    expect(await photoCalled(studio(), 'dogs.jpg')).toEqual(dogs);
  });

  test('are not made again unless asked to', async () => {
    const { id } = await photoCalled(studio(), 'dogs.jpg');
    const once = await studio().json<RunProgress>('POST', 'runs', { photos: [id], targets: ['4:5'] });
    expect(once.isRunning).toBe(false);
    const again = await studio().json<RunProgress>('POST', 'runs', { photos: [id], targets: ['4:5'], again: true });
    expect(again).toMatchObject({ isRunning: true, nTotal: 1 });
    const cancelled = await studio().json<RunProgress>('DELETE', 'runs');
    expect(cancelled.isRunning).toBe(false);
  });

  test('of a shape that a photo has no room for fail with the reason, and its others are made', async () => {
    const keep = [{ x: 0, y: 0, width: 480, height: 10 }];
    await cropAll(studio(), ['mountains.jpg'], ['3:1', '9:16'], { keep });
    const mountains = await photoCalled(studio(), 'mountains.jpg');
    expect(Object.keys(mountains.crops)).toEqual(['3:1']);
    expect(mountains.failure).toContain('9:16');
  });

  test('made by hand stand before the engine’s, to the pixel and of their shape, and come and go by undo and redo', async () => {
    const { id, crops } = await photoCalled(studio(), 'pagoda.jpg');
    const edit = (body: object): Promise<PhotoSummary> => studio().json('POST', `photos/${id}/crops`, body);
    const engine = crops['4:5']!.box;
    const own = await edit({ target: '4:5', box: [10, 20, 210, 270] });
    expect(own.crops['4:5']).toMatchObject({ box: [10, 20, 210, 270], by: 'hand' });
    const taken = await edit({ target: '4:5', box: [10, 20, 212, 270] });
    const [x1, y1, x2, y2] = taken.crops['4:5']!.box;
    expect((x2 - x1) / (y2 - y1)).toBe(0.8);
    await studio().json('POST', 'runs', { photos: [id], targets: ['4:5'], again: true });
    await studio().restart();
    const boxNow = async (): Promise<unknown> => (await photoCalled(studio(), 'pagoda.jpg')).crops['4:5']!.box;
    expect(await boxNow()).toEqual([x1, y1, x2, y2]);
    await studio().json('POST', 'undo');
    expect(await boxNow()).toEqual([10, 20, 210, 270]);
    await studio().json('POST', 'undo');
    expect(await boxNow()).toEqual(engine);
    expect(await studio().json('POST', 'undo')).toMatchObject({ status: 400, detail: 'there is nothing to undo' });
    await studio().restart();
    await studio().json('POST', 'redo');
    expect(await boxNow()).toEqual([10, 20, 210, 270]);
    await edit({ target: '4:5', box: null });
    expect(await boxNow()).toEqual(engine);
    expect(await studio().json('POST', 'redo')).toMatchObject({ status: 400 });
  });

  test('outside the photo, of no shape, or of a photo that is not there are refused', async () => {
    const { id } = await photoCalled(studio(), 'pagoda.jpg');
    const edit = (body: object, of = id): Promise<ProblemAnswer> => studio().json('POST', `photos/${of}/crops`, body);
    expect(await edit({ target: 'free', box: [0, 0, 481, 10] })).toMatchObject({ status: 400 });
    expect(await edit({ target: 'wide', box: [0, 0, 10, 10] })).toMatchObject({ status: 400 });
    expect(await edit({ target: 'free', box: [10, 0, 0, 10] })).toMatchObject({ status: 400 });
    expect(await edit({ target: 'free', box: [0, 0, 10.5, 10] })).toMatchObject({ status: 400 });
    expect(await edit({ target: 'free', box: [0, 0, 9, 9] }, '0123456789abcdef')).toMatchObject({ status: 404 });
  });

  test('a folder is open in one studio at a time', async () => {
    const { folder, cropper } = studio();
    await expect(startStudio({ folder, cropper, port: 0 })).rejects.toMatchObject({ code: 'OUTPUT_LOCKED' });
  });
});

describe('saving', () => {
  const studio = useStudio({ recursive: true, keepTime: true });
  const save = (ids: readonly string[], more: object = {}): Promise<SaveAnswer> =>
    studio().json('POST', 'save', { photos: ids, ...more });

  let originals: string[];

  test('writes what the command writes for the same rectangles, each photo’s in its own folder', async () => {
    originals = NAMES.map((name) => sha256Of(readFileSync(studio().at(name))));
    utimesSync(studio().at('dogs.jpg'), 1_000_000_000, 1_000_000_000);
    await cropAll(studio(), ['dogs.jpg', 'below/dogs.jpg', 'pagoda.jpg'], ['4:5', '120x90']);
    const dogs = await photoCalled(studio(), 'dogs.jpg');
    await studio().json('POST', `photos/${dogs.id}/crops`, { target: '4:5', box: [0, 40, 200, 290] });
    const below = await photoCalled(studio(), 'below/dogs.jpg');
    const { files, failures } = await save([dogs.id, below.id]);
    expect(failures).toEqual([]);
    const names = ['cropped/below/dogs-120x90.jpg', 'cropped/below/dogs-4x5.jpg', 'cropped/dogs-120x90.jpg'];
    expect([...files].sort()).toEqual([...names, 'cropped/dogs-4x5.jpg'].map((name) => studio().at(name)));

    const lines = await (await studio().ask('/studio/api/choices.jsonl?all')).text();
    writeFileSync(studio().at('choices.jsonl'), lines);
    const choices = await readChoices(studio().at('choices.jsonl'));
    expect(choices).toHaveLength(6);
    expect(choices.find(({ by }) => by === 'moved')).toMatchObject({ box: [0, 40, 200, 290], origin: 'studio' });
    expect(choices.find(({ by }) => by === 'moved')!.offered).toHaveLength(5);
    await runBatch({ choices: studio().at('choices.jsonl'), output: studio().at('command', '/'), keepTime: true });
    for (const name of ['dogs-120x90.jpg', 'dogs-4x5.jpg']) {
      expect(readFileSync(studio().at('cropped', name))).toEqual(readFileSync(studio().at('command', name)));
    }
    expect(statSync(studio().at('cropped', 'dogs-4x5.jpg')).mtimeMs).toBe(1e12);
    expect((await photoCalled(studio(), 'dogs.jpg')).crops['4:5']!.isSaved).toBe(true);
  });

  test('replaces what it wrote itself, and nothing else unless told to', async () => {
    const dogs = await photoCalled(studio(), 'dogs.jpg');
    await studio().json('POST', `photos/${dogs.id}/crops`, { target: '4:5', box: [40, 40, 240, 290] });
    expect((await photoCalled(studio(), 'dogs.jpg')).crops['4:5']!.isSaved).toBe(false);
    const file = studio().at('cropped', 'dogs-4x5.jpg');
    const before = readFileSync(file);
    expect((await save([dogs.id], { targets: ['4:5'] })).files).toEqual([file]);
    expect(readFileSync(file).equals(before)).toBe(false);

    writeFileSync(file, 'retouched');
    expect(await save([dogs.id])).toEqual({ files: [], existing: [file], failures: [] });
    expect(readFileSync(file, 'utf8')).toBe('retouched');
    expect((await save([dogs.id], { replace: true })).files).toContain(file);
    const { width, height } = await sharp(file).metadata();
    expect([width, height]).toEqual([200, 250]);
  });

  test('says what cannot be written, and of which photo', async () => {
    const pagoda = await photoCalled(studio(), 'pagoda.jpg');
    mkdirSync(studio().at('cropped', 'pagoda-4x5.jpg'));
    expect(await save([pagoda.id], { targets: ['4:5'] })).toMatchObject({ status: 409, code: 'OUTPUT_EXISTS' });
    const { id } = await photoCalled(studio(), 'mountains.jpg');
    expect(await save([id])).toMatchObject({ status: 400, detail: 'none of these photos has a crop yet' });
  });

  test('a crop can be taken away as a file without being saved', async () => {
    const { id } = await photoCalled(studio(), 'dogs.jpg');
    const picture = await studio().ask(`/studio/api/photos/${id}/crop?target=120x90`);
    expect(picture.headers.get('content-type')).toBe('image/jpeg');
    const { width, height } = await sharp(Buffer.from(await picture.arrayBuffer())).metadata();
    expect([width, height]).toEqual([120, 90]);
  });

  test('originals are as they were', () => {
    expect(NAMES.map((name) => sha256Of(readFileSync(studio().at(name))))).toEqual(originals);
  });
});
