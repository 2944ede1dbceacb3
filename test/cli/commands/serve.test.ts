import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import sharp from 'sharp';
import { afterEach, describe, expect, test } from 'vitest';
import type { CropResult } from '../../../src/index.js';
import { CONFIG_NAME } from '../../../src/cli/config/config.js';
import { ask, DOGS, eventsOf, metric } from '../../server/serving.js';
import { projectFile } from '../../support/photos.js';
import { usePhotoFolder } from '../crop/photo-folder.js';
import { framewright } from '../run.js';

const { at } = usePhotoFolder();

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Served {
  readonly child: ChildProcess;
  readonly server: { readonly url: string; readonly token: string | undefined };
  readonly stderr: () => string;
  readonly ended: Promise<unknown[]>;
}

/** The command as a user starts it, once it has printed its link. */
async function serve(...args: readonly string[]): Promise<Served> {
  const main = projectFile('dist', 'src', 'cli', 'main.js');
  const child = spawn(process.execPath, [main, 'serve', '--port', '0', '--gpu', 'cpu', '--threads', '1', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const ended = once(child, 'exit');
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const printed = once(child.stdout.setEncoding('utf8'), 'data') as Promise<[string]>;
  const first = await Promise.race([printed, ended.then(() => undefined)]);
  if (!first) throw new Error(`the server ended: ${stderr}`);
  const { origin, searchParams } = new URL(first[0].trim());
  return { child, ended, stderr: () => stderr, server: { url: origin, token: searchParams.get('token') ?? undefined } };
}

test('on SIGTERM it finishes what it works on, takes no more, and ends well', async () => {
  const { child, server, ended, stderr } = await serve();
  const headers = { accept: 'text/event-stream' };
  const response = await ask(server, '/v1/crop?candidates=20&votes=4', { body: DOGS, headers });
  const events: string[] = [];
  for await (const { event, data } of eventsOf(response)) {
    events.push(event);
    if (data.stage !== 'analyse') continue;
    child.kill('SIGTERM');
    while (!stderr().includes('stopping')) await new Promise((resolve) => setTimeout(resolve, 10));
    await expect(ask(server, '/healthz', { headers: { connection: 'close' } })).rejects.toThrow();
  }
  expect(events.at(-1)).toBe('crops');
  expect(await ended).toEqual([0, null]);
});

test('200 photos of 3 MB at once are all cropped, alike, and memory stays bounded', { timeout: 240_000 }, async () => {
  const { server } = await serve('--engine', 'centre', '--queue', '200', '--max-bytes', '6MB', '--timeout', '600');
  const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
  const photo = await sharp({ create: { width: 1400, height: 1100, channels: 3, background: 'grey', noise } })
    .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
    .toBuffer();
  expect(photo.length).toBeGreaterThan(2_500_000);
  const asked = { ask: (path: string) => ask(server, path) };
  const crop = async (): Promise<unknown> => {
    const response = await ask(server, '/v1/crop?aspect=4:5', { body: photo });
    const { crops } = (await response.json()) as { crops: CropResult[] };
    return { status: response.status, crop: crops[0]!.crop };
  };
  const first = await crop();
  const before = await metric(asked, 'resident_bytes');
  let most = before;
  const watching = setInterval(() => {
    metric(asked, 'resident_bytes').then(
      (bytes) => (most = Math.max(most, bytes)),
      () => undefined,
    );
  }, 200);
  const crops = await Promise.all(Array.from({ length: 200 }, crop));
  clearInterval(watching);
  expect(new Set(crops.map((each) => JSON.stringify(each)))).toEqual(new Set([JSON.stringify(first)]));
  // The uploads alone would be 600 MB and more.
  expect(most - before).toBeLessThan(350_000_000);
});

describe('who may ask', () => {
  test('is who has the token of the file', async () => {
    const token = 'a-token-of-ones-own-0123456789';
    writeFileSync(at('token.txt'), `${token}\n`);
    const { server } = await serve('--engine', 'centre', '--token-file', at('token.txt'));
    expect(server.token).toBe(token);
    expect((await ask(server, '/metrics')).status).toBe(200);
    expect((await ask({ ...server, token: undefined }, '/metrics')).status).toBe(401);
  });

  test('is everybody of this machine with --no-token', async () => {
    const { server } = await serve('--engine', 'centre', '--no-token');
    expect(server.token).toBeUndefined();
    expect((await ask(server, '/v1/crop', { body: DOGS })).status).toBe(200);
  });

  test.each([
    [['--no-token', '--host', '0.0.0.0'], 2, /reached from other machines/],
    [['--no-token', '--token-file', 'x'], 2, /not both/],
    [['--token-file', 'none.txt'], 1, /the token file none.txt does not exist/],
    [['--root', 'no-such-folder'], 2, /no-such-folder is no folder/],
    [['--allow-host', 'a b'], 2, /is no host name/],
    [['--max-bytes', '6'], 2, /size with its unit/],
  ])('%j is refused', async (args, code, says) => {
    const refused = await framewright(['serve', '--engine', 'centre', '--port', '0', ...args]);
    expect(refused.stderr).toMatch(says);
    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code, stdout: '' });
  });

  test('a port that is taken is told with what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const refused = await framewright(['serve', '--engine', 'centre', '--port', String(port)]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(`cannot listen on 127.0.0.1, port ${port}`);
    other.close();
  });

  test.each([
    { host: '0.0.0.0' },
    { token: false },
    { root: '.' },
    { 'allow-host': ['evil.example'] },
    { 'token-file': 'x' },
  ])('is not for a config file to say that was only found: %j', async (config) => {
    writeFileSync(at('in', CONFIG_NAME), JSON.stringify({ serve: { engine: 'centre', ...config } }));
    const refused = await framewright(['serve', '--port', '0'], { cwd: at('in') });
    expect(refused.stderr).toContain('is not taken from a config file that was only found');
    expect(refused.code).toBe(2);
  });
});
