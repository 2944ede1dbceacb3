import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCropper, type Cropper } from '../../../src/cropper/cropper.js';
import { analystOf } from '../../../src/train/export/analyst.js';
import { checkExport } from '../../../src/train/export/check-export.js';
import { exportTaste, type ExportOptions } from '../../../src/train/export/export-taste.js';
import { trainingUse } from '../../../src/train/export/use.js';
import type { ExportFacts } from '../../../src/train/export/export-schema.js';
import { readSource } from '../../../src/train/sources/read-source.js';
import { canMount, mountSmallDisk, unmount } from '../../support/small-disk.js';
import { declareWhere } from '../../support/system-tools.js';
import { describePage } from '../../report/browser.js';
import { rejection } from '../../photo/thrown.js';
import { ratedCrops, writeLines, writeScenes, type ScenePhoto } from '../scenes.js';

let root: string;
let cropper: Cropper;
let photos: ScenePhoto[];
let labels: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'framewright-export-'));
  cropper = await openCropper({ engine: 'rules' });
  photos = await writeScenes(path.join(root, 'photos'), 10);
  labels = path.join(root, 'photos', 'labels.jsonl');
  await writeLines(
    labels,
    photos.map(({ name, size, elements }, i) => ({
      photo: name,
      crops: ratedCrops(size),
      ...(i % 2 === 0 && { elements }),
    })),
  );
});
afterAll(async () => {
  await cropper.dispose();
  await rm(root, { recursive: true, force: true });
});

let nFolders = 0;
const freshName = (): string => path.join(root, `out-${nFolders++}`);

async function exported(given: Partial<ExportOptions> & { readonly lines?: string } = {}): Promise<{
  folder: string;
  facts: ExportFacts;
}> {
  const { lines = labels, ...changed } = given;
  const options: ExportOptions = {
    ...(await trainingUse({ model: 'nano' })),
    source: changed.source ?? (await readSource('own', lines, { seed: 0 })),
    out: freshName(),
    analyst: analystOf(cropper),
    candidates: 5,
    pairs: { count: 2, hardness: 'mixed' },
    kinds: ['proposal', 'decision'],
    heldOutShare: 0.2,
    samples: 4,
    seed: 1,
    ...changed,
  };
  return { folder: options.out, facts: await exportTaste(options) };
}

/** Every file's hash by its name below the folder. */
async function contentOf(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const hashes = files.map(async (file) => {
    const hash = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    return [path.relative(folder, file), hash] as const;
  });
  return Object.fromEntries((await Promise.all(hashes)).sort());
}

describe('an export', () => {
  let whole: Awaited<ReturnType<typeof exported>>;
  beforeAll(async () => {
    whole = await exported();
  });

  test('holds to its format, with two questions of every photo and its split by photo', async () => {
    const { facts, sft, dpo } = await checkExport(whole.folder);
    expect(facts.counts).toEqual({
      train: { photos: 8, sft: 8, dpo: 32 },
      heldout: { photos: 2, sft: 2, dpo: 8 },
    });
    expect(facts.leftOut).toEqual([]);
    for (const record of sft.train) {
      expect(record.conversations.map(({ from }) => from)).toEqual(['human', 'gpt', 'human', 'gpt', 'human', 'gpt']);
      expect(record.images).toHaveLength(2);
      expect(record.system).toBeUndefined();
    }
    expect(new Set(dpo.train.map(({ conversations }) => conversations.length))).toEqual(new Set([3, 5]));
  });

  test('has frames for images, with the positions a nano is shown, and the composition on every second one', async () => {
    const { facts } = whole;
    for (const { image, enhanced, frame } of facts.photos) {
      const read = async (name: string): Promise<Buffer> => sharp(path.join(whole.folder, name)).raw().toBuffer();
      const [plain, drawn] = [await read(image), await read(enhanced!)];
      expect(plain).toHaveLength(3 * frame.width * frame.height);
      expect([frame.width % 28, frame.height % 28]).toEqual([0, 0]);
      expect(frame.width * frame.height).toBeLessThanOrEqual(50_176);
      // Column 0 of the first patch says where its centre is.
      expect(plain[0]).toBe(Math.round((255 * 7) / frame.width));
      expect(plain.equals(drawn)).toBe(false);
    }
  });

  test('shows parts of the photos it trains on, asked for, with the crops that lie in them', async () => {
    const { folder, facts } = await exported({ parts: 2, pairs: { count: 1, hardness: 'mixed' } });
    const { sft } = await checkExport(folder);
    const parts = facts.photos.filter(({ part }) => part);
    expect(parts).toHaveLength(16);
    expect(parts.every(({ split }) => split === 'train')).toBe(true);
    expect(facts.counts.train.photos).toBe(8);
    expect(sft.train).toHaveLength(24);
    expect(sft.heldout).toHaveLength(2);
    for (const { id, part, frame } of parts) {
      const [left, top, right, bottom] = part!;
      const { size } = photos.find(({ name }) => name === id)!;
      expect(right - left < size.width || bottom - top < size.height).toBe(true);
      const ratio = (right - left) / (bottom - top);
      expect(Math.abs(Math.log(frame.width / frame.height / ratio))).toBeLessThan(0.2);
    }
  });

  test('prefers crops of better ratings, and never the same one', async () => {
    const { dpo } = await checkExport(whole.folder);
    const decisions = dpo.train.filter(({ conversations }) => conversations.length === 5);
    expect(decisions).toHaveLength(16);
    const ratingOf = (record: (typeof decisions)[number], answer: string): number => {
      const list = [...record.conversations[4]!.value.matchAll(/\d: \[(\d+),(\d+),/g)].map((m) =>
        m.slice(1, 3).map(Number),
      );
      const [x, y] = list[Number(/"best":(\d)/.exec(answer)![1]) - 1]!;
      return -(x! + y!);
    };
    for (const record of decisions) {
      expect(ratingOf(record, record.chosen.value)).toBeGreaterThan(ratingOf(record, record.rejected.value));
    }
  });

  test('is the same to the byte for the same seed, and another for another', async () => {
    const again = await exported();
    expect(await contentOf(again.folder)).toEqual(await contentOf(whole.folder));
    const other = await exported({ seed: 2 });
    expect((await contentOf(other.folder))['dpo.json']).not.toBe((await contentOf(whole.folder))['dpo.json']);
  });

  test('says to LLaMA-Factory what none of its images is larger than, and to train a new adapter on the first', async () => {
    const read = (name: string): Promise<string> => readFile(path.join(whole.folder, 'llamafactory', name), 'utf8');
    const [sft, dpo] = [await read('sft.yaml'), await read('dpo.yaml')];
    const most = Math.max(...whole.facts.photos.map(({ frame }) => frame.width * frame.height));
    for (const text of [sft, dpo]) {
      const of = (key: string): string | undefined => new RegExp(`^${key}: (.*)$`, 'm').exec(text)?.[1];
      expect(Number(of('image_max_pixels'))).toBeGreaterThanOrEqual(most);
      expect(Number(of('image_min_pixels'))).toBeLessThanOrEqual(28 * 28);
      expect([of('lora_rank'), of('lora_alpha'), of('template')]).toEqual(['16', '32', 'qwen2_vl']);
      expect(of('default_system')).toBe('""');
    }
    expect(sft).toMatch(/^learning_rate: 1.0e-4$/m);
    expect(dpo).toMatch(/^learning_rate: 1.0e-5$/m);
    expect(dpo).toMatch(/^pref_beta: 0.2$/m);
    expect(dpo).toMatch(/^adapter_name_or_path: saves\/sft\ncreate_new_adapter: true$/m);
    const info = JSON.parse(await readFile(path.join(whole.folder, 'dataset_info.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(info.crop_dpo).toMatchObject({ file_name: 'dpo.json', ranking: true, formatting: 'sharegpt' });
  });

  describe('is found wrong', () => {
    const broken = async (name: string, change: (text: string) => string): Promise<Error> => {
      const copy = freshName();
      await cp(whole.folder, copy, { recursive: true });
      const file = path.join(copy, name);
      await writeFile(file, change(await readFile(file, 'utf8')));
      return rejection(checkExport(copy));
    };

    test.each([
      [
        'without an image tag',
        'sft.json',
        (text: string) => text.replace('<image>propose', 'propose'),
        /as many <image> tags/,
      ],
      [
        'with a box outside',
        'sft.json',
        (text: string) => text.replace(/"value":"\{\\"box\\":\[\d+/, '$&999'),
        /outside its image/,
      ],
      [
        'with a pair that is a tie',
        'dpo.json',
        (text: string) =>
          text.replace(/"chosen":(\{.*?\}),"rejected":\{.*?\},"images"/, '"chosen":$1,"rejected":$1,"images"'),
        /chosen and rejected are the same/,
      ],
      [
        'with turns out of order',
        'sft.json',
        (text: string) => text.replace('"from":"human"', '"from":"gpt"'),
        /alternate/,
      ],
      [
        'with an image that is not there',
        'sft.json',
        (text: string) => text.replace('images/0', 'images/9'),
        /cannot be read/,
      ],
      [
        'with other counts',
        'export.json',
        (text: string) => text.replace(/"sft": \d+/, '"sft": 99'),
        /counts other records/,
      ],
      ['with half a file', 'dpo.json', (text: string) => text.slice(0, -200), /cannot be read/],
    ] as const)('%s', async (_, file, change, message) => {
      expect((await broken(file, change)).message).toMatch(message);
    });

    test('with a photo on both sides', async () => {
      const held = JSON.parse(await readFile(path.join(whole.folder, 'sft.heldout.json'), 'utf8')) as object[];
      const error = await broken('sft.json', (text) =>
        JSON.stringify([...(JSON.parse(text) as object[]).slice(1), held[0]]),
      );
      expect(error.message).toMatch(/is trained on and held out/);
    });
  });

  describePage(
    () => readFile(path.join(whole.folder, 'samples.html'), 'utf8'),
    (opened) => {
      test('its samples show with their drawings, and ask the net for nothing', async () => {
        const { page, complaints, requests } = opened;
        expect(await page.locator('article').count()).toBe(4);
        expect(await page.locator('article').first().locator('rect.best').count()).toBe(1);
        expect(await page.locator('article').first().locator('rect.rejected').count()).toBe(2);
        await page.locator('#pairs').uncheck();
        expect(await page.locator('rect.rejected').count()).toBe(0);
        expect(complaints).toEqual([]);
        expect(requests.filter((url) => !url.startsWith('file:') && !url.startsWith('data:'))).toEqual([]);
      });
    },
  );
});

describe('for a large model', () => {
  test('the full prompts, sentences for reasons, and its own frames', async () => {
    const { folder } = await exported({
      ...(await trainingUse({ imageTokens: 80 })),
      source: await readSource('own', labels, { seed: 0 }).then((source) => ({
        ...source,
        photos: source.photos.slice(0, 2),
      })),
      heldOutShare: 0,
    });
    const { sft, facts } = await checkExport(folder);
    const [first] = sft.train;
    expect(first!.system).toMatch(/^You are a photographer/);
    expect(first!.conversations[0]!.value).toMatch(/^<image>The image is \d+ x \d+ pixels/);
    expect(first!.conversations[2]!.value).toMatch(/^<image>This is the same image with those elements drawn on it/);
    const reasons = [...first!.conversations[3]!.value.matchAll(/"label": "(.*)"\}/g)].map(([, why]) => why!);
    expect(reasons).toHaveLength(5);
    for (const why of reasons) expect(why).toMatch(/^The [a-z ,]+\.$|^There is [a-z ,]+\.$/);
    expect(facts.positionRamps).toBe(false);
    expect(await readFile(path.join(folder, 'llamafactory', 'sft.yaml'), 'utf8')).not.toMatch(
      /default_system|eval_dataset/,
    );
  });

  test('of the family after it, frames in its steps, its coordinates and its template', async () => {
    const { folder } = await exported({
      ...(await trainingUse({ family: 'qwen3vl', imageTokens: 80 })),
      heldOutShare: 0,
    });
    const { sft, facts } = await checkExport(folder);
    for (const { frame } of facts.photos) expect([frame.width % 32, frame.height % 32]).toEqual([0, 0]);
    const answers = sft.train.flatMap(({ conversations }) => conversations.filter(({ from }) => from === 'gpt'));
    const numbers = answers.flatMap(({ value }) => [...value.matchAll(/(?<=[[ ])\d+(?=[\],])/g)].map(Number));
    expect(Math.max(...numbers)).toBe(1000);
    for (const { system, conversations } of sft.train) {
      expect(system).toContain('whole numbers from 0 to 1000');
      expect(conversations[0]!.value).toMatch(/^<image>Name the elements/);
    }
    expect(await readFile(path.join(folder, 'llamafactory', 'dpo.yaml'), 'utf8')).toMatch(
      /^template: qwen3_vl_nothink$/m,
    );
  });
});

describe('near duplicates', () => {
  test('are left out and named, in other sizes, mirrored, and across the source’s own division', async () => {
    const folder = path.join(root, 'duplicates');
    const scenes = await writeScenes(folder, 4);
    const copy = async (of: number, name: string, change: (image: Sharp) => Sharp): Promise<void> => {
      const image = change(sharp(scenes[of]!.path));
      await image.jpeg({ quality: 60 }).toFile(path.join(folder, name));
    };
    await copy(0, 'half.jpg', (image) => image.resize(200));
    await copy(1, 'mirrored.jpg', (image) => image.flop());
    await copy(2, 'bright.jpg', (image) => image.modulate({ brightness: 1.1 }));
    const line = (photo: string, split?: string): object => ({
      photo,
      boxes: [[0, 0, 180, 180]],
      ...(split && { split }),
    });
    const lines = path.join(folder, 'labels.jsonl');
    await writeLines(lines, [
      ...scenes.map(({ name }) => line(name, name === 'scene-2.png' ? 'train' : undefined)),
      line('half.jpg'),
      line('mirrored.jpg'),
      line('bright.jpg', 'heldout'),
    ]);
    const { facts } = await exported({ lines });
    expect(facts.leftOut).toEqual([
      { id: 'half.jpg', reason: 'shows the same as scene-0.png' },
      { id: 'mirrored.jpg', reason: 'shows the same as scene-1.png' },
      { id: 'scene-2.png', reason: 'shows the same as bright.jpg, which is held out' },
    ]);
    expect(facts.photos.map(({ id }) => id).sort()).toEqual([
      'bright.jpg',
      'scene-0.png',
      'scene-1.png',
      'scene-3.png',
    ]);
    const apart = await exported({ lines, apartFrom: [path.join(folder, 'half.jpg')] });
    expect(apart.facts.leftOut).toContainEqual({
      id: 'scene-0.png',
      reason: `shows the same as ${path.join(folder, 'half.jpg')}, which is to be kept apart`,
    });
  });
});

describe('bad input', () => {
  const withLines = async (lines: readonly object[]): Promise<string> => {
    const file = path.join(root, 'photos', `bad-${nFolders++}.jsonl`);
    await writeLines(file, lines);
    return file;
  };
  const good = { photo: 'scene-0.png', boxes: [[0, 0, 200, 150]] };

  test('among much that is good is named, and the rest exported', async () => {
    await writeFile(path.join(root, 'photos', 'cut.png'), (await readFile(photos[1]!.path)).subarray(0, 4000));
    const lines = await withLines([
      good,
      { photo: 'gone.png', boxes: [[0, 0, 9, 9]] },
      { photo: 'cut.png', boxes: [[0, 0, 150, 150]] },
      { photo: 'scene-2.png', boxes: [[0, 0, 9999, 150]] },
      { photo: 'scene-3.png', boxes: [[0, 0, 30, 30]] },
    ]);
    const { facts } = await exported({ lines, heldOutShare: 0 });
    const reasonOf = (id: RegExp): string => facts.leftOut.find((problem) => id.test(problem.id))!.reason;
    expect(facts.photos.map(({ id }) => id)).toEqual(['scene-0.png']);
    expect(reasonOf(/gone/)).toMatch(/is missing or no photo/);
    expect(reasonOf(/cut/)).toMatch(/truncated|damaged|ends early|corrupt/i);
    expect(reasonOf(/own photos/)).toMatch(/bad-\d+\.jsonl:4: the box \[0, 0, 9999, 150\] is outside/);
    expect(reasonOf(/scene-3/)).toMatch(/no crop of it is one that may be proposed/);
  });

  test.each([
    [
      'only missing photos',
      [{ photo: 'gone.png', boxes: [[0, 0, 9, 9]] }],
      /nothing of own photos is left to train on.*gone\.png/,
    ],
    [
      'only ties',
      [{ photo: 'scene-0.png', pairs: [{ chosen: [0, 0, 200, 150], rejected: [0, 0, 200, 150] }] }],
      /nothing .* is left .*a tie/,
    ],
    [
      'only ratings that are ties',
      [
        {
          photo: 'scene-0.png',
          crops: [
            { box: [0, 0, 200, 150], mos: 3 },
            { box: [50, 20, 250, 180], mos: 3 },
          ],
        },
      ],
      /no pair to prefer one crop of: all ratings are ties.*--pairs 0/,
    ],
  ] as const)('%s is an error that says so, and leaves no folder', async (_, lines, message) => {
    const out = freshName();
    const error = await rejection(exported({ lines: await withLines(lines), out }));
    expect(error).toMatchObject({ code: 'DATASET_INVALID', message: expect.stringMatching(message) as string });
    expect((await readdir(root)).filter((name) => name.includes('.tmp') || name === path.basename(out))).toEqual([]);
  });

  test('no line, and a line of another shape, are errors with file and line', async () => {
    expect(await rejection(readSource('own', await withLines([{ photo: 'a', crop: [] }]), { seed: 0 }))).toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/bad-\d+\.jsonl:1 is no training line/) as string,
    });
  });

  test('a folder that is not empty, or a file, is refused before any work', async () => {
    const out = freshName();
    await mkdir(out);
    await writeFile(path.join(out, 'mine.txt'), 'mine');
    expect(await rejection(exported({ out }))).toMatchObject({ code: 'OUTPUT_EXISTS' });
    expect(await rejection(exported({ out: path.join(out, 'mine.txt') }))).toMatchObject({ code: 'OUTPUT_EXISTS' });
    expect(await readdir(out)).toEqual(['mine.txt']);
  });

  test('stopped midway leaves nothing', async () => {
    const stop = new AbortController();
    const out = freshName();
    const reason = new Error('enough');
    const onProgress = (text: string): void => {
      if (text.startsWith('3 of')) stop.abort(reason);
    };
    await expect(exported({ out, signal: stop.signal, onProgress })).rejects.toBe(reason);
    expect((await readdir(root)).filter((name) => name.includes('.tmp') || name === path.basename(out))).toEqual([]);
  });

  declareWhere(canMount, 'a full disk', 'the right to mount one', () => {
    test('is told, and nothing is left on it', async () => {
      const disk = path.join(root, 'disk');
      await mkdir(disk);
      mountSmallDisk(disk, '600k');
      try {
        const error = await rejection(exported({ out: path.join(disk, 'data') }));
        expect(error).toMatchObject({
          code: 'OUTPUT_WRITE',
          message: expect.stringMatching(/disk or quota is full/) as string,
        });
        expect(await readdir(disk)).toEqual([]);
      } finally {
        unmount(disk);
      }
    });
  });
});
