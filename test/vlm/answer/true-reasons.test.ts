import { describe, expect, test } from 'vitest';
import { openCropper } from '../../../src/cropper/cropper.js';
import type { Box } from '../../../src/base/geometry.js';
import { seededRandom } from '../../../src/base/random.js';
import type { Element } from '../../../src/base/schema.js';
import { isTrueReason, PHRASE_OF } from '../../../src/vlm/answer/true-reasons.js';
import { loadPromptProfile } from '../../../src/vlm/prompt/profile.js';
import { writeCandidates } from '../../../src/vlm/propose/candidates-form.js';
import { RandomAnswer } from './random-answer.js';

const frame = { width: 252, height: 168 };
const profile = await loadPromptProfile('compact');
const phrases = profile.reasons.kind === 'phrase' ? profile.reasons.phrases : [];
const photo = (name: string): string => new URL(`../../../examples/photos/${name}`, import.meta.url).pathname;

const elements: Element[] = [
  { type: 'center', box: [100, 60, 140, 120] },
  { type: 'horizontal', line: [0, 40, 251, 44] },
  {
    type: 'vanishing_point',
    lines: [
      [30, 150, 0, 10],
      [30, 150, 251, 20],
    ],
  },
];

describe('reasons', () => {
  test.each([
    ['whole', [0, 0, 252, 168], true],
    ['whole', [0, 0, 230, 168], false],
    ['tighter', [0, 0, 230, 168], true],
    ['tighter', [0, 0, 252, 168], false],
    ['center', [60, 0, 180, 168], true], // the subject's middle is at 120
    ['center', [0, 0, 168, 168], false],
    ['rule_of_thirds', [40, 0, 160, 168], true],
    ['rule_of_thirds', [60, 0, 180, 168], false],
    ['golden_ratio', [48, 0, 164, 168], true],
    ['center', [0, 0, 100, 168], false], // left out
    ['horizontal', [60, 0, 180, 168], true],
    ['horizontal', [60, 50, 180, 168], false],
    ['vertical', [0, 0, 252, 168], false], // there is none
    ['vanishing_point', [0, 0, 100, 168], true],
    ['vanishing_point', [0, 0, 100, 140], false],
  ] as const)('%s of %j: %s', (claim, box, isTrue) => {
    expect(isTrueReason(PHRASE_OF[claim], box, frame, elements)).toBe(isTrue);
  });

  test('every phrase of the compact profile claims something', () => {
    expect(new Set(phrases)).toEqual(new Set(Object.values(PHRASE_OF)));
  });

  test('whatever a model would say, only what is true can be said', async () => {
    const said = new Set<string>();
    for (let seed = 1; seed <= 40; seed++) {
      const isTrueOf =
        (box: Box) =>
        (phrase: string): boolean =>
          isTrueReason(phrase, box, frame, elements);
      const answer = new RandomAnswer(seededRandom(seed));
      for (const { boxInFrame, why } of await writeCandidates(answer, { frame, minSize: 0.25 }, 4, profile, isTrueOf)) {
        said.add(why);
        expect(isTrueOf(boxInFrame)(why), `${why} of ${boxInFrame.join()}`).toBe(true);
      }
    }
    expect(said.size).toBeGreaterThan(3);
    expect(said).not.toContain(PHRASE_OF.vertical);
  });

  test('the bundled model says of real photos what their geometry bears out', async () => {
    await using cropper = await openCropper({ model: 'nano', gpu: 'cpu' });
    const photos = ['dogs.jpg', 'pagoda.jpg', 'dandelion.jpg'].map(photo);
    let nChecked = 0;
    for await (const { results } of cropper.cropEach(photos, { aspects: ['1:1', '16:9'] })) {
      for (const { candidates, analysis, best, why } of results!) {
        for (const reason of [{ box: candidates[best]!.box, why }, ...candidates]) {
          expect(isBorneOut(reason.why, reason.box, analysis), `${reason.why}: ${reason.box.join()}`).toBe(true);
          nChecked++;
        }
      }
    }
    expect(nChecked).toBe(3 * 2 * 6);
  });
});

/** By the result's own pixels; crops were rounded to them after the reasons were given. */
function isBorneOut(why: string, [x1, , x2]: Box, analysis: readonly Element[]): boolean {
  const kind = Object.entries(PHRASE_OF).find(([, phrase]) => phrase === why)![0];
  if (kind === 'whole' || kind === 'tighter') return true;
  const subject = analysis.find((element) => 'box' in element);
  const off = { center: 0, golden_ratio: 0.118, rule_of_thirds: 0.167 }[kind];
  if (off === undefined) return analysis.some(({ type }) => type === kind);
  if (!subject) return false;
  const middle = ((subject.box[0] + subject.box[2]) / 2 - x1) / (x2 - x1);
  return Math.abs(Math.abs(middle - 0.5) - off) < 0.1;
}
