import { describe, expect, test } from 'vitest';
import { openCropper, startServer, type CropResult } from '../../src/index.js';
import {
  beginUpload,
  DOGS,
  eventsOf,
  formOf,
  metric,
  pngHeader,
  rawBytes,
  until,
  useServer,
  type Serving,
} from './serving.js';

/** Nothing is worked on and nothing waits. */
const idle = (serving: Serving): Promise<void> =>
  until(async () => (await metric(serving, 'working')) + (await metric(serving, 'waiting')) === 0);

describe('with room for two', () => {
  const serving = useServer({ atOnce: 1, queue: 1, maxBytes: 200_000, uploadPauseMs: 60_000 });

  test('a third is told to come again, and the two are answered', async () => {
    const { server, ask } = serving();
    const uploads = [beginUpload(server, '/v1/crop?candidates=1'), beginUpload(server, '/v1/analyse')];
    await until(async () => (await metric(serving(), 'waiting')) === 2);
    const third = await ask('/v1/crop', { body: DOGS });
    expect([third.status, third.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await third.json()).toMatchObject({ status: 503, code: 'BUSY' });
    // What takes no work is answered all the same.
    expect((await ask('/healthz')).status).toBe(200);
    for (const upload of uploads) upload.end();
    const answers = await Promise.all(uploads.map(({ answer }) => answer));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    await idle(serving());
  });

  test('who goes away before the end of an upload makes room', async () => {
    const { server, ask } = serving();
    const stays = beginUpload(server, '/v1/crop?candidates=1');
    const leaves = new AbortController();
    const gone = ask('/v1/crop', { body: DOGS, signal: leaves.signal, headers: { accept: 'text/event-stream' } });
    await gone;
    leaves.abort();
    await until(async () => (await metric(serving(), 'waiting')) === 1);
    expect((await ask('/v1/crop?candidates=1', { body: DOGS })).status).toBe(200);
    stays.end();
    expect((await stays.answer).status).toBe(200);
  });

  test('what is too large is refused, as a body and in a form, and the next is answered', async () => {
    const { ask, server } = serving();
    const large = Buffer.concat([DOGS, Buffer.alloc(200_000)]);
    for (const body of [large, formOf(large), Buffer.alloc(5_000_000)]) {
      const response = await ask('/v1/crop', { body });
      expect([response.status, await response.json()]).toMatchObject([413, { code: 'INPUT_TOO_LARGE' }]);
    }
    // Of unknown length.
    const chunk = `186a0\r\n${'x'.repeat(100_000)}\r\n`;
    const head = `POST /v1/crop HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${server.token!}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    expect(await rawBytes(server.url, [head, chunk, chunk, chunk])).toMatch(/^HTTP\/1\.1 413 /);
    expect((await ask('/v1/crop?candidates=1', { body: DOGS })).status).toBe(200);
    await idle(serving());
  });

  test('a photo of too many pixels is refused by its header', async () => {
    const response = await serving().ask('/v1/crop', { body: pngHeader(50_000, 50_000) });
    expect([response.status, await response.json()]).toMatchObject([413, { code: 'INPUT_TOO_LARGE' }]);
  });
});

describe('with a short time', () => {
  const serving = useServer({ atOnce: 1, timeoutMs: 200 });

  test('what takes longer is answered 504 and stopped, and the model goes on with the next', async () => {
    const { ask, cropper } = serving();
    const query = '/v1/crop?candidates=20&votes=20&aspect=4:5&aspect=1:1&aspect=16:9&aspect=9:16';
    const response = await ask(query, { body: DOGS });
    expect([response.status, await response.json()]).toMatchObject([504, { code: 'TIMEOUT' }]);
    await idle(serving());
    expect((await cropper.analyse(DOGS)).length).toBeGreaterThan(0);
  });

  test('the time covers the wait for memory and for a turn', async () => {
    const { server } = serving();
    const upload = beginUpload(server);
    const { status, text } = await upload.answer;
    expect([status, JSON.parse(text)]).toMatchObject([504, { code: 'TIMEOUT' }]);
    await idle(serving());
  });
});

describe('with a short time for uploads', () => {
  const serving = useServer({ uploadPauseMs: 300, headTimeoutMs: 300 });

  test('an upload that does not come is answered 408, and one that comes is cropped', async () => {
    const { server, ask } = serving();
    const { status, text } = await beginUpload(server).answer;
    expect([status, JSON.parse(text)]).toMatchObject([408, { code: 'UPLOAD_SLOW' }]);
    await idle(serving());
    expect((await ask('/v1/crop?candidates=1', { body: DOGS })).status).toBe(200);
  });

  test('a request whose head does not come is ended', async () => {
    const answer = await rawBytes(serving().server.url, ['GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ']);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('"code":"UPLOAD_SLOW"');
  });
});

describe('a client that goes away', () => {
  const serving = useServer({ atOnce: 1 });

  test.each(['decode', 'analyse', 'propose'])('in %s stops the work for it', async (stage) => {
    const { ask, cropper } = serving();
    const tokens = (): number => cropper.counters().nTokensDecoded;
    const start = tokens();
    await cropper.crop(DOGS, { aspect: '4:5' });
    const whole = tokens() - start;
    const leaves = new AbortController();
    const headers = { accept: 'text/event-stream' };
    const response = await ask('/v1/crop?aspect=4:5', { body: DOGS, headers, signal: leaves.signal });
    await expect(async () => {
      for await (const { data } of eventsOf(response)) if (data.stage === stage) leaves.abort();
    }).rejects.toThrow();
    await idle(serving());
    expect(tokens() - start - whole).toBeLessThan(whole);
    const { crops } = (await (await ask('/v1/crop?candidates=1', { body: DOGS })).json()) as { crops: CropResult[] };
    expect(crops).toHaveLength(1);
  });
});

test('closing lets what is worked on be finished, takes no more, and can be hurried', async () => {
  await using cropper = await openCropper({ engine: 'centre' });
  const server = await startServer({ cropper, port: 0 });
  const upload = beginUpload(server, '/v1/crop?aspect=1:1');
  const waits = beginUpload(server);
  const metrics = {
    ask: (path: string) => fetch(server.url + path, { headers: { authorization: `Bearer ${server.token!}` } }),
  };
  await until(async () => (await metric(metrics, 'waiting')) === 2);
  const closed = server.close();
  await expect(fetch(`${server.url}/healthz`, { headers: { connection: 'close' } })).rejects.toThrow();
  upload.end();
  expect((await upload.answer).status).toBe(200);
  void server.close({ now: true });
  expect(await waits.answer).toMatchObject({ status: 503 });
  await closed;
  await expect(cropper.crop(DOGS)).resolves.toBeDefined();
});
