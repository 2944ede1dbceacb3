import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCropper, startStudy, type Cropper, type RunningServer } from '../../../src/index.js';
import type { JudgeAnswer, ResultsAnswer } from '../../../src/studio/study/api.js';
import { rejection } from '../../photo/thrown.js';
import { ask, rawRequest, type AskOptions } from '../../server/serving.js';
import { BAD, GOOD, OURS, THEIRS, useSmallStudy } from './small-study.js';

const N_PHOTOS = 5;
const { at, write } = useSmallStudy(N_PHOTOS);

let cropper: Cropper;
let server: RunningServer;
let codes: string[];
beforeAll(async () => {
  cropper = await openCropper({ engine: 'full' });
  server = await startStudy({ cropper, study: write('study.json', { title: 'ours against theirs' }), port: 0 });
  codes = (await results()).links.map((link) => link.split('/judge/')[1]!);
});
afterAll(async () => {
  await server.close({ now: true });
  await cropper.dispose();
});

/** As a judge: without the token. */
const judgeAsks = (path: string, request?: AskOptions): Promise<Response> =>
  ask({ url: server.url, token: undefined }, path, request);
const api = (code: string, rest = ''): string => `/study/api/judges/${code}${rest}`;
async function results(query = ''): Promise<ResultsAnswer> {
  return (await (await ask(server, `/study/api/results${query}`)).json()) as ResultsAnswer;
}
async function pairsOf(code: string): Promise<JudgeAnswer> {
  return (await (await judgeAsks(api(code))).json()) as JudgeAnswer;
}
function put(code: string, pair: string, body: unknown): Promise<Response> {
  return judgeAsks(api(code, `/pairs/${pair}`), { method: 'PUT', body: Buffer.from(JSON.stringify(body)) });
}

test('a judge sees their pairs and two pictures of each, and nothing that tells the methods', async () => {
  const answer = await pairsOf(codes[0]!);
  expect(answer.pairs).toHaveLength(N_PHOTOS + 1);
  expect(JSON.stringify(answer)).not.toMatch(/ours|theirs|better"|worse|jpg/);
  const sizes = [OURS, THEIRS, GOOD, BAD].map(([x1, y1, x2, y2]) => `${x2 - x1}x${y2 - y1}`);
  for (const { id, left, right } of answer.pairs) {
    for (const [side, size] of [
      ['left', left],
      ['right', right],
    ] as const) {
      const response = await judgeAsks(api(codes[0]!, `/pairs/${id}/${side}`));
      expect(response.headers.get('content-type')).toBe('image/jpeg');
      const { width, height, exif } = await sharp(Buffer.from(await response.arrayBuffer())).metadata();
      expect({ width, height, exif }).toEqual({ ...size, exif: undefined });
      expect(sizes).toContain(`${size.width}x${size.height}`);
    }
  }
});

test('the pages come without a token where a code will be asked for, and the results with it alone', async () => {
  const page = await judgeAsks(`/judge/${codes[0]!}`);
  expect(page.status).toBe(200);
  const text = await page.text();
  const [script] = /\/assets\/[\w.-]+\.js/.exec(text)!;
  expect((await judgeAsks(script)).status).toBe(200);
  for (const path of ['/', '/study/api/results', '/study/api/export?form=jsonl', '/metrics', '/v1/crop', '/none']) {
    expect([path, (await judgeAsks(path)).status]).toEqual([path, 401]);
  }
  expect((await ask(server, '/')).status).toBe(200);
});

test('there is no library behind a study, not even with the token', async () => {
  for (const path of [
    '/studio/api/library',
    '/studio/api/photos',
    '/v1/crop',
    '/v1/analyse',
    '/openapi.json',
    '/index.html',
  ]) {
    expect([path, (await ask(server, path)).status]).toEqual([path, 404]);
  }
});

test('a wrong code, and another judge’s pair, are as if they were not there', async () => {
  const wrong = codes[0]!.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
  for (const code of [wrong, '', '%00', 'x'.repeat(5000), '..%2f..%2fresults', server.token!]) {
    const { status } = await judgeAsks(api(code));
    expect([400, 401, 404, 414], `${code.slice(0, 20)}: ${status}`).toContain(status);
  }
  for (const path of [
    '/study/api/judges/../results',
    '/judge/../study/api/results',
    '/judge/x/../../study/api/results',
    '/assets/../study/api/results',
  ]) {
    expect([path, (await rawRequest(server.url, path)).status]).toEqual([path, 401]);
  }
  expect((await judgeAsks(api(codes[0]!, '/pairs/0123456789abcdef/left'))).status).toBe(404);
  expect((await put(codes[0]!, '0123456789abcdef', { answer: 'left', tookMs: 1 })).status).toBe(404);
});

test.each([
  [{ answer: 'middle', tookMs: 1 }, 400],
  [{ answer: 'left' }, 400],
  [{ answer: 'left', tookMs: -1 }, 400],
  [{ answer: 'left', tookMs: 1, judge: 2 }, 400],
  [{ answer: 'left', tookMs: 1, more: 'x'.repeat(2000) }, 413],
])('the judgement %j is refused', async (body, status) => {
  const { pairs } = await pairsOf(codes[1]!);
  expect((await put(codes[1]!, pairs[0]!.id, body)).status).toBe(status);
  expect((await results()).judges[1]!.nDone).toBe(0);
});

test('pages of other sites may not judge', async () => {
  const { pairs } = await pairsOf(codes[1]!);
  const headers = { origin: 'https://evil.example', 'content-type': 'text/plain' };
  const response = await judgeAsks(api(codes[1]!, `/pairs/${pairs[0]!.id}`), {
    method: 'PUT',
    headers,
    body: Buffer.from('{}'),
  });
  expect(response.status).toBe(403);
});

describe('judgements', () => {
  test('count at once, and one more about the same pair takes its place', async () => {
    const [first] = (await pairsOf(codes[2]!)).pairs;
    expect((await put(codes[2]!, first!.id, { answer: 'left', tookMs: 900 })).status).toBe(204);
    expect((await put(codes[2]!, first!.id, { answer: 'tie', tookMs: 400 })).status).toBe(204);
    const { judges, nJudgements } = await results();
    expect([judges[2]!.nDone, nJudgements]).toEqual([1, 1]);
    expect((await pairsOf(codes[2]!)).pairs[0]).toMatchObject({ id: first!.id, answer: 'tie' });
  });

  test('are exported, without judges that failed their checks where that is asked for', async () => {
    const { pairs } = await pairsOf(codes[0]!);
    // 20x15 px is the crop beyond doubt the worse one: this judge takes it.
    for (const { id, left } of pairs)
      await put(codes[0]!, id, { answer: left.width === 20 ? 'left' : 'right', tookMs: 5 });
    expect((await results()).judges[0]).toMatchObject({ nChecks: 1, nChecksFailed: 1, hasFailed: true });
    expect((await results('?without=failed')).leftOut).toEqual([0]);
    const nLines = async (query: string): Promise<number> =>
      (await (await ask(server, `/study/api/export?form=jsonl${query}`)).text()).trimEnd().split('\n').length;
    expect(await nLines('')).toBe(N_PHOTOS + 1 + 1);
    expect(await nLines('&without=failed')).toBe(1);
    const csv = await ask(server, '/study/api/export?form=csv');
    expect(csv.headers.get('content-disposition')).toBe('attachment; filename="study-csv.csv"');
    expect((await ask(server, '/study/api/export?form=xls')).status).toBe(400);
    expect((await ask(server, '/study/api/results?without=x')).status).toBe(400);
  });

  test('are there when the study is opened again, under the same links', async () => {
    const before = await results();
    await server.close();
    server = await startStudy({ cropper, study: at('study.json'), port: 0 });
    const after = await results();
    expect({ ...after, links: [] }).toEqual({ ...before, links: [] });
    expect(after.links.map((link) => link.split('/judge/')[1])).toEqual(codes);
    expect(readFileSync(at('study.judgements.jsonl'), 'utf8')).not.toContain(codes[0]);
  });
});

test('is not opened to everybody, nor twice', async () => {
  const study = at('study.json');
  expect((await rejection(startStudy({ cropper, study, port: 0, token: false }))).message).toMatch(
    /leave out --no-token/,
  );
  expect(await rejection(startStudy({ cropper, study, port: 0 }))).toMatchObject({ code: 'OUTPUT_LOCKED' });
});

test('links lead to this machine unless every network is listened on', async () => {
  expect((await results()).links[0]).toMatch(/^http:\/\/localhost:\d+\/judge\/[\w]{15}$/);
  const everywhere = await startStudy({ cropper, study: write('open.json'), port: 0, host: '0.0.0.0' });
  const { links } = (await (await ask(everywhere, '/study/api/results')).json()) as ResultsAnswer;
  expect(links[0]).toMatch(/^http:\/\/(\d+\.\d+\.\d+\.\d+|localhost):\d+\/judge\//);
  await everywhere.close({ now: true });
});
