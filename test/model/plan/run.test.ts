import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { writeToyPair } from '../../../gguf/index.js';
import { openCropper } from '../../../src/cropper/cropper.js';
import { openVlm } from '../../../src/vlm/open.js';
import { openRuntime } from '../../../src/runtime/runtime.js';
import { someImage, useToy, wholeVocabulary } from '../../runtime/toy.js';
import { greatestDifference } from '../../support/reproducibility.js';
import { framewright } from '../../cli/run.js';
import { projectFile } from '../../support/photos.js';
import { declareWhere } from '../../support/system-tools.js';

const folder = await mkdtemp(path.join(tmpdir(), 'framewright-run-plan-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

const PHOTO = projectFile('examples', 'photos', 'dogs.jpg');
const MB = 1e6;
/** Kept free of host memory (plan/fit.ts). */
const RESERVE = 256 * 2 ** 20;

describe('a model and too little memory', () => {
  test('is refused before anything is loaded, with what it takes and what to do', async () => {
    await expect(openCropper({ model: 'nano', gpu: 'cpu', memoryBytes: RESERVE + 5 * MB })).rejects.toMatchObject({
      code: 'MODEL_TOO_LARGE',
      message: expect.stringMatching(
        /^the model nano takes at least \d.* of memory \(.* free\); close other programs/,
      ) as string,
    });
    await using cropper = await openCropper({ model: 'nano', gpu: 'cpu', memoryBytes: 5 * MB, memory: 'ignore' });
    expect(cropper.givenUp).toEqual([]);
  });

  test('runs with less where less does, says so, and crops still', async () => {
    await using cropper = await openCropper({ model: 'nano', gpu: 'cpu', memoryBytes: RESERVE + 40 * MB });
    expect(cropper.givenUp[0]).toMatch(/^batches of 512 tokens, not 2048/);
    const { crop } = await cropper.crop(PHOTO);
    expect(crop.width).toBeGreaterThan(0);
  });

  test('shrinks the picture below what the model is made for', async () => {
    const { textPath } = await writeToyPair(path.join(folder, 'wide'), {
      vision: { nEmbd: 256, nHead: 4, nFf: 1024, nLayer: 2 },
    });
    const vlm = await openVlm({ model: textPath, gpu: 'cpu', memoryBytes: RESERVE + 70 * MB });
    try {
      expect(vlm.plan!.settings.imageTokens).toBeLessThan(1280);
      expect(vlm.engine.pixelBudget.maxPixels).toBe(vlm.plan!.settings.imageTokens * 28 ** 2);
      expect(vlm.engine.releasesEncoder).toBe(true);
    } finally {
      await vlm.dispose();
    }
  });
});

/** Linux that refuses what can never fit; elsewhere the memory would be handed out, and the process killed for using it. */
const refusesAbsurdSizes =
  process.platform === 'linux' &&
  readFileSync('/proc/sys/vm/overcommit_memory', 'utf8').trim() !== '1' &&
  totalmem() < 4e11;

declareWhere(refusesAbsurdSizes, 'an allocation that fails', 'a Linux that refuses what can never fit', () => {
  test('an allocation that fails is a typed error, and the model goes on', async () => {
    const pair = await writeToyPair(path.join(folder, 'hungry'), {
      text: { nEmbd: 512, nHead: 8, nHeadKv: 8, nLayer: 16 },
      sparse: true,
    });
    await using runtime = await openRuntime({ gpu: 'cpu' });
    await using model = await runtime.loadModel({ path: pair.textPath, mmprojPath: pair.mmprojPath, threads: 1 });
    // 16 layers x 2 x 512 halves x 16.7 million cells: 550 GB.
    await expect(model.createContext({ nCtx: 2 ** 24 })).rejects.toMatchObject({
      code: 'MODEL_LOAD',
      message: expect.stringMatching(/^cannot create a context of 16777216 tokens for .*alloc/) as string,
    });
    await using context = await model.createContext({ nCtx: 256 });
    await context.session().append(model.tokenize('a'));
  });
});

describe('a vision tower', () => {
  const toy = useToy();

  test('that was released sees the same as before, and takes no memory meanwhile', async () => {
    const { model } = toy();
    await using context = await model.createContext({ nCtx: 256, flashAttention: false, kvType: 'f32' });
    const see = async (): Promise<Float32Array> => {
      using image = await model.encodeImage(someImage(56, 84), { width: 56, height: 84 });
      await using session = context.session();
      await session.append(model.tokenize('a'));
      await session.appendImage(image);
      return (await session.append(model.tokenize('b'), { choices: wholeVocabulary(model) })).logProbs;
    };
    const bytes = (): number => model.memory().reduce((sum, { modelBytes }) => sum + modelBytes, 0);
    const [before, loaded] = [await see(), bytes()];
    await model.releaseEncoder();
    expect(bytes()).toBeLessThan(loaded - 500_000);
    await model.releaseEncoder();
    expect(greatestDifference(await see(), before)).toBe(0);
    expect(bytes()).toBe(loaded);
  });
});

test('model plan says in words, in a table or as JSON, what is taken, for a file, a name, and what is not downloaded', async () => {
  const { textPath } = await writeToyPair(path.join(folder, '7b'), { preset: '7b', type: 'Q8_0', sparse: true });
  const env = { FRAMEWRIGHT_MODELS: path.join(folder, 'none'), XDG_CONFIG_HOME: path.join(folder, 'none') };
  const plan = (...args: string[]) => framewright(['model', 'plan', '--gpu', 'cpu', ...args], { env });
  const [words, own, file, absent, tooSmall] = await Promise.all([
    plan(),
    plan('--verbose'),
    plan(textPath, '--vram', '6GB', '--json'),
    plan('qwen2.5-vl-3b:Q8_0', '--vram', '8GB'),
    plan('qwen2.5-vl-7b:F16', '--memory', '8GB', '--json'),
  ]);
  const { stdout: refused } = await plan('qwen2.5-vl-7b:F16', '--memory', '8GB');
  expect(refused).toMatch(/^qwen2\.5-vl-7b:F16 does not fit on this machine.*\nIt takes at least /);
  expect(words.stdout).toMatch(
    /^nano fits on this machine\.\nIt takes \d+ MB of memory \([\d.]+ GB can be had\)\.\nIt runs on the processor\.\nIt sees a photo at about 224 x 224 pixels/,
  );
  expect(own.stdout).toMatch(
    /^nano, from the headers of its files\n[^]*work space, text[^]*It fits, with[^]*Nothing is given up\.\n$/,
  );
  const json = JSON.parse(file.stdout) as {
    fits: boolean;
    settings: { gpuLayers: number };
    bytes: { gpu: { total: number } };
  };
  expect(json.fits).toBe(true);
  expect(json.settings.gpuLayers).toBeGreaterThan(5);
  expect(json.settings.gpuLayers).toBeLessThan(29);
  expect(json.bytes.gpu.total).toBeLessThan(6e9);
  expect(absent.stdout).toMatch(/^qwen2\.5-vl-3b:Q8_0 fits on this machine, as far as can be said before/);
  expect(JSON.parse(tooSmall.stdout)).toMatchObject({ fits: false });
});
