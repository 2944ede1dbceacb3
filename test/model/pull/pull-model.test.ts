import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { writeToyPair } from '../../../gguf/index.js';
import { CATALOG_FILE } from '../../../src/model/catalog-file.js';
import { mirrored, tokenFor } from '../../../src/model/pull/pull-model.js';
import { framewright } from '../../cli/run.js';
import { projectFile } from '../../support/photos.js';
import { serveFile } from './range-server.js';

const folder = await mkdtemp(path.join(tmpdir(), 'framewright-pull-model-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => {
  for (const name of ['FRAMEWRIGHT_MODEL_BASE_URL', 'HF_ENDPOINT', 'FRAMEWRIGHT_MODEL_TOKEN', 'HF_TOKEN'])
    vi.stubEnv(name, '');
});
afterEach(() => vi.unstubAllEnvs());

test('a mirror stands for Hugging Face and for nothing else', () => {
  const url = 'https://huggingface.co/a/b/resolve/main/c.gguf';
  expect(mirrored(url)).toBe(url);
  vi.stubEnv('HF_ENDPOINT', 'https://hf.example/');
  expect(mirrored(url)).toBe('https://hf.example/a/b/resolve/main/c.gguf');
  vi.stubEnv('FRAMEWRIGHT_MODEL_BASE_URL', 'http://nas:8080/models');
  expect(mirrored(url)).toBe('http://nas:8080/models/a/b/resolve/main/c.gguf');
  expect(mirrored('https://example.org/c.gguf')).toBe('https://example.org/c.gguf');
});

test('a token goes to nobody but Hugging Face, the mirror and, if it is Framewright’s own, https', () => {
  const tokensFor = (...urls: string[]) => urls.map(tokenFor);
  const others = ['https://example.org/c.gguf', 'http://example.org/c.gguf', 'http://huggingface.co/c.gguf'];
  const lookalikes = ['https://huggingface.co.example.org/c.gguf', 'https://huggingface.co@example.org/c.gguf'];
  vi.stubEnv('HF_TOKEN', 'hf');
  expect(tokenFor('https://huggingface.co/c.gguf')).toBe('hf');
  expect(tokensFor(...others, ...lookalikes).some((token) => token !== undefined)).toBe(false);
  vi.stubEnv('FRAMEWRIGHT_MODEL_TOKEN', 'own');
  expect(tokensFor('https://huggingface.co/c.gguf', ...others)).toEqual(['own', 'own', undefined, undefined]);
  vi.stubEnv('HF_ENDPOINT', 'http://nas:8080/models/');
  expect(tokenFor('http://nas:8080/models/a/c.gguf')).toBe('own');
  vi.stubEnv('FRAMEWRIGHT_MODEL_TOKEN', '');
  expect(
    tokensFor('http://nas:8080/models/a/c.gguf', 'http://nas:8080/c.gguf', 'http://nas:8080/models/../c.gguf'),
  ).toEqual(['hf', undefined, undefined]);
});

test('a model of one’s own is pulled by name, verified, and crops a photo', async () => {
  const pair = await writeToyPair(path.join(folder, 'toy'));
  await using text = await serveFile(await readFile(pair.textPath));
  await using vision = await serveFile(await readFile(pair.mmprojPath));
  const work = path.join(folder, 'work');
  await mkdir(work);
  const models = {
    mine: { text: `${text.url}/m.gguf`, mmproj: `${vision.url}/v.gguf`, pixelBudget: { min: 784, max: 50_176 } },
  };
  await writeFile(path.join(work, CATALOG_FILE), JSON.stringify({ schemaVersion: 1, models }));
  const env = {
    FRAMEWRIGHT_MODELS: path.join(folder, 'models'),
    XDG_CONFIG_HOME: folder,
    FRAMEWRIGHT_MODEL_BASE_URL: text.url,
    FRAMEWRIGHT_MODEL_TOKEN: 'abc',
    HF_TOKEN: 'hf',
    http_proxy: '',
    HTTP_PROXY: '',
    all_proxy: '',
    ALL_PROXY: '',
  };
  const run = (...args: string[]) => framewright(args, { cwd: work, env });
  const photo = projectFile('examples', 'photos', 'dogs.jpg');

  expect(await run('--model', 'mine', '--dry-run', photo)).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/model mine \(own\) is not downloaded; run "framewright model pull mine"/) as string,
  });
  const pulled = await run('model', 'pull', 'mine');
  expect(pulled.code).toBe(0);
  const files = pulled.stdout.trimEnd().split('\n');
  expect(files.map((file) => path.basename(file))).toEqual(['m.gguf', 'v.gguf']);
  for (const file of files) expect(path.dirname(path.dirname(file))).toBe(path.join(folder, 'models', 'mine'));
  expect(text.requests[0]!.headers.authorization).toBe('Bearer abc');
  expect(vision.requests.some(({ headers }) => headers.authorization !== undefined)).toBe(false);
  expect((await run('model', 'verify', 'mine')).stdout).toMatch(/mine: sound\n$/);
  expect(await run('--model', 'mine', '--json', '--dry-run', photo)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\{.*"crop"/) as string,
  });
  text.content = Buffer.alloc(10);
  expect(await run('model', 'pull', 'mine')).toMatchObject({ code: 0 }); // nothing to do
  await writeFile(files[0]!, 'damaged');
  expect(await run('model', 'verify', 'mine')).toMatchObject({
    code: 3,
    stdout: expect.stringMatching(/m\.gguf has sha256 \w+, not the \w+ of the pull/) as string,
  });
});
