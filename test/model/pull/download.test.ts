import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { lockFile } from '../../../src/files/file-lock.js';
import { download, type DownloadOptions } from '../../../src/model/pull/download.js';
import { fetchPieces } from '../../../src/model/pull/fetch-pieces.js';
import { proxyFor } from '../../../src/model/pull/proxy.js';
import { mergeRanges, missingPieces } from '../../../src/model/pull/ranges.js';
import type { Probed, Server } from '../../../src/model/pull/server.js';
import { canMount, mountSmallDisk, unmount } from '../../support/small-disk.js';
import { declareWhere } from '../../support/system-tools.js';
import { serveFile, type Manners } from './range-server.js';

const folder = await mkdtemp(path.join(tmpdir(), 'framewright-pull-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => {
  for (const name of ['http_proxy', 'https_proxy', 'all_proxy']) vi.stubEnv(name, '').stubEnv(name.toUpperCase(), '');
});
afterEach(() => vi.unstubAllEnvs());

let nPlaces = 0;
const newPlace = (): string => path.join(folder, String(nPlaces++), 'model.gguf');
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const QUICK: DownloadOptions = { retryMs: 1, idleMs: 2000 };
/** More than two pieces of 8 MiB. */
const content = randomBytes(20 * 2 ** 20);

const namesIn = async (place: string): Promise<string[]> => (await readdir(path.dirname(place))).sort();

test('a file arrives whole, in parallel parts, with its sha256 noted and nothing left beside it', async () => {
  await using server = await serveFile(content);
  const place = newPlace();
  const seen: number[] = [];
  const got = await download(`${server.url}/x`, place, { ...QUICK, onProgress: (n) => seen.push(n) });
  expect(got).toEqual({ path: place, bytes: content.length, sha256: sha256(content), isNew: true });
  expect((await readFile(place)).equals(content)).toBe(true);
  expect(await namesIn(place)).toEqual(['model.gguf', 'model.gguf.sha256']);
  expect(seen.at(-1)).toBe(content.length);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(server.requests.map(({ headers }) => headers.range)).toEqual(
    expect.arrayContaining(['bytes=0-0', 'bytes=0-8388607', 'bytes=8388608-16777215', 'bytes=16777216-20971519']),
  );
});

test('a connection cut 20 times ends with the right sha256, and no byte is asked for twice', async () => {
  let nCuts = 0;
  await using server = await serveFile(content, {
    cutAfter: () => (nCuts < 20 ? (nCuts++, 500_000 + 1000 * nCuts) : undefined),
  });
  const place = newPlace();
  const got = await download(`${server.url}/x`, place, { ...QUICK, connections: 2, sha256: sha256(content) });
  expect([nCuts, got.sha256]).toEqual([20, sha256(content)]);
  const starts = server.requests.slice(1).map(({ headers }) => headers.range);
  expect(new Set(starts).size).toBe(starts.length);
});

test('an outage that drops every connection is one failure, however many connections there are', async () => {
  const nConnections = 8;
  let nDropped = 0;
  await using server = await serveFile(content, { cutAfter: () => (nDropped++ < 3 * nConnections ? 0 : undefined) });
  const place = newPlace();
  await mkdir(path.dirname(place), { recursive: true });
  await using file = await open(place, 'w');
  const from: Server = {
    url: `${server.url}/x`,
    token: undefined,
    retryMs: 1,
    idleMs: 2000,
    paceMs: 30_000,
    signal: undefined,
  };
  const probed: Probed = { totalBytes: content.length, validator: '', sha256: undefined, takesRanges: true };
  const pieces = missingPieces([], content.length, content.length / nConnections);
  await fetchPieces(file, pieces, probed, from, { connections: nConnections, onReceived: () => undefined });
  expect((await readFile(place)).equals(content)).toBe(true);
  // One that lasts is given up by the last connection to lose patience.
  server.manners = { cutAfter: () => 0 };
  server.requests.length = 0;
  const lasting = fetchPieces(file, pieces, probed, from, { connections: nConnections, onReceived: () => undefined });
  await expect(lasting).rejects.toThrow(/failed 8 times in a row/);
  expect(server.requests.length).toBeGreaterThanOrEqual(8 * nConnections);
});

test('what came before an interruption is used by the next pull', async () => {
  await using server = await serveFile(content);
  const place = newPlace();
  const stop = new AbortController();
  const interrupted = download(`${server.url}/x`, place, {
    ...QUICK,
    connections: 1,
    signal: stop.signal,
    onProgress: (received) => {
      if (received > 9 * 2 ** 20) stop.abort(new Error('enough'));
    },
  });
  await expect(interrupted).rejects.toThrow('enough');
  expect(existsSync(place)).toBe(false);
  expect(await namesIn(place)).toEqual(['model.gguf.part', 'model.gguf.part.json']);
  server.requests.length = 0;
  await download(`${server.url}/x`, place, { ...QUICK, sha256: sha256(content) });
  expect(server.requests.map(({ headers }) => headers.range)).not.toContain('bytes=0-8388607');
  expect(await namesIn(place)).toEqual(['model.gguf', 'model.gguf.sha256']);
});

test('a wrong sha256 leaves nothing behind and says so', async () => {
  await using server = await serveFile(content);
  const place = newPlace();
  await expect(download(`${server.url}/x`, place, { ...QUICK, sha256: '0'.repeat(64) })).rejects.toMatchObject({
    code: 'DOWNLOAD',
    message: expect.stringMatching(
      new RegExp(`sha256 ${sha256(content)} instead of 0{64}; nothing of it was kept`),
    ) as string,
  });
  expect(await namesIn(place)).toEqual([]);
});

test('the sha256 a server publishes is checked where no other is known', async () => {
  await using server = await serveFile(content, { headers: { 'x-linked-etag': `"${'1'.repeat(64)}"` } });
  await expect(download(`${server.url}/x`, newPlace(), QUICK)).rejects.toThrow(/instead of 1{64}/);
  server.manners = { headers: { 'x-linked-etag': `"${sha256(content)}"` } };
  expect((await download(`${server.url}/x`, newPlace(), QUICK)).sha256).toBe(sha256(content));
});

test('a file that is exchanged in the middle is begun again, never mixed', async () => {
  const other = randomBytes(content.length + 4096);
  await using server = await serveFile(content);
  const place = newPlace();
  let exchanged = false;
  const got = await download(`${server.url}/x`, place, {
    ...QUICK,
    connections: 1,
    onProgress: (received) => {
      if (exchanged || received < 9 * 2 ** 20) return;
      exchanged = true;
      server.content = other;
    },
  });
  expect(got.sha256).toBe(sha256(other));
  // One that is exchanged all the time is given up, and nothing is kept.
  server.manners = {
    answer: ({ headers }, response) => headers.range !== 'bytes=0-0' && Boolean(response.writeHead(200).end('other')),
  };
  const never = newPlace();
  const changing = download(`${server.url}/x`, never, QUICK);
  await expect(changing).rejects.toMatchObject({
    code: 'DOWNLOAD',
    message: expect.stringMatching(/changes while/) as string,
  });
  expect(await namesIn(never)).toEqual([]);
});

describe('a server that lies about the size', () => {
  test('of the file the catalogue knows is not asked for more', async () => {
    await using server = await serveFile(content);
    await expect(download(`${server.url}/x`, newPlace(), { ...QUICK, bytes: 123 })).rejects.toThrow(
      /is said to have 20971520 bytes, and the model's file has 123/,
    );
    expect(server.requests.length).toBe(1);
  });

  test('and means more than the disk has is refused before anything is written', async () => {
    await using server = await serveFile(content, {
      answer: (_, response) => {
        response.writeHead(206, { 'content-range': `bytes 0-0/${2 ** 52}`, 'content-length': 1 }).end('x');
        return true;
      },
    });
    const place = newPlace();
    await expect(download(`${server.url}/x`, place, QUICK)).rejects.toMatchObject({
      code: 'OUTPUT_WRITE',
      message: expect.stringMatching(/do not fit into .* are free; make room, or set FRAMEWRIGHT_MODELS/) as string,
    });
    expect(await namesIn(place)).toEqual([]);
  });

  test('by sending more than was asked for gets no byte too many into the file', async () => {
    await using server = await serveFile(content, {
      answer: (request, response) => {
        const from = Number(/^bytes=(\d+)/.exec(request.headers.range ?? '')?.[1]);
        response.writeHead(206, { 'content-range': `bytes ${from}-${from}/${content.length}`, etag: '"e"' });
        response.end(content.subarray(from));
        return true;
      },
    });
    const got = await download(`${server.url}/x`, newPlace(), { ...QUICK, connections: 1 });
    expect(got).toMatchObject({ bytes: content.length, sha256: sha256(content) });
  });

  test('by never sending all of it is given up after some tries, and what came is kept', async () => {
    await using server = await serveFile(content, { cutAfter: () => 0 });
    const place = newPlace();
    await expect(download(`${server.url}/x`, place, QUICK)).rejects.toMatchObject({
      code: 'DOWNLOAD',
      message: expect.stringMatching(/failed 8 times in a row: .*what came is kept, run it again to go on/) as string,
    });
    expect(existsSync(`${place}.part.json`)).toBe(true);
  });
});

test('a server without ranges is read from start to end, and again when it breaks off', async () => {
  let nCuts = 0;
  await using server = await serveFile(content, {
    takesRanges: false,
    cutAfter: () => (nCuts++ < 3 ? 1_000_000 : undefined),
  });
  const got = await download(`${server.url}/x`, newPlace(), QUICK);
  expect(got.sha256).toBe(sha256(content));
});

describe.each([
  [401, /wants a token; set FRAMEWRIGHT_MODEL_TOKEN/],
  [403, /wants a token/],
  [404, /there is no such file; correct the address, or the mirror in FRAMEWRIGHT_MODEL_BASE_URL/],
])('an answer of %i', (status, message) => {
  test('ends the pull at once, with what to do', async () => {
    await using server = await serveFile(content, {
      answer: (_, response) => Boolean(response.writeHead(status).end()),
    });
    const error = await download(`${server.url}/x`, newPlace(), QUICK).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'DOWNLOAD', message: expect.stringMatching(message) as string });
    expect(server.requests.length).toBe(1);
  });
});

test('an answer of 429 is waited out as long as the server asks, 503 a little longer each time', async () => {
  const answers = [429, 503, 429];
  await using server = await serveFile(content, {
    answer: (_, response) => {
      const status = answers.shift();
      if (status !== undefined) response.writeHead(status, status === 429 ? { 'retry-after': '0' } : {}).end();
      return status !== undefined;
    },
  });
  expect((await download(`${server.url}/x`, newPlace(), QUICK)).sha256).toBe(sha256(content));
  server.manners = { answer: (_, response) => Boolean(response.writeHead(429, { 'retry-after': '0' }).end()) };
  await expect(download(`${server.url}/x`, newPlace(), QUICK)).rejects.toThrow(
    /8 times in a row: the server answered 429/,
  );
});

test('an answer of 416 in the middle means another file, and it is begun again', async () => {
  let nRefused = 0;
  await using server = await serveFile(content, {
    answer: (request, response) => {
      if (request.headers.range === 'bytes=0-0' || nRefused > 0) return false;
      nRefused++;
      response.writeHead(416, { 'content-range': 'bytes */5' }).end();
      return true;
    },
  });
  expect((await download(`${server.url}/x`, newPlace(), QUICK)).sha256).toBe(sha256(content));
  expect(nRefused).toBe(1);
});

test('a token goes to the address’s own host and not where it redirects to', async () => {
  await using storage = await serveFile(content);
  await using server = await serveFile(content, {
    answer: (_, response) =>
      Boolean(response.writeHead(302, { location: storage.url.replace('127.0.0.1', 'localhost') }).end()),
  });
  await download(`${server.url}/x`, newPlace(), { ...QUICK, token: 'secret' });
  expect(server.requests[0]!.headers.authorization).toBe('Bearer secret');
  expect(storage.requests.some(({ headers }) => headers.authorization !== undefined)).toBe(false);
});

describe('two pulls at once', () => {
  test('fetch the file once, and both have it', async () => {
    await using server = await serveFile(content);
    const place = newPlace();
    const waits: string[] = [];
    const pull = () => download(`${server.url}/x`, place, { ...QUICK, onWait: (held) => waits.push(held) });
    const results = await Promise.all([pull(), pull()]);
    expect(results.map(({ isNew }) => isNew).sort()).toEqual([false, true]);
    expect(results.map((result) => result.sha256)).toEqual([sha256(content), sha256(content)]);
    expect(waits).toEqual([expect.stringContaining(`another run is at work on ${place} (process ${process.pid} on `)]);
    expect(server.requests.filter(({ headers }) => headers.range === 'bytes=0-8388607').length).toBe(1);
  });

  test('the lock of one that died is taken over', async () => {
    await using server = await serveFile(content);
    const place = newPlace();
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    await mkdir(path.dirname(place), { recursive: true });
    await writeFile(`${place}.lock`, JSON.stringify({ pid: dead, host: hostname(), since: '2026-01-01T00:00:00Z' }));
    expect((await download(`${server.url}/x`, place, QUICK)).isNew).toBe(true);
    expect(existsSync(`${place}.lock`)).toBe(false);
  });

  test('one that waits stops waiting when it is told to', async () => {
    const place = newPlace();
    await mkdir(path.dirname(place), { recursive: true });
    await using _lock = await lockFile(`${place}.lock`, place);
    const stop = new AbortController();
    const waiting = download('http://127.0.0.1:1/x', place, {
      onWait: () => stop.abort(new Error('enough')),
      signal: stop.signal,
    });
    await expect(waiting).rejects.toThrow('enough');
  });
});

test('a file that is there is kept if it is the right one, and replaced if it is not', async () => {
  await using server = await serveFile(content);
  const place = newPlace();
  const options = { ...QUICK, bytes: content.length, sha256: sha256(content) };
  await download(`${server.url}/x`, place, options);
  server.requests.length = 0;
  expect((await download(`${server.url}/x`, place, options)).isNew).toBe(false);
  expect(server.requests).toEqual([]);
  await truncate(place, 1000);
  expect((await download(`${server.url}/x`, place, options)).isNew).toBe(true);
  expect((await stat(place)).size).toBe(content.length);
});

describe('a proxy', () => {
  test('is the one the environment names, but for hosts it exempts', () => {
    const env = { https_proxy: 'http://p:1', HTTP_PROXY: 'q:2', no_proxy: 'localhost, .internal.example' };
    expect(proxyFor(new URL('https://huggingface.co/x'), env)?.href).toBe('http://p:1/');
    expect(proxyFor(new URL('http://huggingface.co/x'), env)?.href).toBe('http://q:2/');
    expect(proxyFor(new URL('https://a.internal.example'), env)).toBeUndefined();
    expect(proxyFor(new URL('https://notinternal.example'), env)).toBeDefined();
    expect(proxyFor(new URL('https://x.org'), { all_proxy: 'z:3', no_proxy: '*' })).toBeUndefined();
    expect(proxyFor(new URL('https://x.org'), {})).toBeUndefined();
  });

  test('carries http requests whole, and opens a tunnel for https', async () => {
    await using server = await serveFile(content, {});
    vi.stubEnv('http_proxy', server.url.replace('http://', 'http://user:pass@'));
    vi.stubEnv('no_proxy', '');
    const got = await download('http://models.example/a/model.gguf', newPlace(), QUICK);
    expect(got.sha256).toBe(sha256(content));
    expect(server.requests[0]!.path).toBe('http://models.example/a/model.gguf');
    expect(server.requests[0]!.headers['proxy-authorization']).toBe(`Basic ${btoa('user:pass')}`);

    const connects: string[] = [];
    const proxy = createServer().on('connect', ({ url = '' }, socket) => {
      connects.push(url);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    vi.stubEnv('https_proxy', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    await expect(download('https://models.example/a/model.gguf', newPlace(), QUICK)).rejects.toThrow(
      /the proxy 127\.0\.0\.1:\d+ answered 403 for models\.example:443/,
    );
    expect(new Set(connects)).toEqual(new Set(['models.example:443']));
    proxy.close();
  });

  test('that speaks no HTTP is refused at once, and one that never answers is given up', async () => {
    vi.stubEnv('all_proxy', 'socks5://127.0.0.1:1080');
    await expect(download('http://models.example/x', newPlace(), QUICK)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/socks5:\/\/127\.0\.0\.1:1080.*http:\/\//) as string,
    });
    const silent = createServer().on('connect', () => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    vi.stubEnv('all_proxy', `http://127.0.0.1:${(silent.address() as AddressInfo).port}`);
    const impatient = { ...QUICK, idleMs: 20 };
    await expect(download('https://models.example/x', newPlace(), impatient)).rejects.toThrow(
      /no answer from the proxy 127\.0\.0\.1:\d+ for 0\.02 s/,
    );
    silent.closeAllConnections();
    silent.close();
  });
});

test('ranges merge, and what is missing is cut into pieces', () => {
  expect(
    mergeRanges([
      [5, 9],
      [0, 2],
      [2, 4],
      [8, 12],
      [3, 3],
    ]),
  ).toEqual([
    [0, 4],
    [5, 12],
  ]);
  expect(
    missingPieces(
      [
        [5, 9],
        [0, 2],
      ],
      20,
      4,
    ),
  ).toEqual([
    [2, 5],
    [9, 13],
    [13, 17],
    [17, 20],
  ]);
  expect(missingPieces([[0, 20]], 20, 4)).toEqual([]);
});

describe('a server that', () => {
  const chunked = (send: (response: ServerResponse) => void): Manners => ({
    answer: (request, response) => {
      const isProbe = request.headers.range === 'bytes=0-0';
      response.writeHead(200, {});
      if (isProbe) response.end('x');
      else send(response);
      return true;
    },
  });
  const endless = (response: ServerResponse): void => {
    const more = (): void => {
      if (response.destroyed) return;
      response.write(Buffer.alloc(1 << 20), () => setImmediate(more));
    };
    more();
  };

  test('says no length and sends more than the file has is cut off there', async () => {
    await using server = await serveFile(content, chunked(endless));
    const place = newPlace();
    const work = download(`${server.url}/x`, place, { ...QUICK, bytes: 3_000_000 });
    await expect(work).rejects.toMatchObject({
      code: 'DOWNLOAD',
      message: expect.stringMatching(/sends more than the 3000000 bytes/) as string,
    });
    expect((await stat(`${place}.part`)).size).toBeLessThanOrEqual(3_000_000);
  });

  test('says no length of a file that cannot fit is not asked for it', async () => {
    await using server = await serveFile(content, chunked(endless));
    const work = download(`${server.url}/x`, newPlace(), { ...QUICK, bytes: 2 ** 52 });
    await expect(work).rejects.toMatchObject({
      code: 'OUTPUT_WRITE',
      message: expect.stringMatching(/do not fit/) as string,
    });
  });

  test.each([true, false])('trickles is given up (with ranges: %s)', async (takesRanges) => {
    const timers: NodeJS.Timeout[] = [];
    const trickle = (response: ServerResponse): void => void timers.push(setInterval(() => response.write('x'), 50));
    const manners: Manners = {
      answer: (request, response) => {
        if (request.headers.range === 'bytes=0-0') return false;
        const [, from = '0', to = '0'] = /(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
        const range = { 'content-range': `bytes ${from}-${to}/${content.length}`, 'content-length': +to - +from + 1 };
        response.writeHead(takesRanges ? 206 : 200, takesRanges ? range : {});
        trickle(response);
        return true;
      },
      takesRanges,
    };
    await using server = await serveFile(content, manners);
    const work = download(`${server.url}/x`, newPlace(), { ...QUICK, paceMs: 400 });
    await expect(work).rejects.toMatchObject({
      code: 'DOWNLOAD',
      message: expect.stringMatching(/less than 512 bytes a second/) as string,
    });
    for (const timer of timers) clearInterval(timer);
  });

  test('drops each connection after a few bytes is given up', async () => {
    await using server = await serveFile(content, { cutAfter: () => 100 });
    const work = download(`${server.url}/x`, newPlace(), { ...QUICK, connections: 1 });
    await expect(work).rejects.toMatchObject({
      code: 'DOWNLOAD',
      message: expect.stringMatching(/failed 8 times in a row/) as string,
    });
  });
});

declareWhere(canMount, 'a disk that fills up during a download', 'the right to mount one', () => {
  test('a disk that fills up ends the download at once, and says so', async () => {
    const disk = path.join(folder, 'disk');
    await mkdir(disk);
    // Room for what the server says it has; the disk fills up from elsewhere.
    mountSmallDisk(disk, '90m');
    try {
      let nAnswers = 0;
      await using server = await serveFile(content, {
        answer: () => {
          if (nAnswers++ === 1) mountSmallDisk(disk, '4m', { again: true });
          return false;
        },
      });
      const work = download(`${server.url}/x`, path.join(disk, 'm.gguf'), { ...QUICK, connections: 1 });
      await expect(work).rejects.toMatchObject({
        code: 'OUTPUT_WRITE',
        message: expect.stringMatching(/disk or quota is full/) as string,
      });
      expect(server.requests.length).toBe(2);
    } finally {
      unmount(disk);
    }
  });
});
