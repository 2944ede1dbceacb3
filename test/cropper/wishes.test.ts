import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCropper, type Cropper } from '../../src/cropper/cropper.js';
import type { CropOptions } from '../../src/cropper/options.js';
import { readHints } from '../../src/batch/hints.js';
import { cropResultSchema, ENGINES, type CropResult } from '../../src/base/schema.js';
import { examplePhoto } from '../support/photos.js';

/** The engine faces needs packages of its own; see test/faces. */
const WITHOUT_PACKAGES = ENGINES.filter((name) => name !== 'faces');

let folder: string;
let rules: Cropper;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'framewright-wishes-'));
  rules = await openCropper({ engine: 'rules' });
});
afterAll(async () => {
  await rules.dispose();
  await rm(folder, { recursive: true });
});

describe('a focus', () => {
  test.each(WITHOUT_PACKAGES)('is in the middle third of the crop of %s, and its focal point', async (engine) => {
    await using cropper = await openCropper({ engine });
    // Away from every edge, so that nothing is in the way.
    const focus = [330, 330] as const;
    const { crop, focalPoint, candidates } = await cropper.crop(examplePhoto('dogs'), { aspect: '1:1', focus });
    for (const [at, start, length] of [
      [focus[0], crop.x, crop.width],
      [focus[1], crop.y, crop.height],
    ] as const) {
      // Less than a third from the start only where the photo begins there.
      expect((at + 0.5 - start) / length).toBeGreaterThanOrEqual(start > 0 ? 1 / 3 : 0);
      expect((at + 0.5 - start) / length).toBeLessThanOrEqual(2 / 3);
    }
    expect(focalPoint).toEqual({ x: 0.4136, y: 0.2754 });
    for (const { box } of candidates) {
      expect(box[0] <= focus[0] && box[1] <= focus[1] && focus[0] < box[2] && focus[1] < box[3]).toBe(true);
    }
  });

  test('in a corner is in the crop, with room around it', async () => {
    const { crop } = await rules.crop(examplePhoto('dogs'), { focus: { x: 1, y: 1 } });
    expect([crop.x + crop.width, crop.y + crop.height]).toEqual([799, 1200]);
  });

  test('outside the photo is refused', async () => {
    await expect(rules.crop(examplePhoto('dogs'), { focus: [799, 2000] })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('confidence', () => {
  const crop = (options: CropOptions): Promise<CropResult> => rules.crop(examplePhoto('dogs'), options);

  test('is the score of the best candidate', async () => {
    const { confidence, candidates, best } = await crop({});
    expect(confidence).toBe(candidates[best]!.modelScore);
    expect(confidence).toBe(Math.max(...candidates.map(({ modelScore }) => modelScore)));
    expect((await crop({ candidates: 1 })).confidence).toBe(1);
  });

  test('at least as asked for changes nothing, below it the crop is left for review', async () => {
    const { timingsMs: _, ...plain } = await crop({});
    const { timingsMs: __, ...sure } = await crop({ minConfidence: plain.confidence! });
    expect(sure).toEqual(plain);
    const { timingsMs: ___, ...unsure } = await crop({ minConfidence: plain.confidence! + 1e-6 });
    expect(unsure).toEqual({ ...plain, verdict: 'review', fallback: 'review' });
  });

  test.each(['saliency', 'centre', 'full', 'keep'] as const)('too low gives the crop of %s', async (fallback) => {
    for (const aspect of [undefined, '16:9']) {
      const target = aspect === undefined ? {} : { aspect };
      const asked = await crop(target);
      const result = await crop({ ...target, minConfidence: 1, fallback });
      expect(cropResultSchema.parse(result)).toEqual(result);
      const engine = fallback === 'keep' ? 'full' : fallback;
      await using other = await openCropper({ engine });
      const theirs = await other.crop(examplePhoto('dogs'), target);
      expect(result.crop).toEqual(theirs.crop);
      expect(result.verdict).toBe(theirs.verdict);
      expect(result.fallback).toBe(fallback);
      expect(result.confidence).toBe(asked.confidence);
      expect(result.analysis).toEqual(asked.analysis);
      expect(result.engine).toBe(fallback === 'keep' ? 'rules' : fallback);
      expect(result.candidates).toEqual(fallback === 'keep' ? asked.candidates : theirs.candidates);
    }
  });

  test('is asked of each target by itself', async () => {
    const plain: CropResult[] = [];
    const aspects = ['1:1', '16:9', '3:4'];
    for await (const result of rules.cropAll([examplePhoto('pagoda')], { aspects })) plain.push(result);
    const middle = plain.map(({ confidence }) => confidence!).sort((a, b) => a - b)[1]!;
    const verdicts: string[] = [];
    for await (const { verdict } of rules.cropAll([examplePhoto('pagoda')], { aspects, minConfidence: middle })) {
      verdicts.push(verdict);
    }
    expect(verdicts).toEqual(plain.map(({ confidence }) => (confidence! < middle ? 'review' : 'crop')));
    expect(new Set(verdicts).size).toBe(2);
  });

  test('outside 0 to 1 is refused', async () => {
    await expect(crop({ minConfidence: 1.1 })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('wishes of single photos', () => {
  test('take the place of those of the batch, and a wrong one is the error of its photo', async () => {
    const input = await readFile(examplePhoto('pagoda'));
    const tasks = [
      examplePhoto('dogs'),
      { input, name: 'the second', aspects: ['1:1', '2:3'] },
      { input, name: 'the third', keep: [{ x: 0, y: 0, width: 9000, height: 1 }] },
      { input, name: 'the fourth', sizes: ['30x20'] },
    ];
    await using cropper = await openCropper({ engine: 'full' });
    const seen: unknown[] = [];
    for await (const { results, ...rest } of cropper.cropEach(tasks, { aspects: ['4:5'] })) {
      seen.push(results?.map(({ target }) => target.aspect ?? target.size) ?? ('error' in rest && rest.error));
    }
    expect(seen).toEqual([
      ['4:5'],
      ['1:1', '2:3'],
      expect.objectContaining({ code: 'USAGE' }),
      [{ widthPx: 30, heightPx: 20 }],
    ]);
  });
});

describe('a hints file', () => {
  const read = async (...lines: readonly string[]): ReturnType<typeof readHints> => {
    const file = path.join(folder, 'hints.jsonl');
    await writeFile(file, lines.join('\n'));
    return readHints(file);
  };

  test('says what is wished of photos, by absolute path; lines about one photo add up', async () => {
    const hints = await read(
      '{"path": "a.jpg", "keep": [[1, 2, 30, 40], {"x": 5, "y": 6, "width": 7, "height": 8}], "aspect": "4:5"}',
      '',
      '{"path": "./b.jpg", "focus": {"x": 0.5, "y": 0.25}, "instruct": "more sky", "minSize": 0.1}',
      '{"path": "a.jpg", "focus": [420, 310], "size": "1080x1350", "aspect": "1:1"}',
    );
    expect([...hints.keys()]).toEqual([path.resolve('a.jpg'), path.resolve('b.jpg')]);
    expect([...hints.values()].map(({ wishes }) => wishes)).toEqual([
      {
        keep: [
          { x: 1, y: 2, width: 30, height: 40 },
          { x: 5, y: 6, width: 7, height: 8 },
        ],
        aspects: ['4:5', '1:1'],
        sizes: ['1080x1350'],
        focus: [420, 310],
      },
      { focus: { x: 0.5, y: 0.25 }, instruct: 'more sky', minSize: 0.1 },
    ]);
  });

  test.each([
    ['{"path": "a.jpg", "focsu": [1, 2]}', /focsu/],
    ['{"path": "a.jpg", "keep": [[1, 2, 3]]}', /keep\.0/],
    ['{"path": "a.jpg", "focus": {"x": 2, "y": 0}}', /focus/],
    ['{"path": "a.jpg", "aspect": "wide"}', /"wide" is not an aspect ratio/],
    ['{"focus": [1, 2]}', /path/],
    ['[1]', /object/],
    ['{"path": ', /JSON/],
  ])('%s is refused with file and line', async (line, why) => {
    const refused = read('{"path": "first.jpg"}', line);
    await expect(refused).rejects.toMatchObject({ code: 'USAGE', message: expect.stringMatching(why) as string });
    await expect(refused).rejects.toThrow(/hints\.jsonl:2 is no hint: /);
  });

  test('that is empty or missing is said', async () => {
    await expect(read('')).rejects.toThrow(/holds no hints/);
    await expect(readHints(path.join(folder, 'none.jsonl'))).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' });
  });
});
