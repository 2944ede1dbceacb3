import { closeSync, openSync, writeSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readGguf } from '../../../gguf/index.js';
import { resolveModel } from '../../../src/model/resolve.js';
import { openRuntime } from '../../../src/runtime/runtime.js';
import { positionRamps } from '../../../src/photo/ramps.js';
import { sharp } from '../../../src/photo/vips.js';
import { readCheckpoint } from '../../../src/train/native/checkpoint.js';
import { readSftRecords } from '../../../src/train/native/records.js';
import { Renderer } from '../../../src/train/native/render.js';
import { runFiles, trainAdapter, type TrainAdapterOptions } from '../../../src/train/native/train-adapter.js';
import { canMount, mountSmallDisk, unmount } from '../../support/small-disk.js';
import { declareWhere } from '../../support/system-tools.js';
import { FRAME, writeExport } from './export-folder.js';

let root: string;
let data: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'framewright-train-'));
  data = join(root, 'export');
  await writeExport(data, 6, 4);
});
afterAll(() => rm(root, { recursive: true }));

function options(name: string, given: Partial<TrainAdapterOptions> = {}): TrainAdapterOptions {
  const { settings, ...rest } = given;
  return {
    kind: 'sft',
    folder: data,
    output: join(root, `${name}.gguf`),
    gpu: 'cpu',
    threads: 1,
    settings: { nSteps: 6, batchSize: 2, learningRate: 2e-3, rank: 4, every: 3, ...settings },
    ...rest,
  };
}

/** Mean log-probability of the answers of a held-out record, as the runtime has it. */
async function meanLogProb(loras: readonly { path: string }[]): Promise<number> {
  const { textPath, mmprojPath } = await resolveModel({ model: 'nano' });
  await using runtime = await openRuntime({ gpu: 'cpu' });
  const model = await runtime.loadModel({ path: textPath, mmprojPath, threads: 1, loras });
  const [first] = await readSftRecords(data, 'sft.heldout.json');
  const { pieces } = await new Renderer(model).conversation(first!.record);
  await using context = await model.createContext({ nCtx: 1024, kvType: 'f32', flashAttention: false });
  const session = context.session();
  const logProbs: number[] = [];
  for (const piece of pieces) {
    if (piece.kind === 'image') {
      const rgb = await sharp(piece.image.file).removeAlpha().raw().toBuffer();
      using image = await model.encodeImage(positionRamps(rgb, FRAME, 14), FRAME);
      await session.appendImage(image);
      continue;
    }
    const tokens = Int32Array.from(piece.tokens);
    if (piece.trained) logProbs.push(...(await session.score([tokens]))[0]!);
    await session.append(tokens);
  }
  return logProbs.reduce((sum, value) => sum + value, 0) / logProbs.length;
}

describe('a run of SFT on the nano', () => {
  test('lowers the loss, and the runtime says with the adapter what the trainer says', async () => {
    // Each held-out photo alone, so that its loss can be compared.
    const one = join(root, 'one');
    await writeExport(one, 6, 1);
    const trained = await trainAdapter(options('sft', { folder: one }));
    const rows = (await readFile(trained!.csv, 'utf8')).trim().split('\n');
    expect(rows).toHaveLength(2 + 6);
    expect(trained!.change!.low).toBeGreaterThan(0);
    const { metadata } = await readGguf(trained!.adapter);
    expect(metadata.get('framewright.training.kind')?.value).toBe('sft');
    expect(metadata.get('framewright.training.learning_rate')?.value).toBe('0.002');
    await rm(join(data, 'sft.heldout.json'));
    await copyFile(join(one, 'sft.heldout.json'), join(data, 'sft.heldout.json'));
    const after = await meanLogProb([{ path: trained!.adapter }]);
    const before = await meanLogProb([]);
    expect(Math.abs(before - trained!.change!.before)).toBeLessThan(1e-3 * Math.abs(before));
    expect(Math.abs(after - trained!.change!.after)).toBeLessThan(1e-3 * Math.abs(after));
    await writeExport(data, 6, 4);
  });

  test('that was stopped and goes on ends with the same numbers to the bit', async () => {
    const whole = await trainAdapter(options('whole'));
    const controller = new AbortController();
    const stopped = options('stopped', {
      signal: controller.signal,
      onStep: ({ step }) => {
        if (step === 4) controller.abort(new Error('stopped by the test'));
      },
    });
    await expect(trainAdapter(stopped)).rejects.toThrow('stopped by the test');
    const { checkpoint } = runFiles(stopped.output);
    expect((await readCheckpoint(checkpoint)).progress.step).toBe(4);
    const { signal: _signal, onStep: _onStep, ...again } = stopped;
    const resumed = await trainAdapter({ ...again, resume: true });
    expect(resumed!.nSteps).toBe(6);
    const [a, b] = await Promise.all(
      [whole!, resumed!].map(({ adapter }) => readCheckpoint(runFiles(adapter).checkpoint)),
    );
    expect(sameBits(b!.state.parameters, a!.state.parameters)).toBe(true);
    expect(sameBits(b!.state.first, a!.state.first)).toBe(true);
    expect(sameBits(b!.state.second, a!.state.second)).toBe(true);
    expect(b!.progress.rows.map(({ loss }) => loss)).toEqual(a!.progress.rows.map(({ loss }) => loss));
  });

  declareWhere(canMount, 'a disk that is full at a checkpoint', 'the right to mount one', () => {
    test('says where the last checkpoint is when the disk is full, and goes on once there is room', async () => {
      const disk = join(root, 'disk');
      await mkdir(disk);
      mountSmallDisk(disk, '16m');
      try {
        const filler = join(disk, 'filler');
        const full = options('disk/full', {
          // The look after step 6 finds no room for its checkpoint, the one after step 3 did.
          onStep: ({ step }) => {
            if (step === 4) fillUp(filler);
          },
        });
        await expect(trainAdapter(full)).rejects.toMatchObject({
          code: 'OUTPUT_WRITE',
          message: expect.stringContaining('the checkpoint before is whole') as string,
        });
        expect((await readCheckpoint(runFiles(full.output).checkpoint)).progress.step).toBe(3);
        await rm(filler);
        const { onStep: _onStep, ...again } = full;
        expect((await trainAdapter({ ...again, resume: true }))!.nSteps).toBe(6);
      } finally {
        unmount(disk);
      }
    });
  });

  test('goes on only with the model, data and settings it began with', async () => {
    const other = options('whole', { resume: true, settings: { learningRate: 1e-3 } });
    await expect(trainAdapter(other)).rejects.toThrow(/learning_rate was 0.002 and is 0.001/);
  });

  test('takes no file for its checkpoint that is none', async () => {
    const { checkpoint } = runFiles(options('whole').output);
    const { textPath } = await resolveModel({ model: 'nano' });
    await copyFile(textPath, checkpoint);
    await expect(trainAdapter(options('whole', { resume: true }))).rejects.toMatchObject({
      code: 'INPUT_CORRUPT',
      message: expect.stringContaining('no checkpoint of this version') as string,
    });
  });

  test('overwrites nothing unasked', async () => {
    await expect(trainAdapter(options('whole'))).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
  });

  test('tells what it takes, and does nothing else, in a dry run', async () => {
    let seen = 0;
    const plan = options('dry', {
      dryRun: true,
      onPlan: ({ seconds, deviceBytes }) => void (seen = seconds * deviceBytes),
    });
    expect(await trainAdapter(plan)).toBeUndefined();
    expect(seen).toBeGreaterThan(0);
    await expect(readFile(plan.output)).rejects.toThrow(/ENOENT/);
  });

  test('is refused where memory does not suffice, with what would', async () => {
    const small = options('small', { memoryBytes: 2e6 });
    await expect(trainAdapter(small)).rejects.toMatchObject({
      code: 'MODEL_TOO_LARGE',
      message: expect.stringMatching(/use a machine with .* free/) as string,
    });
  });
});

describe('a run of DPO on the nano', () => {
  test('goes on from an adapter, which is the reference too, and widens the margin', async () => {
    const start = options('start');
    await trainAdapter(start);
    const trained = await trainAdapter(
      options('dpo', { kind: 'dpo', lora: start.output, settings: { nSteps: 6, learningRate: 5e-3, beta: 0.2 } }),
    );
    const { progress } = await readCheckpoint(runFiles(trained!.adapter).checkpoint);
    expect(progress.before!.loss).toBeCloseTo(Math.LN2, 6);
    expect(progress.before!.margin).toBe(0);
    expect(progress.rows[0]!.loss).toBeCloseTo(Math.LN2, 6);
    expect(progress.rows.at(-1)!.heldOut!.margin).toBeGreaterThan(0);
    expect(progress.margins).toHaveLength(4);
    const page = await readFile(trained!.page, 'utf8');
    expect(page).toContain('<input id="beta"');
  });

  test('says how far both steps together came from the model without any adapter', async () => {
    const settings = { nSteps: 1, learningRate: 1e-5, beta: 0.2, every: 1 };
    const alone = await trainAdapter(options('alone', { kind: 'dpo', settings }));
    expect(alone!.overModel).toBeUndefined();
    const start = options('strong', { settings: { nSteps: 8, learningRate: 2e-2 } });
    await trainAdapter(start);
    const heldOut: string[] = [];
    const both = await trainAdapter(
      options('both', {
        kind: 'dpo',
        lora: start.output,
        settings,
        onStage: (what, done) => what === 'heldOut' && heldOut.push(String(done)),
      }),
    );
    expect(both!.overModel!.before).toBe(alone!.change!.before);
    expect(both!.overModel!.after).toBe(both!.change!.after);
    // By the model alone, and after the last step: by the reference it is known.
    expect(heldOut).toEqual(['1', '2', '3', '4', '1', '2', '3', '4']);
  });

  test('asks the reference only of pairs that it learns from', async () => {
    const asked: number[] = [];
    const settings = { nSteps: 1, batchSize: 2, learningRate: 1e-5 };
    const onStage = (what: string, _done: number, total: number): void => {
      if (what === 'references') asked.push(total);
    };
    await trainAdapter(options('few', { kind: 'dpo', settings, onStage }));
    expect(asked).toEqual([2, 2, 4, 4, 4, 4]);
  });

  test('from an adapter of another rank than asked for is refused', async () => {
    const given = options('other', { kind: 'dpo', lora: options('start').output, settings: { rank: 8 } });
    await expect(trainAdapter(given)).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('bad input ends in a clear error:', () => {
  const cases: readonly (readonly [string, (folder: string) => Promise<unknown>, string, RegExp])[] = [
    ['a missing photo', (folder) => rm(join(folder, 'images/1.png')), 'INPUT_NOT_FOUND', /images\/1\.png is not there/],
    ['ties only', ties, 'DATASET_INVALID', /ties only \(3 pairs/],
    ['no records', (folder) => writeFile(join(folder, 'dpo.json'), '[]'), 'DATASET_INVALID', /nothing to learn from/],
    ['no JSON', (folder) => writeFile(join(folder, 'dpo.json'), '[{'), 'DATASET_INVALID', /is no JSON/],
    ['no export', (folder) => rm(join(folder, 'dpo.json')), 'INPUT_NOT_FOUND', /train export/],
    ['a damaged photo', damage, 'INPUT_CORRUPT', /images\/0\.png/],
    ['another number of images', fewerImages, 'DATASET_INVALID', /2 <image> and it names 1/],
  ];

  test.each(cases)('%s', async (name, spoil, code, message) => {
    const folder = join(root, name.replaceAll(' ', '-'));
    await writeExport(folder, 3, 0);
    await spoil(folder);
    const given = options(`bad-${name}`, { kind: 'dpo', folder });
    await expect(trainAdapter(given)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });

  test('a model of another kind', async () => {
    const given = options('wrong', { model: join(root, 'start.gguf') });
    await expect(trainAdapter(given)).rejects.toMatchObject({ name: 'FramewrightError' });
  });
});

describe('a model with a NaN among its weights', () => {
  test('is refused before anything begins, and the tensor named', async () => {
    const folder = join(root, 'nan');
    await mkdir(folder);
    const { textPath, mmprojPath } = await resolveModel({ model: 'nano' });
    const [text, mmproj] = [join(folder, 'nan.gguf'), join(folder, 'nan-mmproj.gguf')];
    await copyFile(textPath, text);
    await copyFile(mmprojPath, mmproj);
    const { tensors, dataStart } = await readGguf(text);
    const norm = tensors.find(({ name }) => name === 'blk.2.ffn_norm.weight')!;
    expect(norm.type).toBe('F32');
    const file = await open(text, 'r+');
    await file.write(new Uint8Array(Float32Array.of(NaN).buffer), 0, 4, dataStart + norm.offset + 40);
    await file.close();
    const given = options('nan', { model: text, mmproj });
    await expect(trainAdapter(given)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/blk\.2\.ffn_norm\.weight.*NaN/s) as string,
    });
    await expect(readFile(given.output)).rejects.toThrow(/ENOENT/);
  });
});

/** Where a hundred thousand numbers differ, listing how takes minutes. */
function sameBits(a: Float32Array, b: Float32Array): boolean {
  return Buffer.compare(Buffer.from(a.buffer), Buffer.from(b.buffer)) === 0;
}

/** Takes all the room that a disk has left. */
function fillUp(file: string): void {
  const handle = openSync(file, 'w');
  const piece = Buffer.alloc(4096);
  try {
    for (;;) writeSync(handle, piece);
  } catch {
    closeSync(handle);
  }
}

interface StoredPair {
  chosen: unknown;
  rejected: unknown;
  images: unknown[];
}

async function rewrite(folder: string, change: (pair: StoredPair) => void): Promise<void> {
  const file = join(folder, 'dpo.json');
  const pairs = JSON.parse(await readFile(file, 'utf8')) as StoredPair[];
  pairs.forEach(change);
  await writeFile(file, JSON.stringify(pairs));
}

function ties(folder: string): Promise<void> {
  return rewrite(folder, (pair) => (pair.rejected = pair.chosen));
}

function fewerImages(folder: string): Promise<void> {
  return rewrite(folder, (pair) => pair.images.pop());
}

async function damage(folder: string): Promise<void> {
  const file = join(folder, 'images/0.png');
  const bytes = await readFile(file);
  await writeFile(file, bytes.subarray(0, bytes.length - 40));
}
