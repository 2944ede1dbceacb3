import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { examplePhoto, projectFile } from '../support/photos.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { describeWith } from '../support/system-tools.js';

const run = promisify(execFile);
/** They run on the model by default; the centre makes the same way through them in less time. */
const env = { ...process.env, ENGINE: 'centre' };
const example = (name: string): string => projectFile('examples', `${name}.mjs`);

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'framewright-examples-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('every example is tested here, and at most 40 lines long', () => {
  const names = readdirSync(projectFile('examples')).filter((name) => name.endsWith('.mjs'));
  const tested = readFileSync(import.meta.filename, 'utf8');
  for (const name of names) {
    expect(tested).toContain(`example('${path.basename(name, '.mjs')}')`);
    const lines = readFileSync(projectFile('examples', name), 'utf8').trimEnd().split('\n');
    expect(lines.length, name).toBeLessThanOrEqual(40);
  }
  expect(names).toHaveLength(7);
});

describe('the Express upload handler', () => {
  let server: ChildProcess;
  let url: string;
  beforeAll(async () => {
    server = spawn(process.execPath, [example('express-upload')], {
      env: { ...env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    url = await new Promise((resolve, reject) => {
      server.stdout!.setEncoding('utf8').once('data', (text: string) => resolve(text.trim()));
      server.once('exit', (code) => reject(new Error(`the server ended with ${code ?? 'a signal'}`)));
    });
  });
  afterAll(async () => {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    await ended;
  });

  const upload = (body: Uint8Array, query = '?aspect=4:5'): Promise<Response> =>
    fetch(`${url}${query}`, {
      method: 'POST',
      body: new Uint8Array(body),
      headers: { 'content-type': 'image/jpeg', connection: 'close' },
    });

  test('answers with the crop, at the ratio asked for, and its focal point', async () => {
    const response = await upload(readFileSync(examplePhoto('dogs')));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('image/webp');
    expect(response.headers.get('x-focal-point')).toMatch(/^0\.5\d* 0\.5\d*$/);
    const { width, height, format } = await sharp(await response.arrayBuffer()).metadata();
    expect({ format, ratio: (width * 5) / (height * 4) }).toEqual({ format: 'webp', ratio: 1 });
  });

  test('answers 422 and a code to what is no photo and to what cannot be asked for', async () => {
    const noPhoto = await upload(Buffer.from('hello'));
    expect([noPhoto.status, await noPhoto.json()]).toEqual([422, { code: 'INPUT_UNSUPPORTED' }]);
    const noAspect = await upload(readFileSync(examplePhoto('pagoda')), '?aspect=wide');
    expect([noAspect.status, await noAspect.json()]).toEqual([422, { code: 'USAGE' }]);
  });
});

test('the sharp helper gives the region of the upright photo', async () => {
  const sideways = path.join(root, 'sideways.jpg');
  // As stored it lies on its side: orientation 6 says "turn it clockwise".
  await sharp(examplePhoto('dogs')).rotate(-90).withMetadata({ orientation: 6 }).toFile(sideways);
  const output = path.join(root, 'thumbnail.png');
  await run(process.execPath, [example('crop-region'), sideways, output], { env });
  const { width, height } = await sharp(output).metadata();
  expect({ width, height }).toEqual({ width: 320, height: 320 });
  const code = `
    const { cropRegion } = await import(process.argv[1]);
    const { readFile } = await import('node:fs/promises');
    console.log(JSON.stringify(await cropRegion(await readFile(process.argv[2]), { aspect: '1:1' })));`;
  const { stdout } = await run(
    process.execPath,
    ['--input-type=module', '-e', code, pathToFileURL(example('crop-region')).href, sideways],
    { env },
  );
  const region = JSON.parse(stdout) as { left: number; top: number; width: number; height: number };
  const expected = await sharp(sideways, { autoOrient: true }).extract(region).resize(320, 320).raw().toBuffer();
  expect(expected.equals(await sharp(output).raw().toBuffer())).toBe(true);
});

test('the worker pool answers for every photo, also one that is none', async () => {
  const broken = path.join(root, 'broken.jpg');
  writeFileSync(broken, 'no photo');
  const photos = [examplePhoto('dogs'), broken, examplePhoto('pagoda'), examplePhoto('dandelion')];
  const { stdout } = await run(process.execPath, [example('worker-pool'), ...photos], {
    env: { ...env, WORKERS: '2' },
  });
  const answers = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { photo: string; crop?: object; error?: { code: string } });
  expect(answers.map(({ photo }) => photo).sort()).toEqual([...photos].sort());
  for (const { photo, crop, error } of answers) {
    if (photo === broken) expect(error?.code).toBe('INPUT_UNSUPPORTED');
    else expect(crop).toBeDefined();
  }
});

test('the batch crops a folder, tells how far it is, and does nothing twice', async () => {
  const [photos, crops] = [path.join(root, 'photos'), path.join(root, 'crops')];
  mkdirSync(photos);
  for (const name of ['dogs', 'pagoda'] as const) copyFileSync(examplePhoto(name), path.join(photos, `${name}.jpg`));
  writeFileSync(path.join(photos, 'broken.jpg'), 'no photo');
  const batch = () => run(process.execPath, [example('batch-folder'), photos, crops], { env });
  const first = await batch();
  expect(first.stderr).toMatch(/^.*broken\.jpg: .*\n$/);
  expect(first.stdout.split('\n')).toEqual([
    '0 of 3',
    '1 of 3',
    path.join(crops, 'dogs-4x5.jpg'),
    '2 of 3',
    path.join(crops, 'pagoda-4x5.jpg'),
    '3 of 3',
    '2 of 3 photos are cropped, 1 failed',
    '',
  ]);
  copyFileSync(examplePhoto('dandelion'), path.join(photos, 'broken.jpg'));
  const again = await batch();
  expect(again.stderr).toBe('');
  expect(again.stdout.split('\n')).toEqual([
    '2 of 3',
    path.join(crops, 'broken-4x5.jpg'),
    '3 of 3',
    '3 of 3 photos are cropped, 0 failed',
    '',
  ]);
});

test('the image route serves a photo at its size, and nothing outside its folder', async () => {
  const code = `
    const { GET } = await import(process.argv[1]);
    const answers = [];
    for (const query of process.argv.slice(2)) {
      const response = await GET(new Request('http://localhost/image?' + query));
      const body = Buffer.from(await response.arrayBuffer());
      answers.push({ status: response.status, type: response.headers.get('content-type'), body: body.toString('base64') });
    }
    console.log(JSON.stringify(answers));`;
  const queries = [
    'src=dogs.jpg&size=320x400',
    'src=none.jpg',
    'src=../../package.json',
    'src=dogs.jpg&size=big',
    'src=dogs.jpg&size=99999x99999',
    'src=ATTRIBUTION.md',
  ];
  const { stdout } = await run(
    process.execPath,
    ['--input-type=module', '-e', code, pathToFileURL(example('image-route')).href, ...queries],
    { env: { ...env, PHOTOS: projectFile('examples', 'photos') }, maxBuffer: 16 * 1024 * 1024 },
  );
  const answers = JSON.parse(stdout) as { status: number; type: string; body: string }[];
  expect(answers.map(({ status }) => status)).toEqual([200, 404, 404, 400, 400, 415]);
  const { width, height, format } = await sharp(Buffer.from(answers[0]!.body, 'base64')).metadata();
  expect({ width, height, format }).toEqual({ width: 320, height: 400, format: 'webp' });
  for (const { body } of answers.slice(1)) {
    expect(JSON.parse(Buffer.from(body, 'base64').toString())).toEqual({ code: expect.any(String) as string });
  }
});

test('the client of framewright serve tells the progress, says where the crop is, and writes it', async () => {
  const main = projectFile('dist', 'src', 'cli', 'main.js');
  const server = spawn(process.execPath, [main, 'serve', '--engine', 'centre', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const link = await new Promise<string>((resolve, reject) => {
      server.stdout.setEncoding('utf8').once('data', (text: string) => resolve(text.trim()));
      server.once('exit', (code) => reject(new Error(`the server ended with ${code ?? 'a signal'}`)));
    });
    const { origin, searchParams } = new URL(link);
    const output = path.join(root, 'served.webp');
    const { stdout } = await run(process.execPath, [example('serve-client'), examplePhoto('dogs'), output], {
      env: { ...env, SERVER: origin, TOKEN: searchParams.get('token')! },
    });
    expect(stdout).toMatch(
      /^waiting \{"waiting":0\}\nstage \{"stage":"decode"\}\n[^]*crops \{ x: \d+, y: \d+, width: 720, height: 900 \}\n$/,
    );
    const { format, width, height } = await sharp(output).metadata();
    expect({ format, ratio: (width * 5) / (height * 4) }).toEqual({ format: 'webp', ratio: 1 });
  } finally {
    server.kill('SIGKILL');
  }
});

describeWith(['redis-server'], 'the fleet', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    mkdirSync(path.join(root, 'redis'));
    redis = await startRedis(path.join(root, 'redis'));
  });
  afterAll(() => redis.close());

  test('crops a folder by a queue, and what is done not again', async () => {
    const photos = path.join(root, 'fleet');
    const crops = path.join(root, 'fleet-crops');
    mkdirSync(photos);
    for (const name of ['dogs', 'pagoda'] as const) copyFileSync(examplePhoto(name), path.join(photos, `${name}.jpg`));
    writeFileSync(path.join(photos, 'broken.jpg'), 'no photo');
    const fleet = () => run(process.execPath, [example('fleet'), photos, crops], { env: { ...env, QUEUE: redis.url } });
    const first = await fleet();
    expect(first.stdout).toBe('3 photos, 0 done earlier\n2 of 3 photos are cropped, 1 failed\n');
    expect(first.stderr).toMatch(/^no worker takes this run yet.*\nbroken\.jpg: .*\n$/);
    expect(readdirSync(crops).filter((name) => !name.startsWith('.'))).toEqual(['dogs-4x5.jpg', 'pagoda-4x5.jpg']);
    copyFileSync(examplePhoto('dandelion'), path.join(photos, 'broken.jpg'));
    const again = await fleet();
    expect(again.stdout).toBe('3 photos, 2 done earlier\n3 of 3 photos are cropped, 0 failed\n');
  });
});
