import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeToyPair } from '../../gguf/index.js';
import type { HeldPhoto } from '../../src/cropper/held-photo.js';
import { openCropper, type ConversationPart, type Cropper, type CropResult } from '../../src/index.js';
import { STAGES, type Stage } from '../../src/base/stages.js';
import { examplePhoto } from '../support/photos.js';
import { greatestDifference, NATS_APART, PROBABILITY_APART } from '../support/reproducibility.js';

const photo = examplePhoto('dogs');
let cropper: Cropper;
beforeAll(async () => {
  cropper = await openCropper({ gpu: 'cpu', threads: 1, parallel: 2 });
});
afterAll(() => cropper.dispose());

type Request = NonNullable<Parameters<HeldPhoto['crop']>[0]>;
const without = (...stages: Stage[]): Request => ({ without: stages });
const VARIANTS: readonly Request[] = [
  {},
  ...STAGES.map((stage) => without(stage)),
  { votes: 3 },
  { candidates: 2 },
  without('analysis', 'proposal'),
];

async function saying(held: HeldPhoto, request: Request): Promise<{ parts: ConversationPart[]; result: CropResult }> {
  const parts: ConversationPart[] = [];
  const result = await held.crop({ ...request, onConversation: (said) => parts.push(...said) });
  return { parts, result };
}

/** A model without a manifest, so with the full prompts; in F32 as its cache, so that no rounding tips a choice. */
async function withToy(use: (toy: Cropper) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'framewright-hold-'));
  try {
    const { textPath } = await writeToyPair(folder, { seed: 3 });
    await using toy = await openCropper({
      ...{ model: textPath, imageTokens: 64, kvType: 'f32' },
      ...{ gpu: 'cpu', threads: 1, parallel: 2 },
    });
    await use(toy);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const boxesOf = (candidates: CropResult['candidates']): string[] => candidates.map(({ box }) => box.join());
const imagesOf = (parts: readonly ConversationPart[]): Buffer[] =>
  parts.flatMap((part) => (part.kind === 'image' ? [Buffer.from(part.image.rgb)] : []));
const wordsOf = (parts: readonly ConversationPart[]): string =>
  parts.map((part) => (part.kind === 'image' ? '<image>' : part.text)).join('');

test('a held photo gives for each variant, in any order, the crop that is made for it alone', async () => {
  await withToy(async (unquantised) => {
    const requests = VARIANTS.map((request) => ({ candidates: 2, ...request }));
    const whole = await unquantised.crop(photo, requests[0]);
    await using held = await unquantised.hold(photo);
    const together: CropResult[] = [];
    for (const request of [...requests].reverse()) together.unshift(await held.crop(request));
    const alone: CropResult[] = [];
    for (const request of requests) {
      await using fresh = await unquantised.hold(photo);
      alone.push(await fresh.crop(request));
    }
    expect(together[0]!.analysis).toEqual(whole.analysis);
    for (const [i, { candidates }] of [whole, ...alone].entries()) {
      const shared = together[Math.max(0, i - 1)]!.candidates;
      const which = JSON.stringify(requests[Math.max(0, i - 1)]);
      expect(boxesOf(shared), which).toEqual(boxesOf(candidates));
      for (const [k, { modelScore }] of candidates.entries()) {
        expect(Math.abs(shared[k]!.modelScore - modelScore)).toBeLessThan(PROBABILITY_APART.unquantisedCache);
      }
    }
    expect(new Set(alone.map(({ candidates }) => boxesOf(candidates).join(' '))).size).toBeGreaterThan(2);
  });
});

test('the same question gets the same answer, whatever was asked in between, and nothing is decoded for it', async () => {
  await using held = await cropper.hold(photo);
  const boxes = [
    { x: 0, y: 0, width: 799, height: 1200 },
    { x: 100, y: 100, width: 500, height: 700 },
  ];
  const questions = [
    () => held.rank(boxes),
    () => held.rank(boxes, without('analysis')),
    () => held.analyse(),
    ...VARIANTS.map((request) => async () => {
      const { parts, result } = await saying(held, request);
      return { said: wordsOf(parts), ...result, timingsMs: {} };
    }),
  ];
  const first: unknown[] = [];
  for (const ask of questions) first.push(await ask());
  const before = cropper.counters().nTokensDecoded;
  const second: unknown[] = [];
  for (const ask of [...questions].reverse()) second.unshift(await ask());
  expect(second).toEqual(first);
  expect(cropper.counters().nTokensDecoded).toBe(before);
});

test('what variants share is decoded once', async () => {
  await using held = await cropper.hold(photo);
  const cost = async (request: Request): Promise<number> => {
    const before = cropper.counters().nTokensDecoded;
    await held.crop(request);
    return cropper.counters().nTokensDecoded - before;
  };
  const whole = await cost({});
  expect(await cost(without('decision'))).toBe(0);
  for (const request of [...STAGES.map((stage) => without(stage)), { votes: 3 }, { candidates: 3 }]) {
    expect(await cost(request), JSON.stringify(request)).toBeLessThan(0.75 * whole);
  }
});

describe('without', () => {
  test('the analysis, the photo is shown once and nothing is said of its composition', async () => {
    await using held = await cropper.hold(photo);
    const { parts, result } = await saying(held, without('analysis'));
    expect(result.analysis).toEqual([]);
    expect(imagesOf(parts)).toHaveLength(1);
    expect(wordsOf(parts)).toMatch(/<image><\|vision_end\|>propose 5<\|im_end\|>/);
    expect(wordsOf(parts)).not.toContain('"type"');
  });

  test('enhancement, the photo is shown again as it is', async () => {
    await using held = await cropper.hold(photo);
    const plain = await saying(held, without('enhancement'));
    const [first, second] = imagesOf(plain.parts);
    expect(first!.equals(second!)).toBe(true);
    const whole = await saying(held, {});
    expect(plain.result.analysis).toEqual(whole.result.analysis);
    expect(plain.parts.slice(0, 4)).toEqual(whole.parts.slice(0, 4));
    expect(imagesOf(whole.parts)[1]!.equals(first!)).toBe(false);
  });

  test('the proposal, the decision is between the same boxes for every photo of a size', async () => {
    await using held = await cropper.hold(photo);
    const { parts, result } = await saying(held, { candidates: 3, ...without('proposal') });
    const shares = result.candidates.map(({ box }) => box.map((edge, i) => edge / (i % 2 === 0 ? 799 : 1200)));
    const asked = [
      [0.05, 0.05, 0.95, 0.95],
      [0, 0, 0.8, 0.8],
      [0.2, 0, 1, 0.8],
    ];
    // Whole pixels of the model frame, which is some 200 px wide.
    shares.forEach((box, i) => {
      box.forEach((edge, k) => {
        expect(Math.abs(edge - asked[i]![k]!)).toBeLessThan(0.005);
      });
    });
    expect(wordsOf(parts)).toMatch(/<image><\|vision_end\|>decide\n1: \[.*\]\n2: \[.*\]\n3: \[.*\]<\|im_end\|>/);
    expect(result.candidates.reduce((sum, { modelScore }) => sum + modelScore, 0)).toBeCloseTo(1, 5);
  });

  test('the decision, the crop proposed first is taken and none preferred', async () => {
    await using held = await cropper.hold(photo);
    const { parts, result } = await saying(held, without('decision'));
    expect(result.best).toBe(0);
    expect(result.candidates.map(({ modelScore }) => modelScore)).toEqual(new Array(5).fill(0.2));
    expect(wordsOf(parts)).not.toContain('decide');
  });

  test('analysis or enhancement, boxes rank otherwise', async () => {
    await using held = await cropper.hold(photo);
    const boxes = [
      { x: 0, y: 0, width: 799, height: 1200 },
      { x: 10, y: 10, width: 200, height: 700 },
    ];
    const [whole, noAnalysis, noEnhancement] = [
      await held.rank(boxes),
      await held.rank(boxes, without('analysis')),
      await held.rank(boxes, without('enhancement')),
    ];
    for (const other of [noAnalysis, noEnhancement]) {
      expect(greatestDifference(other, whole)).toBeGreaterThan(2 * NATS_APART.nano);
    }
    // Not held it is decoded in other batches, and here beside what is held.
    expect(greatestDifference(await cropper.rank(photo, boxes), whole)).toBeLessThan(NATS_APART.nano);
  });
});

test('full prompts speak of drawn elements only where there are some', async () => {
  await withToy(async (standard) => {
    await using held = await standard.hold(photo);
    const said = async (...stages: Stage[]): Promise<string> =>
      wordsOf((await saying(held, { candidates: 1, ...without(...stages) })).parts);
    expect(await said('decision')).toContain('elements drawn on it. Propose 1 different crops');
    for (const stage of ['analysis', 'enhancement'] as const) {
      const words = await said(stage, 'decision');
      expect(words).toContain('<|vision_end|>Propose 1 different crops');
      expect(words).not.toContain('drawn on it');
    }
    expect(await said('proposal')).toContain('<|vision_end|>These are the candidates:');
  });
});

test('an aborted variant leaves the photo held, and engines without a model hold none', async () => {
  await withToy(async (unquantised) => {
    const expected = await unquantised.crop(photo, { candidates: 2 });
    await using held = await unquantised.hold(photo);
    const abort = new AbortController();
    const crop = held.crop({ candidates: 2, signal: abort.signal });
    setImmediate(() => abort.abort(new Error('enough')));
    await expect(crop).rejects.toThrow('enough');
    expect((await held.crop({ candidates: 2 })).crop).toEqual(expected.crop);
  });
  await using rules = await openCropper({ engine: 'rules' });
  await expect(rules.hold(photo)).rejects.toThrow(/has no model to hold a photo in/);
});
