import { Ajv2020 } from 'ajv/dist/2020.js';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CropResult } from '../../src/index.js';
import { examplePhoto, projectFile } from '../support/photos.js';
import { DOGS, eventsOf, formOf, useServer, type ServerEvent } from './serving.js';

interface Description {
  readonly paths: Record<string, object>;
  readonly components: { readonly schemas: Record<string, object> };
}

const folder = mkdtempSync(path.join(tmpdir(), 'framewright-serve-'));
const rootFolder = path.join(folder, 'root');
beforeAll(() => {
  mkdirSync(path.join(rootFolder, 'inner folder'), { recursive: true });
  copyFileSync(examplePhoto('dogs'), path.join(rootFolder, 'inner folder', 'dogs.jpg'));
  copyFileSync(examplePhoto('dogs'), path.join(folder, 'outside.jpg'));
  writeFileSync(path.join(rootFolder, 'text.jpg'), 'no photo');
  symlinkSync(path.join(folder, 'outside.jpg'), path.join(rootFolder, 'link-out.jpg'));
  symlinkSync(folder, path.join(rootFolder, 'folder-out'));
  symlinkSync(path.join(rootFolder, 'inner folder', 'dogs.jpg'), path.join(rootFolder, 'link-in.jpg'));
});
afterAll(() => rmSync(folder, { recursive: true }));

mkdirSync(rootFolder, { recursive: true });
const serving = useServer({ root: rootFolder });

const description = JSON.parse(readFileSync(projectFile('schemas', 'openapi.json'), 'utf8')) as Description;

/** What is wrong with an answer, by the server's own description. */
function problems(schema: string, answer: unknown): unknown {
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
  ajv.addVocabulary(['components']);
  const validate = ajv.compile({ $ref: `#/components/schemas/${schema}`, components: description.components });
  validate(answer);
  return validate.errors ?? [];
}

/** A result without what differs from one run to the next. */
function lasting({ timingsMs: _, ...result }: CropResult): object {
  return JSON.parse(JSON.stringify(result)) as object;
}

async function cropsOf(response: Response): Promise<CropResult[]> {
  const answer = (await response.json()) as { crops: CropResult[] };
  expect(response.status, JSON.stringify(answer)).toBe(200);
  expect(problems('CropAnswer', answer)).toEqual([]);
  return answer.crops;
}

describe('POST /v1/crop', () => {
  test('answers what the library says of the photo', async () => {
    const { ask, cropper } = serving();
    const [crop] = await cropsOf(await ask('/v1/crop?aspect=4:5&candidates=3&focus=50%25,30%25', { body: DOGS }));
    const expected = await cropper.crop(DOGS, { aspect: '4:5', candidates: 3, focus: { x: 0.5, y: 0.3 } });
    expect(lasting(crop!)).toEqual(lasting(expected));
  });

  test('takes the same wishes in a form, as JSON or in the query, which goes before it', async () => {
    const { ask } = serving();
    const wishes = { aspect: ['4:5', '1:1'], keep: [{ x: 300, y: 500, width: 50, height: 60 }], candidates: 2 };
    const inForm = await cropsOf(await ask('/v1/crop', { body: formOf(DOGS, wishes) }));
    const query = '?aspect=4:5&aspect=1:1&keep=300,500,50,60&candidates=2';
    const inQuery = await cropsOf(await ask(`/v1/crop${query}`, { body: DOGS }));
    const both = await cropsOf(
      await ask(`/v1/crop?candidates=2`, { body: formOf(DOGS, { ...wishes, candidates: 7 }) }),
    );
    expect(inForm.map(({ target }) => target.aspect)).toEqual(['4:5', '1:1']);
    expect(inQuery.map(lasting)).toEqual(inForm.map(lasting));
    expect(both.map(lasting)).toEqual(inForm.map(lasting));
  });

  test('says which of several ratios the photo has no crop for', async () => {
    const { ask } = serving();
    const response = await ask('/v1/crop?aspect=4:5&aspect=50:1&minSize=0.25', { body: DOGS });
    const { crops, refused } = (await response.json()) as { crops: CropResult[]; refused: object[] };
    expect(response.status).toBe(200);
    expect(crops.map(({ target }) => target.aspect)).toEqual(['4:5']);
    expect(refused).toEqual([
      { target: { aspect: '50:1' }, code: 'ASPECT_IMPOSSIBLE', detail: expect.stringContaining('50:1') as string },
    ]);
    const none = await ask('/v1/crop?aspect=50:1&minSize=0.25', { body: DOGS });
    expect(none.status).toBe(422);
    expect(await none.json()).toMatchObject({ code: 'ASPECT_IMPOSSIBLE', status: 422 });
  });

  test.each([
    ['image/*', 'jpeg'],
    ['image/webp', 'webp'],
    ['image/avif;q=0.5, image/png, */*;q=0.1', 'png'],
  ])('to %s answers the picture that the library makes', async (accept, format) => {
    const { ask, cropper } = serving();
    const response = await ask('/v1/crop?size=200x250', { body: DOGS, headers: { accept } });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(`image/${format}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(await sharp(bytes).metadata()).toMatchObject({ format, width: 200, height: 250 });
    const expected = await cropper.cropBuffer(DOGS, { size: '200x250', format: format as 'jpeg' });
    expect(bytes.equals(expected.bytes)).toBe(true);
    const { x, y, width, height } = expected.result.crop;
    expect(response.headers.get('x-framewright-crop')).toBe([x, y, width, height].join(','));
  });

  test('answers one picture at most, in the format an option names', async () => {
    const { ask } = serving();
    const headers = { accept: 'image/*' };
    const png = await ask('/v1/crop?aspect=1:1&format=png&strip', { body: DOGS, headers });
    expect(png.headers.get('content-type')).toBe('image/png');
    const two = await ask('/v1/crop?aspect=1:1&aspect=4:5', { body: DOGS, headers });
    expect([two.status, await two.json()]).toMatchObject([400, { code: 'USAGE' }]);
  });

  test('tells of its progress, and ends with the crops', async () => {
    const { ask, cropper } = serving();
    const stages: string[] = [];
    const expected = await cropper.crop(DOGS, { aspect: '1:1', onProgress: (stage) => stages.push(stage) });
    const response = await ask('/v1/crop?aspect=1:1', { body: DOGS, headers: { accept: 'text/event-stream' } });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const events: ServerEvent[] = [];
    for await (const event of eventsOf(response)) events.push(event);
    expect(events[0]).toEqual({ event: 'waiting', data: { waiting: 0 } });
    const told = events.filter(({ event }) => event === 'stage').map(({ data }) => data.stage);
    expect(told).toEqual(stages);
    expect(told).toContain('propose');
    const { event, data } = events.at(-1)!;
    expect(event).toBe('crops');
    expect(problems('CropAnswer', data)).toEqual([]);
    expect((data.crops as CropResult[]).map(lasting)).toEqual([lasting(expected)]);
  });

  test('ends a stream of events with the problem there is', async () => {
    const { ask } = serving();
    const headers = { accept: 'text/event-stream' };
    const events: ServerEvent[] = [];
    for await (const event of eventsOf(await ask('/v1/crop', { body: Buffer.from('hello'), headers })))
      events.push(event);
    const { event, data } = events.at(-1)!;
    expect(event).toBe('problem');
    expect(problems('Problem', data)).toEqual([]);
    expect(data).toMatchObject({ status: 415, code: 'INPUT_UNSUPPORTED' });
  });

  test('names a photo below the root, also by a link that stays there, and no other file', async () => {
    const { ask } = serving();
    const post = (name: string): Promise<Response> =>
      ask(`/v1/crop?candidates=1&path=${encodeURIComponent(name)}`, { method: 'POST' });
    const [crop] = await cropsOf(await post('inner folder/dogs.jpg'));
    expect(crop!.photo).toEqual({ widthPx: 799, heightPx: 1200, path: 'inner folder/dogs.jpg' });
    await cropsOf(await post('link-in.jpg'));
    const outside = ['link-out.jpg', 'folder-out/outside.jpg', '../outside.jpg', path.join(folder, 'outside.jpg'), ''];
    for (const name of [
      ...outside,
      'none.jpg',
      '..',
      '.',
      'inner folder/../../outside.jpg',
      'a\0b',
      '..\\outside.jpg',
    ]) {
      const response = await post(name);
      const text = await response.text();
      expect([response.status, name]).toEqual([404, name]);
      expect(text.replace(name, '')).not.toContain(folder);
    }
    for (const [name, status] of [
      ['text.jpg', 415],
      ['inner folder', 422],
    ] as const) {
      const response = await post(name);
      expect(response.status).toBe(status);
      expect(await response.text()).not.toContain(folder);
    }
  });

  test('takes a photo or a path', async () => {
    const response = await serving().ask('/v1/crop?path=link-in.jpg', { body: DOGS });
    expect([response.status, await response.json()]).toMatchObject([400, { code: 'USAGE' }]);
  });
});

test('POST /v1/analyse answers the composition', async () => {
  const { ask, cropper } = serving();
  const response = await ask('/v1/analyse', { body: DOGS });
  const answer: unknown = await response.json();
  expect(problems('AnalyseAnswer', answer)).toEqual([]);
  expect(answer).toEqual({ elements: await cropper.analyse(DOGS) });
});

test('POST /v1/rank answers a log-likelihood for each rectangle', async () => {
  const { ask, cropper } = serving();
  const rectangles = [
    { x: 0, y: 0, width: 700, height: 900 },
    { x: 100, y: 200, width: 300, height: 400 },
  ];
  const expected = { logLikelihoods: await cropper.rank(DOGS, rectangles) };
  const inForm: unknown = await (await ask('/v1/rank', { body: formOf(DOGS, { rectangles }) })).json();
  const query = rectangles.map(({ x, y, width, height }) => `rectangles=${x},${y},${width},${height}`).join('&');
  const inQuery: unknown = await (await ask(`/v1/rank?${query}`, { body: DOGS })).json();
  expect(problems('RankAnswer', inForm)).toEqual([]);
  expect([inForm, inQuery]).toEqual([expected, expected]);
});

test.each([
  ['/v1/crop?aspect=wide', 400, 'USAGE', '"wide" is not an aspect ratio'],
  ['/v1/crop?apsect=4:5', 400, 'USAGE', 'did you mean aspect?'],
  ['/v1/crop?candidates=many', 400, 'USAGE', 'candidates'],
  ['/v1/crop?candidates=21', 400, 'USAGE', 'candidates'],
  ['/v1/crop?keep=1,2,3', 400, 'USAGE', 'x,y,width,height'],
  ['/v1/crop?keep=0,0,9999,9999', 400, 'USAGE', 'inside the 799x1200 photo'],
  ['/v1/crop?focus=9000,1', 400, 'USAGE', 'lies outside'],
  ['/v1/crop?instruct=dogs', 400, 'USAGE', 'takes no instruction'],
  ['/v1/crop?aspect=1:1&size=9x9&strip=maybe', 400, 'USAGE', 'strip'],
  ['/v1/rank', 400, 'USAGE', 'rectangles'],
  ['/v1/nothing', 404, 'NOT_FOUND', 'openapi.json'],
])('%s is a problem with its status and code', async (path, status, code, words) => {
  const response = await serving().ask(path, { body: DOGS });
  const problem = (await response.json()) as { detail: string };
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(problems('Problem', problem)).toEqual([]);
  expect(problem).toMatchObject({ status, code });
  expect(response.status).toBe(status);
  expect(problem.detail).toContain(words);
});

test('a method, a form of answer, and a body that are not taken are told with what is', async () => {
  const { ask } = serving();
  const get = await ask('/v1/crop');
  expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
  const accept = await ask('/v1/analyse', { body: DOGS, headers: { accept: 'image/png' } });
  expect([accept.status, await accept.json()]).toMatchObject([406, { code: 'NOT_ACCEPTABLE' }]);
  const nothing = await ask('/v1/crop', { method: 'POST' });
  expect([nothing.status, await nothing.json()]).toMatchObject([
    400,
    { detail: expect.stringContaining('no photo') as string },
  ]);
});

test('health, metrics, the description and the page', async () => {
  const { ask } = serving();
  expect(await (await ask('/healthz')).json()).toEqual({ status: 'ok' });
  expect(await (await ask('/readyz')).json()).toEqual({ status: 'ready' });
  const metrics = await ask('/metrics');
  expect(metrics.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  const lines = (await metrics.text()).trimEnd().split('\n');
  for (const line of lines)
    expect(line).toMatch(/^(# (HELP|TYPE) framewright_\w+ .+|framewright_\w+(\{[^}]*\})? \d\S*)$/);
  expect(lines.some((line) => line.startsWith('framewright_requests_total{route="/v1/crop",status="200"} '))).toBe(
    true,
  );
  expect(await (await ask('/openapi.json')).json()).toEqual(description);
  for (const [path, type] of [
    ['/', 'text/html'],
    ['/page.css', 'text/css'],
    ['/page.js', 'text/javascript'],
    ['/icon.svg', 'image/svg+xml'],
  ] as const) {
    const response = await ask(path);
    expect([response.status, response.headers.get('content-type')?.startsWith(type)]).toEqual([200, true]);
    const csp = response.headers.get('content-security-policy');
    expect(csp).toContain("default-src 'none'; script-src 'self'");
    expect(csp).not.toContain('unsafe');
    // Whatever it loads is its own.
    expect(await response.text()).not.toMatch(/(src|href|import|fetch\()[=(\s]*["'`](https?:)?\/\//);
  }
});

test('every endpoint is described, and every one that is described is there', async () => {
  const { ask } = serving();
  for (const [path, methods] of Object.entries(description.paths)) {
    for (const method of Object.keys(methods)) {
      const response = await ask(path, { method: method.toUpperCase() });
      expect([path, response.status === 404 || response.status === 405]).toEqual([path, false]);
      await response.arrayBuffer();
    }
  }
});

test('wholeText looks for text, in the query or the form, and is true or false', async () => {
  const { ask } = serving();
  for (const asked of [
    ask('/v1/crop?wholeText=true&aspect=1:1', { body: DOGS, headers: { 'content-type': 'image/jpeg' } }),
    ask('/v1/crop', { body: formOf(DOGS, { wholeText: true, aspect: '1:1' }) }),
  ]) {
    const [crop] = await cropsOf(await asked);
    expect(crop!.text).toEqual([]);
    expect(problems('CropAnswer', { crops: [crop], refused: [] })).toEqual([]);
  }
  expect((await ask('/v1/crop?wholeText=maybe', { body: DOGS })).status).toBe(400);
});

describe('straighten', () => {
  test('is a word or degrees, in the query or the form; the answer says what was done', async () => {
    const { ask } = serving();
    const [off] = await cropsOf(await ask('/v1/crop', { body: DOGS, headers: { 'content-type': 'image/jpeg' } }));
    expect(off).not.toHaveProperty('straighten');
    for (const asked of [
      ask('/v1/crop?straighten=-2.5', { body: DOGS, headers: { 'content-type': 'image/jpeg' } }),
      ask('/v1/crop', { body: formOf(DOGS, { straighten: -2.5 }) }),
    ]) {
      const answer = await asked;
      const [crop] = await cropsOf(answer);
      expect(crop!.straighten).toMatchObject({ angleDeg: -2.5, from: 'asked', applied: true });
      expect(crop!.straighten!.photo).toEqual(off!.photo);
      expect(problems('CropAnswer', { crops: [crop], refused: [] })).toEqual([]);
    }
    const picture = await ask('/v1/crop?straighten=3&aspect=1:1', {
      body: DOGS,
      headers: { 'content-type': 'image/jpeg', accept: 'image/png' },
    });
    expect(picture.headers.get('x-framewright-straighten')).toBe('3');
  });

  test.each(['sideways', '1000', 'NaN', '-46', ''])('%j is refused', async (value) => {
    const answer = await serving().ask(`/v1/crop?straighten=${value}`, { body: DOGS });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      code: 'USAGE',
      detail: expect.stringContaining('off, auto') as string,
    });
  });

  test('analyse says how the photo is tilted where it is asked to', async () => {
    const { ask } = serving();
    const plain = (await (await ask('/v1/analyse', { body: DOGS })).json()) as object;
    expect(Object.keys(plain)).toEqual(['elements']);
    const tilted = (await (await ask('/v1/analyse?tilt=true', { body: DOGS })).json()) as { tilt: object };
    expect(tilted.tilt).toMatchObject({ confidence: expect.any(Number) as number });
    expect(problems('AnalyseAnswer', tilted)).toEqual([]);
  });
});
