import { describe, expect, test } from 'vitest';
import { openCropper, startServer, type ServerOptions } from '../../src/index.js';
import { isLoopback, isOurName, nameOfHost } from '../../src/server/access/hosts.js';
import { useServer, rawRequest } from './serving.js';

const TOKEN = 'a-token-of-ones-own-0123456789';

describe('a server with a token', () => {
  const serving = useServer({ token: TOKEN, allowedHosts: ['photos.example'] });
  const get = (path: string, headers: Record<string, string>) => rawRequest(serving().server.url, path, { headers });

  test('answers nobody without it but who asks for its health', async () => {
    for (const path of [
      '/',
      '/openapi.json',
      '/metrics',
      '/v1/crop',
      '/none',
      '/page.js',
      '/healthz/../metrics',
      '//healthz',
    ]) {
      const { status, headers, text } = await get(path, { host: 'localhost' });
      expect([path, status]).toEqual([path, 401]);
      expect(headers['www-authenticate']).toBe('Bearer realm="framewright"');
      expect(JSON.parse(text)).toMatchObject({ code: 'TOKEN_NEEDED' });
    }
    for (const path of ['/healthz', '/readyz', '/healthz?x'])
      expect((await get(path, { host: 'localhost' })).status).toBe(200);
    for (const authorization of ['Bearer', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, `Basic ${TOKEN}`, TOKEN]) {
      expect((await get('/metrics', { host: 'localhost', authorization })).status).toBe(401);
    }
    expect((await get('/metrics', { host: 'localhost', authorization: `Bearer ${TOKEN}` })).status).toBe(200);
  });

  test('leaves a cookie to the first link, which opens the door without it from then on', async () => {
    const { link } = serving().server;
    const { host, pathname, search } = new URL(link);
    const first = await get(pathname + search, { host });
    expect([first.status, first.headers.location]).toEqual([303, '/']);
    const [cookie, ...attributes] = first.headers['set-cookie']![0]!.split('; ');
    expect(attributes).toEqual(['HttpOnly', 'SameSite=Strict', 'Path=/']);
    expect(cookie).not.toContain(TOKEN);
    expect((await get('/', { host, cookie: `other=1; ${cookie!}` })).status).toBe(200);
    expect((await get('/', { host, cookie: `${cookie!}x` })).status).toBe(401);
    expect((await get('/?token=wrong-token-of-ones-own', { host })).status).toBe(401);
    // The link leads nowhere else, whatever its path is.
    const elsewhere = await get(`//evil.example/x?token=${TOKEN}`, { host });
    expect(elsewhere.headers.location).toBe('/evil.example/x');
  });

  test.each([
    ['127.0.0.1', 200],
    ['localhost:99', 200],
    ['[::1]:3210', 200],
    ['PHOTOS.example', 200],
    ['evil.example', 403],
    ['localhost.evil.example', 403],
    ['127.0.0.1.evil.example:3210', 403],
    ['10.0.0.1', 403],
    ['localhost@evil.example', 403],
  ])('asked for by the name %s answers %i', async (host, status) => {
    const answer = await get('/healthz', { host });
    expect(answer.status).toBe(status);
    if (status !== 200) expect(JSON.parse(answer.text)).toMatchObject({ code: 'HOST_REFUSED' });
  });

  test.each([
    [{ origin: 'http://localhost:3210' }, 200],
    [{ origin: 'http://localhost:3211' }, 403],
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ 'sec-fetch-site': 'same-origin' }, 200],
    [{ 'sec-fetch-site': 'none' }, 200],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 200],
  ])('asked by a page with %j answers %i', async (headers, status) => {
    const answer = await get('/metrics', { host: 'localhost:3210', authorization: `Bearer ${TOKEN}`, ...headers });
    expect(answer.status).toBe(status);
    if (status !== 200) expect(JSON.parse(answer.text)).toMatchObject({ code: 'ORIGIN_REFUSED' });
  });
});

test('without a token every program of this machine may ask, and no page of another site', async () => {
  await using cropper = await openCropper({ engine: 'centre' });
  const server = await startServer({ cropper, port: 0, token: false });
  try {
    expect(server.link).toBe(`${server.url}/`);
    const { host } = new URL(server.url);
    expect((await rawRequest(server.url, '/metrics', { headers: { host } })).status).toBe(200);
    for (const headers of [{ host: 'evil.example' }, { host, origin: 'http://evil.example' }]) {
      expect((await rawRequest(server.url, '/v1/crop', { method: 'POST', headers })).status).toBe(403);
    }
  } finally {
    await server.close();
  }
});

test.each([
  [{ host: '0.0.0.0', token: false as const }, /0\.0\.0\.0 is reached from other machines/],
  [{ token: 'short' }, /at least 16 characters/],
  [{ token: 'sixteen characters, and blanks' }, /at least 16 characters/],
  [{ port: 65_536 }, /Expected port/],
  [{ queue: -1 }, /Expected queue/],
  [{ allowedHosts: ['http://a.example'] }, /is no host name/],
  [{ root: '/nowhere/at/all' }, /is no folder/],
  [{ prt: 1 }, /did you mean port\?/],
])('%j is refused', async (options, message) => {
  await using cropper = await openCropper({ engine: 'centre' });
  await expect(startServer({ cropper, ...options })).rejects.toThrow(message);
});

test('a server without a cropper is refused', async () => {
  await expect(startServer({} as ServerOptions)).rejects.toThrow(/needs a cropper/);
});

test('what listens on every network goes by its addresses, and by no name that others can point to it', () => {
  expect(['localhost', '127.0.0.1', '127.9.9.9', '::1'].map(isLoopback)).toEqual([true, true, true, true]);
  expect(['0.0.0.0', '::', '10.0.0.1', 'localhost.evil', '127.evil.example'].map(isLoopback)).not.toContain(true);
  const named = (name: string): boolean => isOurName(name, '0.0.0.0', ['proxy.example']);
  expect(['192.168.1.9', 'localhost', 'fe80::1', 'proxy.example', '0.0.0.0'].map(named)).not.toContain(false);
  expect(['evil.example', '192.168.1.9.evil.example', '1234'].map(named)).toEqual([false, false, false]);
  expect(isOurName('192.168.1.9', '127.0.0.1', [])).toBe(false);
  expect(['A.b:80', '[::1]:8', '1.2.3.4', 'a b', 'a/b', '[::1', 'a:b', 'a:1:2', undefined].map(nameOfHost)).toEqual([
    'a.b',
    '::1',
    '1.2.3.4',
    ...Array.from({ length: 6 }, () => undefined),
  ]);
});
