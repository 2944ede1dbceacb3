import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { sha256Of } from '../../src/batch/journal/content-hash.js';
import { DOGS, pngHeader, rawBytes, requestBytes, type Attack } from '../server/serving.js';
import { cropAll, NAMES, photoCalled, useStudio } from './opened.js';

const TOKEN = 'a-token-of-ones-own-0123456789';
const SECRET = 'what nobody asked to be read';
const studio = useStudio({
  token: TOKEN,
  maxBytes: 200_000,
  headTimeoutMs: 1000,
  timeoutMs: 20_000,
  maxPixels: 100_000_000,
});

const AUTHORISED = `Host: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n`;

function request(method: string, target: string, body: string | Uint8Array = '', headers = AUTHORISED): Attack {
  return { name: `${method} ${target.slice(0, 60)}`, parts: requestBytes(method, target, headers, body) };
}

let id: string;
/** Of a link among the photos that leads to what is none. */
let linkId: string;
beforeAll(async () => {
  writeFileSync(studio().at('secret.txt'), SECRET);
  mkdirSync(studio().at('elsewhere'));
  symlinkSync('/etc/passwd', studio().at('passwd.jpg'));
  await studio().json('POST', 'look');
  await cropAll(studio(), NAMES, ['4:5']);
  ({ id } = await photoCalled(studio(), 'dogs.jpg'));
  ({ id: linkId } = await photoCalled(studio(), 'passwd.jpg'));
});

/** What the studio can be asked, with what it would do. */
function endpoints(): { method: string; target: string; body: string | Uint8Array }[] {
  const json = (value: unknown): string => JSON.stringify(value);
  const api = '/studio/api';
  return [
    { method: 'GET', target: `${api}/library`, body: '' },
    { method: 'GET', target: `${api}/events`, body: '' },
    { method: 'GET', target: `${api}/choices.jsonl`, body: '' },
    { method: 'GET', target: `${api}/photos/${id}`, body: '' },
    { method: 'GET', target: `${api}/photos/${id}/picture?side=320`, body: '' },
    { method: 'GET', target: `${api}/photos/${id}/crop?target=4:5`, body: '' },
    { method: 'POST', target: `${api}/look`, body: '' },
    { method: 'POST', target: `${api}/photos?name=x.jpg`, body: DOGS.subarray(0, 150_000) },
    { method: 'POST', target: `${api}/runs`, body: json({ photos: [id], targets: ['1:1'] }) },
    { method: 'DELETE', target: `${api}/runs`, body: '' },
    { method: 'POST', target: `${api}/photos/${id}/crops`, body: json({ target: '1:1', box: [0, 0, 9, 9] }) },
    { method: 'POST', target: `${api}/undo`, body: '' },
    { method: 'POST', target: `${api}/redo`, body: '' },
    { method: 'POST', target: `${api}/save`, body: json({ photos: [id] }) },
    { method: 'POST', target: '/v1/crop', body: DOGS.subarray(0, 1000) },
  ];
}

/** Everything there is, from where nobody may ask, or without the word. */
function strangers(): Attack[] {
  const hosts = ['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io', '2130706433', '0x7f.1', ' '];
  const origins = ['http://evil.example', 'null', 'http://localhost.evil.example', 'file://', 'http://localhost:1'];
  const tokens = ['', 'Bearer', 'Bearer x', `Bearer ${TOKEN}a`, `Basic ${btoa(`:${TOKEN}`)}`];
  const sites = ['cross-site', 'same-site'];
  const heads = [
    ...hosts.map((host) => `Host: ${host}\r\nAuthorization: Bearer ${TOKEN}\r\n`),
    ...origins.map((origin) => `${AUTHORISED}Origin: ${origin}\r\n`),
    ...tokens.map((token) => `Host: localhost\r\nAuthorization: ${token}\r\n`),
    ...sites.map((site) => `${AUTHORISED}Sec-Fetch-Site: ${site}\r\nSec-Fetch-Mode: cors\r\n`),
    'Host: localhost\r\nCookie: framewright-80=x; framewright-3211=\r\n',
    'Host: localhost\r\n',
  ];
  return endpoints().flatMap(({ method, target, body }) => heads.map((head) => request(method, target, body, head)));
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
    '/',
    '..%255c',
    '%c0%ae%c0%ae/',
    '.%00./',
    '/..//',
  ];
  const ends = ['secret.txt', 'etc/passwd', 'secret.txt%00.jpg', 'elsewhere', '.framewright-studio.jsonl'];
  const bases = [
    (name: string) => `/studio/api/photos/${name}`,
    (name: string) => `/studio/api/photos/${name}/picture?side=320`,
    (name: string) => `/assets/${name}`,
    (name: string) => `/${name}`,
    (name: string) => `/studio/api/photos/${id}/picture?side=${name}`,
  ];
  const ofLink = request('GET', `/studio/api/photos/${linkId}/picture?side=320`);
  return bases
    .flatMap((base) => ups.flatMap((up) => ends.map((end) => request('GET', base(up.repeat(3) + end)))))
    .concat(ofLink);
}

function ids(): unknown[] {
  return [
    '../secret',
    'dogs.jpg',
    `${id}0`,
    id.toUpperCase(),
    '__proto__',
    'constructor',
    '',
    0,
    null,
    {},
    [id],
    'a'.repeat(9999),
  ];
}

function bodies(): Attack[] {
  const texts = [
    '',
    '{',
    'null',
    '[]',
    '1',
    '"x"',
    '['.repeat(100_000),
    `{"__proto__":{"photos":["${id}"]}}`,
    '\0',
    '{}',
  ];
  const wrong: object[] = [
    ...ids().map((each) => ({ photos: [each], targets: ['1:1'] })),
    { photos: [], targets: ['1:1'] },
    { photos: [id], targets: [] },
    { photos: [id], targets: ['wide'] },
    { photos: [id], targets: ['0x0'] },
    { photos: [id], targets: ['1:1'], output: '/etc' },
    { photos: [id], targets: ['1:1'], focus: [null, 0] },
    { photos: [id], targets: ['1:1'], keep: [{ x: 0, y: 0, width: -1, height: 1e99 }] },
    { photos: [id], targets: Array.from({ length: 999 }, (_, i) => `1:${i + 1}`) },
    { target: '../x', box: [0, 0, 9, 9] },
    { target: '1:1', box: [0, 0, 1e15, 9] },
    { target: '1:1', box: [-1, 0, 9, 9] },
    { target: '1:1', box: ['0', 0, 9, 9] },
    { target: '1:1', box: [0, 0, 9, 9], by: 'model' },
    { target: '1:1', box: [0, 0, 9, 9], path: '/etc/passwd' },
    { photos: [id], replace: 'yes' },
    { photos: [id], output: '/tmp', name: '../../x' },
  ];
  const targets = ['runs', 'save', `photos/${id}/crops`];
  return targets.flatMap((target) =>
    [...texts, ...wrong.map((each) => JSON.stringify(each))].map((text) =>
      request('POST', `/studio/api/${target}`, text),
    ),
  );
}

function uploads(): Attack[] {
  const pngs = [
    [50_000, 50_000],
    [2 ** 31 - 1, 2 ** 31 - 1],
    [0, 0],
  ].map(([width, height]) => pngHeader(width!, height!));
  const cut = [1, 3, 500, 5000].map((n) => DOGS.subarray(0, n));
  const texts = ['', '<svg/>', '<script>alert(1)</script>', '%PDF-1.7', 'GIF89a', '\0'.repeat(1000)].map((text) =>
    Buffer.from(text),
  );
  const large = [Buffer.alloc(200_001), Buffer.alloc(400_000)];
  const names = [
    'x.jpg',
    '../../x.jpg',
    '%00',
    '.bashrc',
    'con',
    '/etc/x.jpg',
    'x'.repeat(900),
    '<b>.jpg',
    'nul\u202egpj.',
  ];
  return names.flatMap((name) =>
    [...pngs, ...cut, ...texts, ...large].map((body) =>
      request('POST', `/studio/api/photos?name=${encodeURIComponent(name)}`, body),
    ),
  );
}

function slow(): Attack[] {
  const heads = ['', 'G', 'GET /studio/api/library HTTP/1.1\r\nHost: local', `GET / HTTP/1.1\r\n${AUTHORISED}X-Slow: `];
  return Array.from({ length: 26 }, () => heads).flatMap((each) =>
    each.map((head, i) => ({ name: `slow ${i}`, parts: [Buffer.from(head)] })),
  );
}

test(
  'a thousand hostile requests change nothing and read nothing, and the studio works on',
  { timeout: 240_000 },
  async () => {
    const attacks = [...strangers(), ...traversals(), ...bodies(), ...uploads(), ...slow()];
    expect(attacks.length).toBeGreaterThanOrEqual(1000);
    const before = { library: await studio().json('GET', 'library'), files: contents(studio().folder) };
    const answers: { name: string; text: string }[] = [];
    // As many at once as a browser's page or a careless script would have.
    const each = attacks.values();
    const worker = async (): Promise<void> => {
      for (const { name, parts } of each) answers.push({ name, text: await rawBytes(studio().server.url, parts) });
    };
    await Promise.all(Array.from({ length: 40 }, worker));
    expect(answers).toHaveLength(attacks.length);
    for (const { name, text } of answers) {
      const status = /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 'closed';
      expect([name, status]).toEqual([name, expect.stringMatching(/^(4\d\d|closed)$/)]);
      expect([name, text]).toEqual([name, expect.not.stringContaining(SECRET)]);
      expect([name, text]).toEqual([name, expect.not.stringContaining('root:')]);
    }
    expect(contents(studio().folder)).toEqual(before.files);
    expect(await studio().json('GET', 'library')).toEqual(before.library);
    await cropAll(studio(), ['dogs.jpg'], ['1:1']);
    expect((await photoCalled(studio(), 'dogs.jpg')).crops).toHaveProperty('1:1');
  },
);

/** Every file below a folder with its hash. */
function contents(folder: string): [string, string][] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .flatMap((name) => {
      const file = path.join(folder, name);
      return statSync(file).isFile() ? [[name, sha256Of(readFileSync(file))] as [string, string]] : [];
    });
}
