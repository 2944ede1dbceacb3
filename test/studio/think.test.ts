import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { copyFile } from 'node:fs/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  openCropper,
  startStudio,
  type Cropper,
  type CropResult,
  type EngineName,
  type RunningServer,
} from '../../src/index.js';
import type { LibraryAnswer } from '../../src/studio/api.js';
import type { ThinkEvents } from '../../src/studio/think/api.js';
import { ask, eventsOf, metric, until } from '../server/serving.js';
import { examplePhoto } from '../support/photos.js';

type Told = { [Name in keyof ThinkEvents]: { event: Name; data: ThinkEvents[Name] } }[keyof ThinkEvents];

interface Studying {
  readonly cropper: Cropper;
  readonly server: RunningServer;
  readonly dogs: string;
}

/** A studio of a folder with one photo. */
function useStudio(engine: EngineName, wishes: { votes?: number; candidates?: number } = {}): () => Studying {
  let studying: (Studying & { readonly folder: string }) | undefined;
  beforeAll(async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'framewright-think-'));
    await copyFile(examplePhoto('dogs'), path.join(folder, 'dogs.jpg'));
    const cropper = await openCropper({ engine, gpu: 'cpu', threads: 1 });
    const server = await startStudio({ port: 0, cropper, folder, ...wishes });
    const { photos } = (await (await ask(server, '/studio/api/library')).json()) as { photos: { id: string }[] };
    studying = { cropper, server, folder, dogs: photos[0]!.id };
  });
  afterAll(async () => {
    await studying?.server.close({ now: true });
    await studying?.cropper.dispose();
    if (studying) await rm(studying.folder, { recursive: true, force: true });
  });
  return () => studying!;
}

async function thoughts({ server }: Studying, id: string, query = ''): Promise<Told[]> {
  const response = await ask(server, `/studio/api/think/${id}${query}`);
  expect(response.status).toBe(200);
  const told: Told[] = [];
  for await (const event of eventsOf(response)) told.push(event as unknown as Told);
  return told;
}

function dataOf<Name extends keyof ThinkEvents>(told: readonly Told[], name: Name): ThinkEvents[Name][] {
  return told.flatMap(({ event, data }) => (event === name ? [data as ThinkEvents[Name]] : []));
}

describe('a photo being thought about', () => {
  const studying = useStudio('vlm');

  test('is told of from the picture shown to the crop made, as the crop is made without', async () => {
    const { cropper, dogs } = studying();
    const told = await thoughts(studying(), dogs, '?aspect=4:5');
    const order = told.map(({ event }) => event);
    expect(order.filter((event, i) => event !== order[i - 1])).toEqual([
      ...['waiting', 'stage', 'prompt', 'image', 'prompt', 'token', 'prompt', 'elements'],
      ...['stage', 'prompt', 'image', 'prompt', 'token', 'prompt', 'candidates'],
      ...['stage', 'prompt', 'token', 'decision', 'token', 'result', 'done'],
    ]);
    const { timingsMs: _, ...result } = dataOf(told, 'result')[0]!.result;
    const { timingsMs: __, ...unheard } = await cropper.crop(examplePhoto('dogs'), { aspect: '4:5' });
    expect({ ...result, photo: { ...result.photo, path: '' } }).toEqual({
      ...unheard,
      photo: { ...unheard.photo, path: '' },
    });
    const said = dataOf(told, 'token')
      .filter(({ stage }) => stage === 'analyse')
      .map(({ text }) => text);
    const lines = said.join('').replace('<|im_end|>', '').trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(
      result.analysis.map(({ type }) => type),
    );
    const choices = dataOf(told, 'token').flatMap(({ choice }) => choice ?? []);
    expect(choices.some(({ nOptions = 0 }) => nOptions > 12)).toBe(true);
    for (const { options = [], nOptions } of choices) expect(options).toHaveLength(Math.min(12, nOptions!));
    const [elements] = dataOf(told, 'elements');
    expect(elements!.elements.map(({ kind }) => kind)).toEqual(result.analysis.map(({ type }) => type));
  });

  test('is shown as the model is shown it, with and without enhancement', async () => {
    const told = await thoughts(studying(), studying().dogs, '?conditions=enhanced&conditions=plain');
    const images = dataOf(told, 'image');
    expect(images.map(({ condition, stage, isEnhanced }) => [condition, stage, isEnhanced])).toEqual([
      ['enhanced', 'analyse', false],
      ['enhanced', 'propose', true],
      ['plain', 'analyse', false],
      ['plain', 'propose', false],
    ]);
    const pixels = await Promise.all(
      images.map(({ webp }) =>
        sharp(Buffer.from(webp, 'base64')).removeAlpha().raw().toBuffer({ resolveWithObject: true }),
      ),
    );
    const [{ width, height }] = [pixels[0]!.info];
    const [{ result }] = dataOf(told, 'result') as [ThinkEvents['result'], ThinkEvents['result']];
    expect({ widthPx: width, heightPx: height }).toEqual(result.frame);
    expect(pixels[1]!.data.equals(pixels[0]!.data)).toBe(false);
    expect(pixels[3]!.data.equals(pixels[0]!.data)).toBe(true);
  });

  test('says what each answer attends to where that is asked for, all of it adding up', async () => {
    const told = await thoughts(studying(), studying().dogs, '?attention=true');
    const looks = dataOf(told, 'attention');
    expect(looks.map(({ stage }) => stage)).toEqual(['analyse', 'propose', 'decide']);
    for (const { maps, grid } of looks) {
      for (const cells of maps.flat().filter(({ length }) => length > 0)) {
        expect(cells).toHaveLength(grid.width * grid.height);
        expect(cells.reduce((sum, value) => sum + value, 0)).toBeLessThanOrEqual(1.01);
      }
    }
    const shares = Object.values(looks[1]!.shares!);
    expect(shares.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 3);
    expect(looks[0]!.shares).toBeUndefined();
  });

  test('may be one of the examples', async () => {
    const { server } = studying();
    const examples = (await (await ask(server, '/studio/api/examples')).json()) as { id: string; name: string }[];
    expect(examples.map(({ name }) => name)).toContain('pagoda.jpg');
    const told = await thoughts(studying(), examples[0]!.id);
    expect(dataOf(told, 'result')).toHaveLength(1);
    const picture = await ask(server, `/studio/api/examples/${examples[0]!.id}/picture?side=320`);
    expect((await sharp(Buffer.from(await picture.arrayBuffer())).metadata()).format).toBe('jpeg');
  });

  test('takes its turn among crops and others that are thought about, and each comes to what it comes to alone', async () => {
    const { server, dogs } = studying();
    const alone = (result: CropResult): string => JSON.stringify({ ...result, timingsMs: {} });
    const ids = [dogs, 'example-pagoda', 'example-dandelion'];
    const expected: string[] = [];
    for (const id of ids) expected.push(alone(dataOf(await thoughts(studying(), id), 'result')[0]!.result));
    const body = Buffer.from(JSON.stringify({ photos: [dogs], targets: ['1:1', '4:5', '16:9', '2:3'], again: true }));
    await ask(server, '/studio/api/runs', { method: 'POST', body });
    const together = await Promise.all(ids.map((id) => thoughts(studying(), id, '?attention=true')));
    expect(together.map((told) => dataOf(told, 'problem'))).toEqual([[], [], []]);
    expect(together.map((told) => alone(dataOf(told, 'result')[0]!.result))).toEqual(expected);
    let library: LibraryAnswer;
    do library = (await (await ask(server, '/studio/api/library')).json()) as LibraryAnswer;
    while (library.run.isRunning);
    expect(library.run.nFailed).toBe(0);
    expect(Object.keys(library.photos[0]!.crops).sort()).toEqual(['16:9', '1:1', '2:3', '4:5']);
  });

  test('is let go of when the client goes, and the model answers the next', async () => {
    const { server, dogs, cropper } = studying();
    const { nImages } = cropper.counters();
    const gone = new AbortController();
    const response = await ask(server, `/studio/api/think/${dogs}?conditions=enhanced&conditions=plain`, {
      signal: gone.signal,
    });
    await expect(
      (async () => {
        for await (const { event } of eventsOf(response)) if (event === 'token') gone.abort();
      })(),
    ).rejects.toThrow();
    const serving = { ask: (at: string) => ask(server, at) };
    await until(async () => (await metric(serving, 'working')) === 0);
    expect(cropper.counters().nImages - nImages).toBe(1); // of the four
    expect(dataOf(await thoughts(studying(), dogs), 'result')).toHaveLength(1);
  });

  test.each([
    ['a photo that there is not', '0123456789abcdef', '', 404],
    ['an example that there is not', 'example-..%2f..%2fREADME', '', 404],
    ['a wish that there is not', 'example-dogs', '?votes=3', 400],
    ['a condition that there is not', 'example-dogs', '?conditions=both', 400],
  ])('is refused for %s', async (_, id, query, status) => {
    expect((await ask(studying().server, `/studio/api/think/${id}${query}`)).status).toBe(status);
  });

  test('tells of what goes wrong amid it', async () => {
    const told = await thoughts(studying(), 'example-dogs', '?aspect=wide');
    expect(dataOf(told, 'problem')).toMatchObject([{ status: 400, code: 'USAGE' }]);
    expect(told.at(-1)!.event).toBe('problem');
  });
});

describe('a photo thought about with votes', () => {
  const studying = useStudio('vlm', { votes: 3, candidates: 4 });

  test('is told of by the vote the answer is written in, and by what all of them come to', async () => {
    const { cropper, dogs } = studying();
    const told = await thoughts(studying(), dogs);
    const asked = dataOf(told, 'prompt').filter(({ stage }) => stage === 'decide');
    expect(asked.map(({ text }) => text.split('decide').length - 1).reduce((sum, n) => sum + n, 0)).toBe(1);
    const { candidates } = await cropper.crop(examplePhoto('dogs'), { votes: 3, candidates: 4 });
    const [decision] = dataOf(told, 'decision');
    expect(decision!.probabilities).toHaveLength(4);
    for (const [i, { modelScore }] of candidates.entries()) {
      expect(decision!.probabilities[i]).toBeCloseTo(modelScore, 5);
    }
  });
});

describe('a photo looked at by an engine without a model', () => {
  const studying = useStudio('rules');

  test('is told of by what was found', async () => {
    const told = await thoughts(studying(), studying().dogs);
    expect(told.map(({ event }) => event)).toEqual(['waiting', 'candidates', 'elements', 'result', 'done']);
    expect(dataOf(told, 'elements')[0]!.elements.length).toBeGreaterThan(0);
  });
});
