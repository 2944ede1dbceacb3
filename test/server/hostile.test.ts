import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { examplePhoto } from '../support/photos.js';
import { DOGS, metric, pngHeader, rawBytes, requestBytes, until, useServer, type Attack } from './serving.js';

const folder = mkdtempSync(path.join(tmpdir(), 'framewright-hostile-'));
const root = path.join(folder, 'root');
const SECRET = 'what nobody asked to be read';
mkdirSync(root);
copyFileSync(examplePhoto('pagoda'), path.join(root, 'pagoda.jpg'));
writeFileSync(path.join(folder, 'secret.txt'), SECRET);
afterAll(() => rmSync(folder, { recursive: true }));

const TOKEN = 'a-token-of-ones-own-0123456789';
const serving = useServer({
  root,
  token: TOKEN,
  maxBytes: 300_000,
  uploadPauseMs: 1000,
  headTimeoutMs: 1000,
  queue: 1000,
});

const AUTHORISED = `Host: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n`;

function post(target: string, body: string | Uint8Array, headers = AUTHORISED): (string | Uint8Array)[] {
  return requestBytes('POST', target, headers, body);
}

function traversals(): Attack[] {
  const ups = [
    '../',
    '..%2f',
    '%2e%2e/',
    '%2e%2e%2f',
    '..%5c',
    '%252e%252e%252f',
    '....//',
    '..%c0%af',
    '..;/',
    './../',
  ];
  const ends = ['secret.txt', 'etc/passwd', 'secret.txt%00.jpg', 'root/../secret.txt'];
  return ups.flatMap((up) =>
    ends.flatMap((end) => [
      { name: `?path=${up}${end}`, parts: post(`/v1/crop?path=${up.repeat(3)}${end}`, '') },
      { name: `GET ${up}${end}`, parts: [`GET /${up.repeat(3)}${end} HTTP/1.1\r\n${AUTHORISED}\r\n`] },
    ]),
  );
}

function absolutes(): Attack[] {
  const names = [
    '/etc/passwd',
    'file:///etc/passwd',
    'C:\\Windows\\win.ini',
    '\\\\evil\\share',
    '/proc/self/environ',
    '/dev/zero',
  ];
  const urls = [
    'http://169.254.169.254/latest/',
    'https://evil.example/x.jpg',
    'data:image/png;base64,AAAA',
    '//evil.example/x',
  ];
  return [...names, ...urls, path.join(folder, 'secret.txt'), '.', '..', '~', '-', '-rf', 'con', 'nul\0'].map(
    (name) => ({
      name: `path ${name}`,
      parts: post(`/v1/crop?path=${encodeURIComponent(name)}`, ''),
    }),
  );
}

function strangers(): Attack[] {
  const hosts = [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.nip.io',
    '0',
    '2130706433',
    '0x7f.1',
    'localhost:80:80',
    ' ',
  ];
  const origins = [
    'http://evil.example',
    'null',
    'http://localhost.evil.example',
    'file://',
    'http://localhost:1',
    'chrome-extension://x',
  ];
  const tokens = [
    '',
    'Bearer',
    'Bearer x',
    `Bearer ${TOKEN}a`,
    `bearer${TOKEN}`,
    `Basic ${btoa(`:${TOKEN}`)}`,
    `Bearer ${TOKEN} x`,
  ];
  const targets = ['/v1/crop', '/v1/rank', '/v1/analyse', '/metrics'];
  return targets.flatMap((target) => [
    ...hosts.map((host) => ({
      name: `host ${host} ${target}`,
      parts: post(target, DOGS, `Host: ${host}\r\nAuthorization: Bearer ${TOKEN}\r\n`),
    })),
    ...origins.map((origin) => ({
      name: `origin ${origin} ${target}`,
      parts: post(target, DOGS, `${AUTHORISED}Origin: ${origin}\r\n`),
    })),
    ...tokens.map((token) => ({
      name: `token ${token} ${target}`,
      parts: post(target, DOGS, `Host: localhost\r\nAuthorization: ${token}\r\n`),
    })),
    {
      name: `cookie ${target}`,
      parts: post(target, DOGS, 'Host: localhost\r\nCookie: framewright-80=x; framewright-3210=\r\n'),
    },
  ]);
}

function brokenForms(): Attack[] {
  const type = 'Content-Type: multipart/form-data; boundary=b\r\n';
  const photo = 'Content-Disposition: form-data; name="photo"; filename="x.jpg"\r\n\r\n';
  const bodies = [
    '',
    '--b',
    '--b--',
    '--b\r\n',
    `--b\r\n${photo}`,
    `--b\r\n${photo}abc`,
    `--b\r\n${photo}abc\r\n--b`,
    `--b\r\n${photo}abc\r\n--c--`,
    `--b\r\n${photo}abc\r\n--b\r\n${photo}abc\r\n--b--`,
    `--b\r\nContent-Disposition: form-data; name="__proto__"\r\n\r\n{}\r\n--b--`,
    `--b\r\nContent-Disposition: form-data; name="constructor"; filename="x"\r\n\r\nx\r\n--b--`,
    `--b\r\nContent-Disposition: form-data; name="options"\r\n\r\n{"__proto__":{"path":"../secret.txt"}}\r\n--b--`,
    `--b\r\nContent-Disposition: form-data; name="options"\r\n\r\n{"path":"../secret.txt"}\r\n--b--`,
    `--b\r\nContent-Disposition: form-data; name="options"\r\n\r\n[[[[\r\n--b--`,
    `--b\r\nContent-Disposition: form-data; name="options"\r\n\r\n${'['.repeat(60_000)}\r\n--b--`,
    `--b\r\nContent-Disposition: form-data; name="options"\r\n\r\n${'x'.repeat(100_000)}\r\n--b--`,
    `--b\r\nContent-Disposition: form-data; name="other"\r\n\r\nx\r\n--b--`,
    `--b\r\nContent-Disposition: form-data; name="other"; filename="x"\r\n\r\nx\r\n--b--`,
    `--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--`,
    `--b\r\n${'X-Many: 1\r\n'.repeat(2000)}\r\nx\r\n--b--`,
    `--b\r\nX-Long: ${'y'.repeat(100_000)}\r\n\r\nx\r\n--b--`,
    `${'--b\r\n\r\n'.repeat(10_000)}--b--`,
  ];
  const types = [
    'Content-Type: multipart/form-data\r\n',
    'Content-Type: multipart/form-data; boundary=\r\n',
    `Content-Type: multipart/form-data; boundary=${'b'.repeat(5000)}\r\n`,
    'Content-Type: multipart/form-data; boundary="\r\n',
    'Content-Type: ;;;\r\n',
    'Content-Type: application/json\r\n',
  ];
  return [
    ...bodies.map((body, i) => ({ name: `form ${i}`, parts: post('/v1/crop', body, AUTHORISED + type) })),
    ...types.map((each) => ({
      name: each.trim().slice(0, 60),
      parts: post('/v1/crop', bodies[6]!, AUTHORISED + each),
    })),
  ];
}

function noPhotos(): Attack[] {
  const jpeg = DOGS;
  const damaged = Array.from({ length: 24 }, (_, i) => {
    const bytes = Buffer.from(jpeg);
    for (let at = 200 + i; at < bytes.length; at += 997 + i * 31) bytes[at] = (bytes[at]! * 7 + i) & 255;
    return bytes;
  });
  const cut = [1, 2, 3, 20, 500, 5000, 50_000].map((n) => jpeg.subarray(0, n));
  const sizes = [
    [50_000, 50_000],
    [2 ** 31 - 1, 2 ** 31 - 1],
    [0, 0],
    [1, 2 ** 31 - 1],
    [65_536, 65_536],
  ] as const;
  const pngs = sizes.map(([width, height]) => pngHeader(width, height));
  const texts = [
    '<svg xmlns="http://www.w3.org/2000/svg"/>',
    '<script>alert(1)</script>',
    '{}',
    '%PDF-1.7',
    'GIF89a',
    'BM',
    '\0'.repeat(1000),
  ];
  return [...damaged, ...cut, ...pngs, ...texts.map((text) => Buffer.from(text))].map((body, i) => ({
    name: `no photo ${i}`,
    // Damage that a format does not show is cropped: that is no refusal.
    parts: post('/v1/crop?candidates=1&aspect=wide', body),
  }));
}

function noHttp(): Attack[] {
  return [
    'GET',
    'GET / HTTP/9.9\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    'GET / HTTP/1.0\r\n\r\n',
    'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    `GET / HTTP/1.1\r\n${AUTHORISED}X: ${'y'.repeat(100_000)}\r\n\r\n`,
    `GET /${'a'.repeat(100_000)} HTTP/1.1\r\n${AUTHORISED}\r\n`,
    `GET /%zz HTTP/1.1\r\n${AUTHORISED}\r\n`,
    `GET /%00 HTTP/1.1\r\n${AUTHORISED}\r\n`,
    `GET http://evil.example/metrics HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`,
    `POST /v1/crop HTTP/1.1\r\n${AUTHORISED}Content-Length: -1\r\n\r\n`,
    `POST /v1/crop HTTP/1.1\r\n${AUTHORISED}Content-Length: 99999999999999999999\r\n\r\n`,
    `POST /v1/crop HTTP/1.1\r\n${AUTHORISED}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
    `POST /v1/crop HTTP/1.1\r\n${AUTHORISED}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `POST /v1/crop HTTP/1.1\r\n${AUTHORISED}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    `POST /v1/crop HTTP/1.1\r\n${AUTHORISED}Transfer-Encoding: gzip\r\n\r\nhello`,
    `GET / HTTP/1.1\nHost: localhost\nX\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nX: y\r\n\r\n\r\n`,
    `TRACE / HTTP/1.1\r\n${AUTHORISED}\r\n`,
    `DELETE /v1/crop HTTP/1.1\r\n${AUTHORISED}\r\n`,
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    '\0'.repeat(5000),
    '\r\n'.repeat(5000),
  ].map((text) => ({ name: `no HTTP ${JSON.stringify(text.slice(0, 40))}`, parts: [Buffer.from(text, 'latin1')] }));
}

function slow(): Attack[] {
  const heads = ['', 'G', 'GET / HTTP/1.1\r\nHost: local', `GET / HTTP/1.1\r\n${AUTHORISED}X-Slow: `];
  const bodies = [0, 1, 1000].map((n) =>
    Buffer.concat([
      Buffer.from(`POST /v1/crop HTTP/1.1\r\n${AUTHORISED}Content-Length: ${DOGS.length}\r\n\r\n`),
      DOGS.subarray(0, n),
    ]),
  );
  return Array.from({ length: 8 }, (_, i) => i).flatMap((i) =>
    [...heads.map((head) => Buffer.from(head)), ...bodies].map((bytes, j) => ({
      name: `slow ${i}.${j}`,
      parts: [bytes],
    })),
  );
}

function options(): Attack[] {
  const queries = [
    'aspect=0:0',
    'aspect=1e9:1',
    `aspect=${'9'.repeat(5000)}`,
    'aspect[]=1:1',
    'aspect[$gt]=1',
    'size=0x0',
    'size=999999x999999',
    'candidates=-1',
    'candidates=1e308',
    'candidates=NaN',
    'candidates=1.5',
    'votes=0',
    'keep=-1,-1,-1,-1',
    'keep=0,0,0,0',
    'keep=99999999999999999999,0,1,1',
    'focus=NaN,NaN',
    'focus=1e999,1',
    'minSize=2',
    'minConfidence=-1',
    'fallback=__proto__',
    'seed=-1',
    'temperature=99',
    'format=svg',
    'quality=0',
    'strip=2',
    '__proto__=1',
    'constructor=1',
    'toString=1',
    'path=',
    '=',
    '&&&',
    `${'aspect=1:1&'.repeat(40)}x`,
    'rectangles=1,1,1,1',
    'instruct=%00',
    'onProgress=1',
    'signal=1',
  ];
  return queries.map((query) => ({ name: query.slice(0, 40), parts: post(`/v1/crop?${query}&minSize=x`, DOGS) }));
}

const attacks = [
  ...traversals(),
  ...absolutes(),
  ...strangers(),
  ...brokenForms(),
  ...noPhotos(),
  ...noHttp(),
  ...slow(),
  ...options(),
];

test(
  'hundreds of hostile requests at once are refused or ended, read nothing, change nothing, and the server answers on',
  { timeout: 240_000 },
  async () => {
    expect(attacks.length).toBeGreaterThan(350);
    const { server, ask } = serving();
    const crop = async (): Promise<object> => {
      const { crops } = (await (await ask('/v1/crop?candidates=2', { body: DOGS })).json()) as {
        crops: { crop: object }[];
      };
      return crops[0]!.crop;
    };
    const before = { crop: await crop(), files: state(folder) };
    const answers = await Promise.all(
      attacks.map(async ({ name, parts }) => ({ name, text: await rawBytes(server.url, parts) })),
    );
    expect(answers.flatMap(faultsOf)).toEqual([]);
    await until(async () => (await metric(serving(), 'waiting')) + (await metric(serving(), 'working')) === 0);
    expect({ crop: await crop(), files: state(folder) }).toEqual(before);
  },
);

/** What is wrong with an answer; 0 is a connection that was ended without a word. */
function faultsOf({ name, text }: { readonly name: string; readonly text: string }): string[] {
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0);
  const faults = [
    ...(status === 0 || (status >= 400 && status < 500) ? [] : [`status ${status}`]),
    ...(text.includes(SECRET) || text.includes('root:x:0') ? ['what nobody asked for'] : []),
    ...(/content-type: text\/html/i.test(text) ? ['HTML'] : []),
    ...(text.replaceAll(/"detail":".*"/g, '').includes(folder) ? ['a folder of the server'] : []),
  ];
  return faults.map((fault) => `${name}: ${fault}`);
}

/** All that lies in a folder, with its times. */
function state(from: string): unknown {
  return readdirSync(from, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const file = path.join(from, name);
      const { mtimeMs, size, mode } = statSync(file);
      return { name, mtimeMs, size, mode, content: statSync(file).isFile() ? readFileSync(file).length : 0 };
    });
}
