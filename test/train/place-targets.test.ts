import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { buildVocabulary } from '../../gguf/tokenizer.js';
import type { Box, Size } from '../../src/base/geometry.js';
import type { Element } from '../../src/base/schema.js';
import { gridBoxes, unitIou, type UnitBox } from '../../src/engines/rules/scoring/grid.js';
import type { Raster } from '../../src/engines/types.js';
import { recordConversation } from '../../src/train/record.js';
import { vocabularyTokenizer } from '../../src/train/vocabulary-tokenizer.js';
import { AnswerTokens } from '../../src/vlm/answer/answer-tokens.js';
import { loadPromptProfile } from '../../src/vlm/prompt/profile.js';
import type { TeacherLabels } from '../../training/nano/labels.js';
import { MASK_SIDE, mirroredPlaces, readPlaces, type PlaceLabels } from '../../training/nano/places.js';
import { costToSubject, heldSubject } from '../../training/nano/subject-mask.js';
import { proposalTarget, type ProposalTarget } from '../../training/nano/targets.js';
import { nanoTokenizer } from '../../training/nano/vocabulary.js';
import { dice } from '../../training/scenes/dice.js';

const frame: Size = { width: 252, height: 168 };
const picture: Raster = { data: new Uint8Array(3 * frame.width * frame.height), size: frame };
const photo: Size = { width: 768, height: 512 };
const elements: Element[] = [{ type: 'horizontal', line: [0, 100, 251, 98] }];
/** At the right, where a crop near the left cuts it. */
const subject: UnitBox = [0.75, 0.25, 0.9375, 0.75];

function placeLabels(): PlaceLabels {
  const mask = new Uint8Array(MASK_SIDE * MASK_SIDE);
  for (let y = 16; y < 48; y++) mask.fill(255, y * MASK_SIDE + 48, y * MASK_SIDE + 60);
  // 9:16 of a 3:2 photo; three quarters of the way is best.
  const worth = Array.from({ length: 33 }, (_, i) => 1 - 2 * Math.abs(i / 32 - 0.75));
  return { mask, subject, places: new Map([['9:16', { axis: 0, length: 0.375, worth }]]) };
}

/** A teacher of free crops who would cut the subject in half. */
function labels(): TeacherLabels {
  const wanted: UnitBox = [0, 0, 0.84, 1];
  const boxes = gridBoxes();
  const weights = boxes.map((box) => Math.exp(6 * unitIou(box, wanted)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return {
    elements,
    distribution: { boxes, probabilities: Float64Array.from(weights, (weight) => weight / total) },
    saliency: { width: 1, height: 1, data: Uint8Array.of(255) },
  };
}

const made = Array.from({ length: 60 }, (_, seed) =>
  proposalTarget(dice(seed), photo, labels(), picture, elements, undefined, placeLabels()),
).filter((target): target is ProposalTarget => target !== undefined);
const ofRatio = made.filter(({ request }) => request.aspect === '9:16');

function unit([x1, y1, x2, y2]: Box): UnitBox {
  return [x1 / frame.width, y1 / frame.height, x2 / frame.width, y2 / frame.height];
}

describe('where the teacher says what places are worth', () => {
  test('about half of the conversations ask for a ratio', () => {
    expect(ofRatio.length / made.length).toBeGreaterThan(0.4);
    expect(ofRatio.length / made.length).toBeLessThan(0.75);
  });

  test('the largest crop at the best place comes first and is preferred, others lie apart', () => {
    const taught = ofRatio.filter(({ kind }) => kind === 'constrained');
    expect(taught.length).toBeGreaterThan(5);
    for (const { candidates, preference } of taught) {
      // 95 px would be 169 high.
      const [x1, y1, x2, y2] = candidates[0]!.boxInFrame;
      expect([x2 - x1, y2 - y1]).toEqual([94, 167]);
      expect(Math.abs(x1 / (252 - 94) - 0.75)).toBeLessThan(0.04);
      expect(preference[0]).toBe(Math.max(...preference));
    }
  });

  test('a free crop holds the subject or leaves it, though the scorer of free crops would cut it', () => {
    const held = heldSubject(placeLabels())!;
    const firsts = made.filter(({ kind }) => kind === 'teach').map(({ candidates }) => candidates[0]!.boxInFrame);
    expect(firsts.length).toBeGreaterThan(5);
    for (const box of firsts) expect(held(unit(box))).toBeGreaterThan(0.95);
    expect(costToSubject(held, [0, 0, 0.84, 1])).toBeGreaterThan(0.05);
  });

  test('what is taught is what the product could say', async () => {
    const profile = await loadPromptProfile('compact');
    const phrases = profile.reasons.kind === 'phrase' ? profile.reasons.phrases : [];
    const tokenizer = vocabularyTokenizer(buildVocabulary(nanoTokenizer(phrases)));
    const tokens = new AnswerTokens(tokenizer);
    for (const target of made) {
      const record = await recordConversation({ frame, elements, ...target }, { tokenizer, tokens, profile });
      expect(record.nLabels[1]).toBeGreaterThan(0);
    }
  });

  test('mirrored twice, labels are what they were, and once, the best place is on the other side', () => {
    const once = mirroredPlaces(placeLabels());
    expect(once.places.get('9:16')!.worth.indexOf(1)).toBe(8);
    expect(once.subject![0]).toBeCloseTo(1 - subject[2], 9);
    expect(heldSubject(once)!([0, 0, 0.3, 1])).toBeCloseTo(1, 9);
    expect(mirroredPlaces(once).mask).toEqual(placeLabels().mask);
  });

  test('labels are read as the teacher writes them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'framewright-places-'));
    const { mask, places } = placeLabels();
    const line = {
      source: 'a/b.jpg',
      mask: Buffer.from(mask!).toString('base64'),
      subject,
      places: Object.fromEntries(places),
    };
    const bare = { source: 'c.jpg', mask: null, subject: null, places: {} };
    await writeFile(join(folder, 'places.jsonl'), `${JSON.stringify(line)}\n${JSON.stringify(bare)}\n`);
    const read = await readPlaces(join(folder, 'places.jsonl'));
    expect(read.get('a/b.jpg')).toEqual(placeLabels());
    expect(read.get('c.jpg')).toEqual({ mask: undefined, subject: undefined, places: new Map() });
    await rm(folder, { recursive: true });
  });
});
