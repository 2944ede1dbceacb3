import { expect, test } from 'vitest';
import { buildVocabulary } from '../../gguf/index.js';
import type { Box, Size } from '../../src/base/geometry.js';
import { cropPhoto } from '../../src/crop/pipeline.js';
import { framePhoto, type ReadyPhoto } from '../../src/crop/ready-photo.js';
import type { EngineTarget, PhotoEngine } from '../../src/engines/engine.js';
import { plainEngine } from '../../src/engines/plain-engine.js';
import { vocabularyTokenizer } from '../../src/train/vocabulary-tokenizer.js';
import { AnswerTokens } from '../../src/vlm/answer/answer-tokens.js';
import { RecordedAnswer } from '../../src/vlm/answer/recorded-answer.js';
import { loadPromptProfile } from '../../src/vlm/prompt/profile.js';
import { writeCandidates } from '../../src/vlm/propose/candidates-form.js';
import {
  DARK,
  LIGHT,
  ORIENTATIONS,
  fromRaster,
  lightBox,
  plain,
  storedFor,
  withRectangle,
  type Orientation,
} from '../photo/fixtures.js';
import { randomInts } from '../photo/random.js';

const profile = await loadPromptProfile('standard');
const tokens = new AnswerTokens(vocabularyTokenizer(buildVocabulary()));

/** An engine of a model that counts thousandths and says this box, read as its answer is. */
function saying(numbers: Box): PhotoEngine {
  const centre = plainEngine('centre');
  return {
    ...centre,
    name: 'vlm',
    needsPixels: true,
    coordinates: 'thousand',
    pixelBudget: { minPixels: 4 * 1024, maxPixels: 36 * 1024, cellPx: 32 },
    takeOn: (photo, call) => {
      const steps = centre.takeOn(photo, call);
      return {
        analyse: () => Promise.resolve({ elements: [] }),
        enhance: (analysed) => Promise.resolve(analysed),
        forEachTarget: (seen, work) => steps.forEachTarget(seen, work),
        propose: async (_from, { limits }: EngineTarget) => {
          const answer = new RecordedAnswer(tokens, [...numbers, 'Said so.', 'end']);
          return { candidates: await writeCandidates(answer, limits, 1, profile) };
        },
        decide: () => Promise.resolve({ decision: { best: 0, why: 'Said so.', modelScores: [1] } }),
        [Symbol.asyncDispose]: () => steps[Symbol.asyncDispose](),
      };
    },
  };
}

const next = randomInts(77);

/** Away from the sides by more than anybody would bother to trim, and no speck. */
function drawnIn({ width, height }: Size): Box {
  const span = (side: number): [number, number] => {
    const first = Math.ceil(side / 40) + next(Math.ceil(side / 4));
    return [first, side - Math.ceil(side / 40) - next(Math.ceil(side / 4))];
  };
  const [[x1, x2], [y1, y2]] = [span(width), span(height)];
  return [x1, y1, x2, y2];
}

const sizes: Size[] = [
  ...Array.from({ length: 194 }, () => ({ width: 41 + 2 * next(90), height: 41 + 2 * next(90) })),
  { width: 1999, height: 1001 },
  { width: 601, height: 1203 },
  { width: 3001, height: 331 },
  { width: 35, height: 1801 },
  { width: 2601, height: 1735 },
  { width: 33, height: 31 },
];

test.each(ORIENTATIONS)('a box of thousandths lands on its pixels, 200 sizes at EXIF orientation %i', async (turn) => {
  for (const size of sizes) await check(size, turn);
});

async function check(size: Size, orientation: Orientation): Promise<void> {
  const drawn = drawnIn(size);
  const upright = withRectangle(plain(size, DARK), drawn, LIGHT);
  const file = await fromRaster(storedFor(upright, orientation))
    .withMetadata({ orientation })
    .png({ compressionLevel: 1 })
    .toBuffer();
  const side = (edge: number): number => (edge % 2 === 0 ? size.width : size.height);
  const said = drawn.map((px, edge) => Math.round((1000 * px) / side(edge))) as unknown as Box;
  const engine = saying(said);
  let seen: ReadyPhoto | undefined;
  const { results } = await cropPhoto({
    decode: async () => (seen = await framePhoto(file, engine, {})),
    engines: [engine],
    targets: [{}],
    wishes: { minSize: 0 },
  });
  const { frame, rgb } = seen!;
  const inFrame = lightBox(rgb, frame);
  const { box } = results[0]!.candidates[0]!;
  for (const edge of [0, 1, 2, 3] as const) {
    const frameSide = edge % 2 === 0 ? frame.width : frame.height;
    // Of a photo below a thousand pixels a unit is less than a pixel.
    const unitPx = side(edge) < 1000 ? 0 : side(edge) / 1000;
    expect(Math.abs(box[edge] - drawn[edge]), `edge ${edge} of ${size.width}x${size.height}`).toBeLessThanOrEqual(
      unitPx,
    );
    expect(Math.abs(said[edge] - (1000 * inFrame[edge]) / frameSide)).toBeLessThanOrEqual(1 + 1000 / frameSide);
  }
}

test('another engine that steps in for an unsure one counts in pixels of its own frame', async () => {
  const size = { width: 199, height: 133 };
  const file = await fromRaster(withRectangle(plain(size, DARK), [60, 40, 140, 90], LIGHT))
    .png()
    .toBuffer();
  const engine = saying([300, 100, 700, 698]);
  const unsure: PhotoEngine = {
    ...engine,
    takeOn: (photo, call) => ({
      ...engine.takeOn(photo, call),
      decide: () => Promise.resolve({ decision: { best: 0, why: '', modelScores: [0.5] } }),
    }),
  };
  const { results } = await cropPhoto({
    decode: () => framePhoto(file, unsure, {}),
    engines: [unsure],
    targets: [{ aspect: { width: 1, height: 1 } }],
    wishes: { minSize: 0, minConfidence: 0.9, fallback: 'centre' },
  });
  const { fallback, crop } = results[0]!;
  expect(fallback).toBe('centre');
  expect(crop.width).toBe(crop.height);
  expect(Math.abs(crop.x + crop.width / 2 - size.width / 2)).toBeLessThanOrEqual(1);
  expect(Math.abs(crop.y + crop.height / 2 - size.height / 2)).toBeLessThanOrEqual(1);
});
