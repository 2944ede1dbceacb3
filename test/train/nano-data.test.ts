import { describe, expect, test } from 'vitest';
import { buildVocabulary } from '../../gguf/tokenizer.js';
import { AnswerTokens } from '../../src/vlm/answer/answer-tokens.js';
import { gridBoxes, unitIou, type UnitBox } from '../../src/engines/rules/scoring/grid.js';
import type { Raster } from '../../src/engines/types.js';
import { intersectionOverUnion, type Size } from '../../src/base/geometry.js';
import { loadPromptProfile } from '../../src/vlm/prompt/profile.js';
import type { Element } from '../../src/base/schema.js';
import { recordConversation } from '../../src/train/record.js';
import { vocabularyTokenizer } from '../../src/train/vocabulary-tokenizer.js';
import { MAPS, denseMaps } from '../../training/nano/dense-maps.js';
import type { TeacherLabels } from '../../training/nano/labels.js';
import { mirrorElement } from '../../training/nano/mirror.js';
import { proposalTarget, type ProposalTarget } from '../../training/nano/targets.js';
import { nanoTokenizer } from '../../training/nano/vocabulary.js';
import { dice } from '../../training/scenes/dice.js';
import { drawScene } from '../../training/scenes/scene.js';

const frame: Size = { width: 252, height: 168 };
const picture: Raster = { data: new Uint8Array(3 * frame.width * frame.height), size: frame };
const photo: Size = { width: 768, height: 512 };
const elements: Element[] = [
  { type: 'center', box: [90, 50, 160, 120] },
  { type: 'horizontal', line: [0, 100, 251, 98] },
];

/** A teacher who wants a box near the left two thirds. */
function labels(): TeacherLabels {
  const wanted: UnitBox = [0, 0.1, 0.66, 0.95];
  const boxes = gridBoxes();
  const weights = boxes.map((box) => Math.exp(12 * unitIou(box, wanted)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return {
    elements,
    distribution: { boxes, probabilities: Float64Array.from(weights, (weight) => weight / total) },
    saliency: { width: 2, height: 1, data: Uint8Array.of(255, 0) },
  };
}

describe('drawn scenes', () => {
  test('are the same for the same seed, and others for others', async () => {
    const [a, again, b] = await Promise.all([drawScene({ seed: 3 }), drawScene({ seed: 3 }), drawScene({ seed: 4 })]);
    expect(Buffer.compare(a.data, again.data)).toBe(0);
    expect(a.elements).toEqual(again.elements);
    expect(b.elements).not.toEqual(a.elements);
  });

  test('have something to name, all of it on the canvas', async () => {
    for (let seed = 20; seed < 32; seed++) {
      const { elements: drawn, size, data } = await drawScene({ seed });
      expect(data).toHaveLength(3 * size.width * size.height);
      expect(drawn.length).toBeGreaterThan(0);
      for (const element of drawn) {
        const numbers = JSON.stringify(element).match(/-?\d+/g)!.map(Number);
        expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...numbers)).toBeLessThanOrEqual(Math.max(size.width, size.height));
      }
    }
  });
});

describe('a proposal target', () => {
  const targets = Array.from({ length: 60 }, (_, seed) =>
    proposalTarget(dice(seed), photo, labels(), picture, elements),
  );
  const made = targets.filter((target): target is ProposalTarget => target !== undefined);

  test('is the same for the same dice', () => {
    expect(proposalTarget(dice(7), photo, labels(), picture, elements)).toEqual(targets[7]);
  });

  test('of every kind is one the product could say', async () => {
    const profile = await loadPromptProfile('compact');
    const phrases = profile.reasons.kind === 'phrase' ? profile.reasons.phrases : [];
    const tokenizer = vocabularyTokenizer(buildVocabulary(nanoTokenizer(phrases)));
    const tokens = new AnswerTokens(tokenizer);
    expect(new Set(made.map(({ kind }) => kind))).toEqual(new Set(['teach', 'constrained', 'judge']));
    for (const target of made) {
      const record = await recordConversation({ frame, elements, ...target }, { tokenizer, tokens, profile });
      expect(record.nLabels[1]).toBeGreaterThan(0);
    }
  });

  test('puts the crop nearest to what the teacher wants first, and prefers it', () => {
    for (const { kind, candidates, preference } of made) {
      expect(preference.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9);
      if (kind !== 'teach') continue;
      expect(intersectionOverUnion(candidates[0]!.boxInFrame, [0, 17, 166, 160])).toBeGreaterThan(0.8);
      expect(preference[0]).toBe(Math.max(...preference));
    }
  });
});

test('an element mirrored twice is itself', () => {
  const all: Element[] = [
    ...elements,
    {
      type: 'triangle',
      points: [
        [1, 2],
        [30, 40],
        [5, 60],
      ],
    },
    {
      type: 'curved',
      points: [
        [1, 2],
        [30, 40],
        [5, 60],
      ],
    },
    {
      type: 'vanishing_point',
      lines: [
        [100, 60, 0, 5],
        [100, 60, 251, 167],
      ],
    },
  ];
  for (const element of all) {
    const once = mirrorElement(element, frame.width);
    expect(once).not.toEqual(element);
    expect(mirrorElement(once, frame.width)).toEqual(element);
  }
});

test('dense maps mark the cells an element covers', () => {
  const maps = denseMaps(frame, elements, labels().saliency);
  const plane = (name: (typeof MAPS)[number]): Uint8Array =>
    maps.subarray(MAPS.indexOf(name) * 24 * 36).subarray(0, 24 * 36);
  expect(maps).toHaveLength(MAPS.length * 24 * 36);
  expect(plane('saliency')[0]).toBe(255);
  expect(plane('saliency')[35]).toBe(0);
  expect(plane('subject')[10 * 36 + 18]).toBe(255);
  expect(plane('subject')[0]).toBe(0);
  expect(plane('horizontal').filter((value) => value > 0)).toHaveLength(36);
  expect(plane('vertical').every((value) => value === 0)).toBe(true);
});
