import { cp, mkdir, mkdtemp, open, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  FAMILIES,
  describeToyPair,
  tensorBytes,
  writeToyPair,
  type GgufToWrite,
  type ToyPreset,
} from '../../gguf/index.js';
import { CATALOG, findInCatalog, variantBytes } from '../../src/model/catalog.js';
import { CATALOG_FILE, readCatalog, readCatalogFile } from '../../src/model/catalog-file.js';
import { fileSha256 } from '../../src/files/file-hash.js';
import { imageTokensOf } from '../../src/model/image-tokens.js';
import { DEFAULT_IMAGE_TOKENS } from '../../src/model/manifest.js';
import { resolveModel } from '../../src/model/resolve.js';
import { filesOf, hashPath, placesOf, stateOf } from '../../src/model/store.js';
import { verifyModel } from '../../src/model/verify.js';
import { framewright } from '../cli/run.js';
import { projectFile } from '../support/photos.js';

const folder = await mkdtemp(path.join(tmpdir(), 'framewright-catalog-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const at = (...names: string[]): string => path.join(folder, ...names);

beforeEach(() => {
  vi.stubEnv('FRAMEWRIGHT_MODELS', at('models'));
  vi.stubEnv('XDG_CONFIG_HOME', at('config'));
});
afterEach(() => vi.unstubAllEnvs());

async function catalogOf(models: object, name = 'own'): Promise<string> {
  const file = at(name, CATALOG_FILE);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify({ schemaVersion: 1, models }));
  return file;
}

/** As after a pull of the 7B, by size. */
async function pretendPulled(variant: string): Promise<void> {
  const found = findInCatalog(CATALOG, `qwen2.5-vl-7b:${variant}`)!;
  await mkdir(at('models', 'qwen2.5-vl-7b'), { recursive: true });
  for (const { name, bytes = 1 } of [found.variant!.text, found.variant!.mmproj]) {
    await writeFile(at('models', 'qwen2.5-vl-7b', name), '');
    await truncate(at('models', 'qwen2.5-vl-7b', name), bytes);
  }
}

describe('the catalogue', () => {
  test('has Qwen2.5-VL, Qwen3-VL and Qwen3.5 in several kinds, each with a vision file, an address and a size', () => {
    const kinds = Object.fromEntries(CATALOG.map(({ name, variants }) => [name, variants.map((each) => each.name)]));
    expect(kinds).toEqual({
      'qwen2.5-vl-7b': ['Q4_K_M', 'Q6_K', 'Q8_0', 'F16'],
      'qwen2.5-vl-3b': ['Q4_K_M', 'Q6_K', 'Q8_0', 'F16'],
      'qwen3-vl-30b-a3b': ['Q4_K_M', 'Q8_0', 'F16'],
      'qwen3-vl-8b': ['Q4_K_M', 'Q8_0', 'F16'],
      'qwen3-vl-4b': ['Q4_K_M', 'Q8_0', 'F16'],
      'qwen3-vl-2b': ['Q4_K_M', 'Q8_0', 'F16'],
      'qwen3.5-9b': ['Q4_K_M', 'Q8_0'],
      'qwen3.5-4b': ['Q4_K_M', 'Q8_0'],
      'qwen3.5-2b': ['Q4_K_M', 'Q8_0'],
      'qwen3.5-0.8b': ['Q4_K_M', 'Q8_0'],
    });
    for (const { variants, licence } of CATALOG) {
      expect(licence).not.toBe('');
      for (const variant of variants) {
        for (const { from, name, bytes, aboutBytes } of [variant.text, variant.mmproj]) {
          expect(from).toEqual({
            url: expect.stringMatching(
              /^https:\/\/huggingface\.co\/[\w.-]+\/[\w.-]+\/resolve\/(main|[0-9a-f]{40})\/.+\.gguf$/,
            ) as string,
          });
          expect((from as { url: string }).url.endsWith(`/${name}`)).toBe(true);
          expect(bytes ?? aboutBytes).toBeGreaterThan(2e8);
        }
        expect(variantBytes(variant)).toBeGreaterThan(7e8);
      }
    }
  });

  test('tells a Qwen3-VL’s family and sizes, and shows it as many image tokens as others', () => {
    for (const size of ['2b', '4b', '8b']) {
      const { entry } = findInCatalog(CATALOG, `qwen3-vl-${size}`)!;
      expect(entry.sizes).toMatchObject({ family: 'qwen3vl', vision: { imageSizePx: 768 } });
      expect(imageTokensOf(entry.use, FAMILIES.qwen3vl)).toBe(DEFAULT_IMAGE_TOKENS.max);
    }
    // Published as 8.11 GiB.
    const { variant } = findInCatalog(CATALOG, 'qwen3-vl-8b:Q8_0')!;
    expect(variant!.text.aboutBytes! / 8.71e9).toBeCloseTo(1, 2);
  });

  test.each(['0.8b', '2b', '4b', '9b'])(
    'knows the sizes of a Qwen3.5-%s: its files are as long as they make them',
    (size) => {
      const { entry, variant } = findInCatalog(CATALOG, `qwen3.5-${size}:Q8_0`)!;
      expect(entry.sizes).toMatchObject({ family: 'qwen35', vision: { imageSizePx: 768 } });
      const bytesOf = ({ tensors }: GgufToWrite): number =>
        tensors.reduce((sum, { type, shape }) => sum + tensorBytes(type, shape)!, 0);
      const toy = (type: 'F16' | 'Q8_0'): ReturnType<typeof describeToyPair> =>
        describeToyPair({ family: 'qwen35', preset: size as ToyPreset, type, sparse: true });
      // The rest is the header: 248,320 tokens and their merges, and names of tensors.
      expect(variant!.text.bytes! - bytesOf(toy('Q8_0').text)).toBeCloseTo(10.965e6, -4);
      expect(variant!.mmproj.bytes! - bytesOf(toy('F16').mmproj)).toBeLessThan(25_000);
      expect(variant!.mmproj.bytes! - bytesOf(toy('F16').mmproj)).toBeGreaterThan(9_000);
    },
  );

  test('finds a model by name, a kind of it by name:kind, whatever the case', () => {
    expect(findInCatalog(CATALOG, 'qwen2.5-vl-7b')?.variant?.name).toBe('Q4_K_M');
    expect(findInCatalog(CATALOG, 'Qwen2.5-VL-3B:q8_0')?.variant?.text.name).toBe('Qwen2.5-VL-3B-Instruct-Q8_0.gguf');
    expect(findInCatalog(CATALOG, 'qwen2.5-vl-3b:Q2')).toMatchObject({ variant: undefined });
    expect(findInCatalog(CATALOG, 'llama')).toBeUndefined();
  });

  test.each(['llama', 'constructor', 'toString', '__proto__'])('no model is called %s', async (model) => {
    await expect(resolveModel({ model })).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });

  test('a model that is not downloaded is refused with the command that gets it', async () => {
    await expect(resolveModel({ model: 'qwen2.5-vl-7b' })).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: expect.stringMatching(
        /^the model qwen2\.5-vl-7b \(Q4_K_M, 5\.54 GB\) is not downloaded; run "framewright model pull qwen2\.5-vl-7b", or first/,
      ) as string,
    });
  });

  test('a model that was downloaded resolves to its files, and one whose file is too short does not', async () => {
    await pretendPulled('F16');
    const resolved = await resolveModel({ model: 'qwen2.5-vl-7b:F16' });
    expect(resolved).toMatchObject({
      name: 'qwen2.5-vl-7b:F16',
      textPath: at('models', 'qwen2.5-vl-7b', 'Qwen2.5-VL-7B-Instruct-f16.gguf'),
      mmprojPath: at('models', 'qwen2.5-vl-7b', 'mmproj-Qwen2.5-VL-7B-Instruct-f16.gguf'),
      use: { promptProfile: 'standard' },
    });
    await truncate(resolved.mmprojPath, 1000);
    await expect(resolveModel({ model: 'qwen2.5-vl-7b:F16' })).rejects.toThrow(/is only partly downloaded/);
  });

  test('a misspelt model or kind is answered with what there is', async () => {
    await expect(resolveModel({ model: 'qwen2.5-vl-7' })).rejects.toThrow(/did you mean qwen2\.5-vl-7b\?/);
    await expect(resolveModel({ model: 'qwen2.5-vl-7b:Q5' })).rejects.toThrow(/there are qwen2\.5-vl-7b:Q4_K_M,/);
  });
});

describe('a catalogue of one’s own', () => {
  test('adds a model by paths beside it, with adapters and its own use', async () => {
    const file = await catalogOf({
      mine: { text: 'm.gguf', mmproj: '../v.gguf', loras: [{ file: 'a.gguf', scale: 0.5 }], contextCells: 4096 },
    });
    for (const name of ['own/m.gguf', 'v.gguf', 'own/a.gguf']) await writeFile(at(name), '');
    const [mine] = await readCatalogFile(file);
    expect(mine).toMatchObject({ name: 'mine', source: file, use: { contextCells: 4096, promptProfile: 'standard' } });
    const cwd = vi.spyOn(process, 'cwd').mockReturnValue(at('own'));
    expect(await resolveModel({ model: 'mine' })).toMatchObject({
      textPath: at('own', 'm.gguf'),
      mmprojPath: at('v.gguf'),
      loras: [{ path: at('own', 'a.gguf'), scale: 0.5 }],
    });
    await rm(at('own', 'a.gguf'));
    await expect(resolveModel({ model: 'mine' })).rejects.toThrow(/a\.gguf of the model mine does not exist; correct /);
    cwd.mockRestore();
  });

  test('extends a built-in model, and takes addresses', async () => {
    const file = await catalogOf({
      tuned: { extends: 'qwen2.5-vl-3b:Q8_0', loras: [{ file: 'https://example.org/x/crop.gguf?download=true' }] },
    });
    const [tuned] = await readCatalogFile(file);
    const [variant] = tuned!.variants;
    expect(variant.text.sha256).toMatch(/^fa8aeb3b/);
    expect(variant.loras).toMatchObject([
      { file: { name: 'crop.gguf', from: { url: 'https://example.org/x/crop.gguf?download=true' } }, scale: 1 },
    ]);
  });

  test('has the files of a model it extends where that model has them', async () => {
    const file = await catalogOf({ ext: { extends: 'qwen2.5-vl-7b:F16', loras: [{ file: 'https://a.org/x.gguf' }] } });
    const [ext] = await readCatalogFile(file);
    const { entry, variant } = findInCatalog(CATALOG, 'qwen2.5-vl-7b:F16')!;
    const [base, own] = [placesOf(entry, variant!), placesOf(ext!, ext!.variants[0])];
    expect([own.text.path, own.mmproj.path]).toEqual([base.text.path, base.mmproj.path]);
    expect(own.loras[0]!.path.startsWith(at('models', 'ext'))).toBe(true);
  });

  test('has a place for each address, whatever name it ends in', async () => {
    const loras = ['https://a.org/1/adapter.gguf', 'https://a.org/2/adapter.gguf'].map((file) => ({ file }));
    const file = await catalogOf({ own: { text: 'https://a.org/m.gguf', mmproj: 'https://b.org/m.gguf', loras } });
    const [own] = await readCatalogFile(file);
    const paths = filesOf(placesOf(own!, own!.variants[0])).map((stored) => stored.path);
    expect(paths.map((place) => path.basename(place))).toEqual(['m.gguf', 'm.gguf', 'adapter.gguf', 'adapter.gguf']);
    expect(new Set(paths).size).toBe(4);
    const again = await readCatalogFile(file);
    expect(filesOf(placesOf(again[0]!, again[0]!.variants[0])).map((stored) => stored.path)).toEqual(paths);
  });

  test('is read from the working folder and from the user’s configuration, the nearer one first', async () => {
    await catalogOf({ a: { extends: 'qwen2.5-vl-3b' }, b: { extends: 'qwen2.5-vl-3b' } }, 'near');
    await catalogOf({ b: { extends: 'qwen2.5-vl-7b' }, c: { extends: 'qwen2.5-vl-7b' } }, 'config/framewright');
    const entries = await readCatalog(at('near'));
    expect(entries.map(({ name }) => name)).toEqual([...CATALOG.map(({ name }) => name), 'a', 'b', 'c']);
    expect(entries.find(({ name }) => name === 'b')!.source).toBe(at('near', CATALOG_FILE));
  });

  test.each([
    [{ mine: { txt: 'a.gguf', mmproj: 'b.gguf' } }, /at models\.mine: unknown key "txt"; did you mean "text"\?/],
    [{ mine: { text: { pth: 'a' }, mmproj: 'b' } }, /at models\.mine\.text: unknown key "pth"; did you mean "path"\?/],
    [
      { mine: { extends: 'qwen2.5-vl-7b:Q4_K_S' } },
      /no model qwen2\.5-vl-7b:Q4_K_S; did you mean "qwen2\.5-vl-7b:Q4_K_M"\?/,
    ],
    [{ mine: { text: 'a.gguf' } }, /at models\.mine\.mmproj: is missing/],
    [{ mine: { text: {}, mmproj: 'b' } }, /at models\.mine\.text: give either a path or a url/],
    [{ mine: { text: 'https://example.org/model.bin', mmproj: 'b' } }, /must end in the name of a \.gguf file/],
    [{ mine: { text: `https://example.org/${'x'.repeat(260)}.gguf`, mmproj: 'b' } }, /more than 200 characters/],
    [{ ['x'.repeat(201)]: { text: 'a', mmproj: 'b' } }, /200 characters at most/],
    [{ nano: { text: 'a', mmproj: 'b' } }, /at models\.nano: the name is taken/],
    [{ 'a/b': { text: 'a', mmproj: 'b' } }, /models\.a\/b: a name has letters, digits/],
    [{ mine: { text: 'a', mmproj: 'b', pixelBudget: { min: 1, max: 'x' } } }, /at models\.mine\.pixelBudget\.max/],
  ])('%j is refused with the place and the word', async (models, message) => {
    const file = await catalogOf(models, 'bad');
    await expect(readCatalogFile(file)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(message) as string,
    });
    await expect(readCatalogFile(file)).rejects.toThrow(file);
  });
});

describe('model verify', () => {
  test('finds the bundled model sound', async () => {
    const { problems, files } = await verifyModel({ model: 'nano' });
    expect(problems).toEqual([]);
    expect(files.map(({ against }) => against)).toEqual(['manifest', 'manifest']);
  });

  test('tells a changed byte from what the pull noted, and a pair that does not fit', async () => {
    const { textPath, mmprojPath } = await writeToyPair(at('pair'));
    expect((await verifyModel({ model: textPath })).problems).toEqual([]);
    await writeFile(hashPath(mmprojPath), `${'0'.repeat(64)}  mmproj.gguf\n`);
    const { problems } = await verifyModel({ model: textPath });
    expect(problems).toEqual([
      expect.stringMatching(/^.*mmproj\.gguf has sha256 [0-9a-f]{64}, not the 0{64} of the pull$/),
    ]);
    const other = await writeToyPair(at('other'), { text: { nEmbd: 128 } });
    expect((await verifyModel({ model: textPath, mmproj: other.mmprojPath })).problems).toEqual([
      expect.stringMatching(/projection_dim/),
    ]);
  });

  test('tells an adapter of the model’s that cannot be applied to it', async () => {
    const file = await catalogOf({ mine: { text: 'model.gguf', mmproj: 'mmproj.gguf', loras: [{ file: 'a.gguf' }] } });
    const { textPath } = await writeToyPair(path.dirname(file));
    await cp(textPath, at('own', 'a.gguf'));
    vi.stubEnv('XDG_CONFIG_HOME', at('verified'));
    await mkdir(at('verified'), { recursive: true });
    await rename(at('own'), at('verified', 'framewright'));
    const { problems } = await verifyModel({ model: 'mine' });
    expect(problems).toEqual([expect.stringMatching(/a\.gguf: general\.type: "model", must be the string "adapter"/)]);
  });
});

describe('model verify of a large file', () => {
  test('reads it, whatever was remembered of it, and what is remembered is put right', async () => {
    vi.stubEnv('XDG_CACHE_HOME', at('cache'));
    const { textPath } = await writeToyPair(at('large'));
    await truncate(textPath, 64 * 2 ** 20);
    const written = new Date('2026-01-01T00:00:00Z');
    await utimes(textPath, written, written);
    const sound = await fileSha256(textPath);
    await writeFile(hashPath(textPath), `${sound}  model.gguf\n`);
    const file = await open(textPath, 'r+');
    await file.write('x', 50 * 2 ** 20);
    await file.close();
    await utimes(textPath, written, written);
    expect(await fileSha256(textPath)).toBe(sound); // remembered
    expect((await verifyModel({ model: textPath })).problems).toEqual([
      expect.stringMatching(new RegExp(`not the ${sound} of the pull$`)),
    ]);
    expect(await fileSha256(textPath)).not.toBe(sound);
  });

  test('of which the catalogue knows the size only is held against what the pull noted', async () => {
    const { textPath, mmprojPath } = await writeToyPair(at('sized'));
    const { size } = await stat(textPath);
    await catalogOf({ sized: { text: { path: textPath, bytes: size }, mmproj: mmprojPath } }, 'config/framewright');
    await writeFile(hashPath(textPath), `${'0'.repeat(64)}  model.gguf\n`);
    const { problems, files } = await verifyModel({ model: 'sized' });
    expect(problems).toEqual([expect.stringMatching(/not the 0{64} of the pull$/)]);
    expect(files[0]!.against).toBe('pull');
  });
});

test('on the command line a model that is not there ends with 3 and says what to do, before photos are read', async () => {
  const env = { FRAMEWRIGHT_MODELS: at('none'), XDG_CONFIG_HOME: at('none') };
  const photo = projectFile('examples', 'photos', 'dogs.jpg');
  const { code, stdout, stderr } = await framewright(['--model', 'qwen2.5-vl-7b', '--dry-run', photo], { env });
  expect([code, stdout]).toEqual([3, '']);
  expect(stderr).toMatch(
    /^framewright: the model qwen2\.5-vl-7b .* run "framewright model pull .* \[MODEL_NOT_FOUND\]\n$/,
  );
  const listed = await framewright(['model', 'list', '--json'], { env });
  expect(
    listed.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { state: string }).state),
  ).toEqual(['bundled', ...Array<string>(28).fill('absent')]);
});

test('a model whose path is longer than any is absent, and no error', async () => {
  const [entry] = await readCatalogFile(
    await catalogOf({ mine: { text: `${'x'.repeat(300)}/a.gguf`, mmproj: `${'y/'.repeat(4000)}b.gguf` } }, 'long'),
  );
  expect(stateOf(placesOf(entry!, entry!.variants[0]))).toBe('absent');
});
