import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { runBatch, startStudio } from '../../src/index.js';
import { sha256Of } from '../../src/batch/journal/content-hash.js';
import { readChoices } from '../../src/batch/choices.js';
import { turnOf } from '../../src/photo/turn/turn.js';
import type {
  LibraryAnswer,
  PhotoAnswer,
  PhotoSummary,
  RunProgress,
  SaveAnswer,
  TiltAnswer,
} from '../../src/studio/api.js';
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

describe('straightening', () => {
  const studio = useStudio();
  const edit = (id: string, body: object): Promise<PhotoSummary & ProblemAnswer> =>
    studio().json('POST', `photos/${id}/crops`, body);

  test('a crop by hand is one of the straight photo; undo and redo turn the photo too, and it outlives the server', async () => {
    await cropAll(studio(), ['pagoda.jpg'], ['4:5']);
    const { id, crops } = await photoCalled(studio(), 'pagoda.jpg');
    expect(crops['4:5']!.turn).toBeUndefined();
    const own = await edit(id, { target: '4:5', box: [20, 20, 180, 220], straighten: 3.5 });
    const { width, height } = turnOf({ width: 480, height: 320 }, 3.5).straight;
    const made = {
      box: [20, 20, 180, 220],
      photo: { widthPx: width, heightPx: height },
      turn: { angleDeg: 3.5, upright: { widthPx: 480, heightPx: 320 } },
    };
    expect(own.crops['4:5']).toMatchObject(made);
    await studio().json('POST', 'undo');
    expect((await photoCalled(studio(), 'pagoda.jpg')).crops['4:5']).toEqual(crops['4:5']);
    await studio().json('POST', 'redo');
    await studio().restart();
    expect((await photoCalled(studio(), 'pagoda.jpg')).crops['4:5']).toMatchObject(made);
  });

  test('a box that only the upright photo holds, or an angle beyond what is turned, is refused', async () => {
    const { id } = await photoCalled(studio(), 'pagoda.jpg');
    const refused = await edit(id, { target: 'free', box: [0, 0, 480, 320], straighten: 3.5 });
    expect(refused).toMatchObject({ status: 400 });
    expect(refused.detail).toContain('pagoda.jpg straightened by 3.5 degrees');
    expect(await edit(id, { target: 'free', box: [0, 0, 10, 10], straighten: 46 })).toMatchObject({ status: 400 });
  });

  test('saved and taken away are the pixels that the command makes of the same choice', async () => {
    const { id, crops } = await photoCalled(studio(), 'pagoda.jpg');
    expect(crops['4:5']!.isSaved).toBe(false);
    const { files } = await studio().json<SaveAnswer>('POST', 'save', { photos: [id] });
    expect((await photoCalled(studio(), 'pagoda.jpg')).crops['4:5']!.isSaved).toBe(true);
    writeFileSync(studio().at('choices.jsonl'), await (await studio().ask('/studio/api/choices.jsonl')).text());
    const [choice] = await readChoices(studio().at('choices.jsonl'));
    expect(choice).toMatchObject({ straighten: 3.5, box: [20, 20, 180, 220] });
    // Boxes of the upright photo are nothing it was preferred to.
    expect(choice!.offered).toBeUndefined();
    await runBatch({ choices: studio().at('choices.jsonl'), output: studio().at('command', '/') });
    const command = readFileSync(studio().at('command', 'pagoda-4x5.jpg'));
    expect(readFileSync(files[0]!).equals(command)).toBe(true);
    const taken = await studio().ask(`/studio/api/photos/${id}/crop?target=4:5`);
    expect(await pixelsOf(Buffer.from(await taken.arrayBuffer()))).toEqual(await pixelsOf(command));

    // Turned back with the very same box it is another crop.
    await edit(id, { target: '4:5', box: [20, 20, 180, 220] });
    expect((await photoCalled(studio(), 'pagoda.jpg')).crops['4:5']!.isSaved).toBe(false);
  });

  test('the engine crops the photo as it is turned, which its candidates and elements tell', async () => {
    await cropAll(studio(), ['mountains.jpg'], ['4:5'], { straighten: -4 });
    const { id, crops } = await photoCalled(studio(), 'mountains.jpg');
    const answer = await studio().json<PhotoAnswer>('GET', `photos/${id}`);
    const { widthPx, heightPx } = answer.size;
    expect(Math.max(widthPx, heightPx)).toBe(480);
    const turn = { angleDeg: -4, upright: { widthPx, heightPx } };
    expect([crops['4:5']!.turn, answer.turn]).toEqual([turn, turn]);
    const { width, height } = turnOf({ width: widthPx, height: heightPx }, -4).straight;
    for (const { box } of answer.results['4:5']!.candidates) {
      expect(box[2] <= width && box[3] <= height).toBe(true);
    }
    expect(answer.drawing.width / answer.drawing.height).toBeCloseTo(width / height, 9);
  });

  test('how it would be straight is told with how sure that is, and all of it straightened is no photo kept whole', async () => {
    writeFileSync(studio().at('sea.png'), await tiltedSea(5));
    await studio().json('POST', 'look');
    const { id } = await photoCalled(studio(), 'sea.png');
    const { tilt } = await studio().json<TiltAnswer>('GET', `photos/${id}/tilt`);
    expect(tilt).toMatchObject({ from: 'horizon', isSure: true });
    expect(Math.abs(tilt!.angleDeg + 5)).toBeLessThan(0.5);
    const { width, height } = turnOf({ width: 480, height: 360 }, -5).straight;
    expect((await edit(id, { target: 'free', box: [0, 0, width, height], straighten: -5 })).state).toBe('hand');
    await cropAll(studio(), ['sea.png'], ['1:1'], { straighten: 'auto' });
    expect((await photoCalled(studio(), 'sea.png')).crops['1:1']!.turn!.angleDeg).toBe(tilt!.angleDeg);
    writeFileSync(studio().at('flat.png'), await flat());
    await studio().json('POST', 'look');
    expect(await studio().json('GET', `photos/${(await photoCalled(studio(), 'flat.png')).id}/tilt`)).toEqual({});
  });

  test('an animation is not turned', async () => {
    const frames = [await flat(), await tiltedSea(0)];
    writeFileSync(
      studio().at('moves.webp'),
      await sharp(frames, { join: { animated: true } })
        .webp()
        .toBuffer(),
    );
    await studio().json('POST', 'look');
    const { id } = await photoCalled(studio(), 'moves.webp');
    const refused = await edit(id, { target: 'free', box: [0, 0, 100, 100], straighten: 2 });
    expect(refused).toMatchObject({ status: 400 });
    expect(refused.detail).toContain('moves.webp moves');
    expect((await edit(id, { target: 'free', box: [0, 0, 100, 100] })).state).toBe('hand');
  });
});

async function pixelsOf(file: Buffer): Promise<Buffer> {
  return sharp(file).raw().toBuffer();
}

/** A level sea turned clockwise by so many degrees. */
function tiltedSea(degrees: number): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="480" height="360"><rect width="480" height="360" fill="#9cc4e8"/>
    <g transform="rotate(${degrees} 240 180)"><rect x="-200" y="190" width="900" height="500" fill="#274a63"/></g></svg>`;
  return sharp(Buffer.from(svg)).png().toBuffer();
}

function flat(): Promise<Buffer> {
  return sharp({ create: { width: 480, height: 360, channels: 3, background: '#808080' } })
    .png()
    .toBuffer();
}

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
