import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { engineChain } from '../../src/base/engine-names.js';
import { FramewrightError } from '../../src/base/errors.js';
import { contains, type Box } from '../../src/base/geometry.js';
import { cropResultSchema, type CropResult, type EngineName } from '../../src/base/schema.js';
import { cropPhoto } from '../../src/crop/pipeline.js';
import { framePhoto, withHeads } from '../../src/crop/ready-photo.js';
import { parseTargets } from '../../src/crop/target.js';
import type { CropWishes } from '../../src/crop/wishes.js';
import type { EngineChain, PhotoEngine } from '../../src/engines/engine.js';
import { plainEngine } from '../../src/engines/plain-engine.js';
import { openCropper, runBatch, type CropOptions } from '../../src/index.js';
import { examplePhoto } from '../support/photos.js';

async function cropBy(engine: EngineName | readonly EngineName[], options: CropOptions): Promise<CropResult> {
  await using cropper = await openCropper({ engine });
  const result = await cropper.crop(examplePhoto('dogs'), options);
  expect(cropResultSchema.parse(result)).toEqual(result);
  return result;
}

function untimed({ timingsMs: _, ...result }: CropResult): Omit<CropResult, 'timingsMs'> {
  return result;
}

/** As one of a model whose answer never has the form asked for. */
const speechless: PhotoEngine = {
  ...plainEngine('rules'),
  name: 'vlm',
  takeOn: (photo, call) => {
    const steps = plainEngine('rules').takeOn(photo, call);
    return {
      analyse: () => steps.analyse(),
      enhance: (analysed) => steps.enhance(analysed),
      forEachTarget: (from, work) => steps.forEachTarget(from, work),
      propose: () => Promise.reject(new FramewrightError('ANSWER_INVALID', 'no box in it')),
      decide: (proposed, target) => steps.decide(proposed, target),
      [Symbol.asyncDispose]: () => steps[Symbol.asyncDispose](),
    };
  },
};

async function cropWithHeads(
  engines: EngineChain,
  heads: readonly Box[],
  wishes: CropWishes = {},
): Promise<readonly CropResult[]> {
  const ready = await framePhoto(examplePhoto('dogs'), engines[0], {});
  const decode = () =>
    Promise.resolve(
      withHeads(
        ready,
        heads.map((box) => ({ box, isSure: true })),
      ),
    );
  return (await cropPhoto({ decode, engines, targets: parseTargets(['1:1', '9:16'], []), wishes })).results;
}

describe('the next engine of a chain', () => {
  test('is asked where the one before is not sure enough, and gives what it gives alone', async () => {
    for (const aspect of [undefined, '16:9']) {
      const target = aspect === undefined ? {} : { aspect };
      const unsure = await cropBy('rules', target);
      const alone = await cropBy('centre', { ...target, minConfidence: 1 });
      const { passedOver, ...chained } = await cropBy(['rules', 'centre'], { ...target, minConfidence: 1 });
      expect(untimed(chained)).toEqual({ ...untimed(alone), analysis: unsure.analysis });
      const detail = `its confidence is ${unsure.confidence}, and 1 was asked for`;
      expect(passedOver).toEqual([{ engine: 'rules', reason: 'unsure', detail, confidence: unsure.confidence }]);
    }
  });

  test('is not asked where the one before is sure', async () => {
    const alone = await cropBy('rules', {});
    expect(untimed(await cropBy(['rules', 'centre'], {}))).toEqual(untimed(alone));
    expect(untimed(await cropBy(['rules', 'centre'], { minConfidence: alone.confidence! }))).toEqual(untimed(alone));
  });

  test('is asked for each ratio by itself', async () => {
    const aspects = ['1:1', '16:9', '3:4'];
    await using rules = await openCropper({ engine: 'rules' });
    await using chain = await openCropper({ engine: ['rules', 'full'] });
    expect([chain.engine, chain.engines]).toEqual(['rules', ['rules', 'full']]);
    const plain: CropResult[] = [];
    for await (const result of rules.cropAll([examplePhoto('pagoda')], { aspects })) plain.push(result);
    const minConfidence = plain.map(({ confidence }) => confidence!).sort((a, b) => a - b)[1]!;
    const engines: string[] = [];
    for await (const { engine } of chain.cropAll([examplePhoto('pagoda')], { aspects, minConfidence })) {
      engines.push(engine);
    }
    expect(engines).toEqual(plain.map(({ confidence }) => (confidence! < minConfidence ? 'full' : 'rules')));
    expect(new Set(engines).size).toBe(2);
  });

  test('takes over from a model that is not sure, and its frame from no other engine', async () => {
    const alone = await cropBy('rules', { aspect: '4:5' });
    const chained = await cropBy(['vlm', 'rules'], { aspect: '4:5', minConfidence: 0.45 });
    const { passedOver, ...result } = chained;
    expect(untimed(result)).toEqual(untimed(alone));
    expect(passedOver).toMatchObject([{ engine: 'vlm', reason: 'unsure' }]);
  });

  test('has nothing to do with a crop that none of them is sure of: it is the first one, for review', async () => {
    const alone = await cropBy('vlm', { aspect: '4:5' });
    const unsure = await cropBy(['vlm', 'rules'], { aspect: '4:5', minConfidence: 1 });
    const { passedOver, ...result } = unsure;
    expect(untimed(result)).toEqual({ ...untimed(alone), verdict: 'review', fallback: 'review' });
    expect(passedOver).toMatchObject([{ engine: 'rules', reason: 'unsure' }]);
  });

  test('is before the fallback, whose crop stands however sure it is', async () => {
    const alone = await cropBy('saliency', { aspect: '4:5' });
    const result = await cropBy(['vlm', 'rules'], { aspect: '4:5', minConfidence: 1, fallback: 'saliency' });
    expect(result).toMatchObject({ engine: 'saliency', fallback: 'saliency', crop: alone.crop });
    expect(result.passedOver).toMatchObject([
      { engine: 'vlm', reason: 'unsure', confidence: result.confidence },
      { engine: 'rules', reason: 'unsure' },
    ]);
  });

  test('is asked where the one before has no crop within the wishes', async () => {
    // No window of smartcrop's grid holds it.
    const wishes = { aspect: '1:1', keep: [{ x: 0, y: 207, width: 799, height: 780 }] };
    await expect(cropBy('saliency', wishes)).rejects.toMatchObject({ code: 'ASPECT_IMPOSSIBLE' });
    const { passedOver, ...result } = await cropBy(['saliency', 'rules'], wishes);
    expect(untimed(result)).toEqual(untimed(await cropBy('rules', wishes)));
    expect(passedOver).toMatchObject([{ engine: 'saliency', reason: 'impossible' }]);
  });

  test('is asked where a model has given no valid answer', async () => {
    await expect(cropWithHeads([speechless], [])).rejects.toMatchObject({ code: 'ANSWER_INVALID' });
    for (const { engine, passedOver } of await cropWithHeads([speechless, plainEngine('centre')], [])) {
      expect(engine).toBe('centre');
      expect(passedOver).toEqual([{ engine: 'vlm', reason: 'invalid', detail: 'no box in it' }]);
    }
    const both = cropWithHeads([speechless, { ...speechless, name: 'retrieval' }], []);
    await expect(both).rejects.toMatchObject({ code: 'ANSWER_INVALID' });
  });

  test('costs nothing of what the one before has, where it fails itself', async () => {
    const results = await cropWithHeads([plainEngine('rules'), speechless], [], { minConfidence: 1 });
    for (const { engine, verdict, passedOver } of results) {
      expect([engine, verdict]).toEqual(['rules', 'review']);
      expect(passedOver).toMatchObject([{ engine: 'vlm', reason: 'invalid' }]);
    }
  });
});

describe('the engine faces', () => {
  const HEADS: readonly Box[] = [
    [256, 212, 419, 468],
    [369, 470, 539, 734],
  ];
  const faces = plainEngine('faces');

  test('crops around heads, which are its subject', async () => {
    const results = await cropWithHeads([faces, plainEngine('centre')], HEADS, { minConfidence: 1 });
    expect(results).toHaveLength(2);
    for (const { engine, analysis, candidates, confidence, heads, passedOver } of results) {
      expect({ engine, confidence, heads, passedOver }).toEqual({ engine: 'faces', heads: HEADS });
      const [x1, y1, x2, y2] = analysis.flatMap((each) => ('box' in each ? [each.box as Box] : []))[0]!;
      // Within a pixel of the frame, which is smaller than the photo.
      for (const [seen, there] of [
        [x1, 256],
        [y1, 212],
        [x2, 539],
        [y2, 734],
      ] as const)
        // prettier-ignore
        expect(Math.abs(seen - there)).toBeLessThanOrEqual(3);
      for (const { box } of candidates) for (const head of HEADS) expect(contains(box, head)).toBe(true);
    }
  });

  test('leaves a photo without any to the next one', async () => {
    for (const result of await cropWithHeads([faces, plainEngine('centre')], [])) {
      expect(result.engine).toBe('centre');
      expect(result.passedOver).toEqual([
        { engine: 'faces', reason: 'nothing', detail: 'no face was found that surely is one' },
      ]);
    }
  });

  test('crops around no head that may be none, though it is kept whole', async () => {
    const engines = [faces, plainEngine('centre')] as const;
    const ready = await framePhoto(examplePhoto('dogs'), faces, {});
    const decode = () => Promise.resolve(withHeads(ready, [{ box: HEADS[0]!, isSure: false }]));
    const { results } = await cropPhoto({ decode, engines, targets: parseTargets(['9:16'], []), wishes: {} });
    expect(results).toMatchObject([{ engine: 'centre', heads: [HEADS[0]] }]);
    for (const { box } of results[0]!.candidates) expect(contains(box, HEADS[0]!)).toBe(true);
  });

  test('alone has no crop of such a photo', async () => {
    await expect(cropWithHeads([faces], [])).rejects.toMatchObject({
      code: 'NOTHING_FOUND',
      message: expect.stringMatching(
        /dogs\.jpg: no face was found that surely is one; .*--engine faces,rules/,
      ) as string,
    });
  });

  test('is not sure of anything by scores, which is told where no other engine is', async () => {
    await expect(cropWithHeads([faces], HEADS, { minConfidence: 0.5 })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('the engine faces has no scores') as string,
    });
  });
});

describe('a chain', () => {
  test.each<[readonly string[], RegExp]>([
    [['face', 'rules'], /one of vlm, .* received "face"; did you mean "faces"\?/],
    [['rules', 'rules'], /the engine rules is named twice/],
    [['faces', 'centre', 'rules', 'vlm'], /centre has a crop for every photo, and rules, vlm is never asked/],
    [['full', 'centre'], /full has a crop for every photo/],
    [[], /no engine is named; there are vlm, /],
    [['rules', ''], /received ""/],
    [[5 as never], /received 5/],
  ])('of %j is refused', async (names, message) => {
    const refusal = { code: 'USAGE', message: expect.stringMatching(message) as string };
    expect(() => engineChain(names)).toThrow(expect.objectContaining(refusal));
    await expect(openCropper({ engine: names as EngineName[] })).rejects.toMatchObject(refusal);
  });

  test('with a fallback that is one of its engines is refused', async () => {
    await expect(cropBy(['vlm', 'rules'], { minConfidence: 1, fallback: 'rules' })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('the fallback rules is one of the engines asked already') as string,
    });
  });

  test('takes an instruction if one of its engines does, and an index only with retrieval', async () => {
    await expect(openCropper({ engine: ['rules', 'centre'], index: 'x.json' })).rejects.toThrow(
      /the engines rules, centre have no use for it/,
    );
    const words = { ...speechless, takesInstruction: true };
    const [result] = await cropWithHeads([words, plainEngine('centre')], [], { instruct: 'more sky' });
    expect(result!.engine).toBe('centre');
  });

  test('analyses a photo by the first of its engines that names a composition', async () => {
    await using rules = await openCropper({ engine: 'rules' });
    await using chain = await openCropper({ engine: ['saliency', 'rules', 'centre'] });
    expect(await chain.analyse(examplePhoto('dogs'))).toEqual(await rules.analyse(examplePhoto('dogs')));
  });

  test('is part of what a run has done: another one does it again', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'framewright-chain-'));
    try {
      const run = async (...engine: EngineName[]): Promise<number> => {
        const inputs = [examplePhoto('dogs'), examplePhoto('pagoda')];
        return (await runBatch({ inputs, output: `${folder}/`, resume: true, force: true, cropper: { engine } }))
          .nEarlier;
      };
      expect(await run('rules', 'centre')).toBe(0);
      expect(await run('rules', 'centre')).toBe(2);
      expect(await run('rules', 'full')).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
