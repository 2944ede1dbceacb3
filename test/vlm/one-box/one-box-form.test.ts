import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { parseAnswer } from '../../../src/vlm/one-box/answer-template.js';
import { writeOneBox, type OneBoxForm } from '../../../src/vlm/one-box/one-box-form.js';
import { RandomAnswer } from '../answer/random-answer.js';

const SPACE = { width: 1000, height: 1000 };

function formOf(...templates: readonly string[]): OneBoxForm {
  const [first, ...others] = templates.map((text) => ({ parts: parseAnswer(text) }));
  return { lines: [first!, ...others], reasonTokens: 9 };
}

describe('one box', () => {
  test.each([
    ['({{x1}},{{y1}}),({{x2}},{{y2}})', /^\((\d+),(\d+)\),\((\d+),(\d+)\)$/],
    ['{"bbox_2d": [{{x1}}, {{y1}}, {{x2}}, {{y2}}]}', /^\{"bbox_2d": \[(\d+), (\d+), (\d+), (\d+)\]\}$/],
    ['{{x1}} {{y1}} {{x2}} {{y2}}', /^(\d+) (\d+) (\d+) (\d+)$/],
    ['[{{x1}},{{y1}},{{x2}},{{y2}}], because "{{why}}"', /^\[(\d+),(\d+),(\d+),(\d+)\], because "because"$/],
  ])('answered as %s is inside and not empty, and nothing else is said', async (template, pattern) => {
    let nPast = 0;
    for (let seed = 0; seed < 200; seed++) {
      const answer = new RandomAnswer(seededRandom(seed));
      const { box, why, verdict } = await writeOneBox(answer, SPACE, formOf(template));
      expect(answer.ended).toBe(true);
      const said = pattern.exec(answer.text)!.slice(1).map(Number);
      nPast += said.filter((number) => number > 1000).length;
      const [x1, y1, x2, y2] = box!;
      expect([x1, y1, x2, y2].every((edge, i) => edge === Math.min(said[i]!, i < 2 ? 999 : 1000))).toBe(true);
      expect(x1 >= 0 && y1 >= 0 && x1 < x2 && y1 < y2 && x2 <= 1000 && y2 <= 1000).toBe(true);
      expect([why, verdict]).toEqual([template.includes('why') ? 'because' : undefined, undefined]);
    }
    expect(nPast).toBeGreaterThan(20); // heard as the edge
  });

  test('of numbers that come rows first is the same box', async () => {
    const answer = new RandomAnswer(seededRandom(4));
    const { box } = await writeOneBox(answer, SPACE, formOf('[{{y1}}, {{x1}}, {{y2}}, {{x2}}]'));
    const [y1, x1, y2, x2] = [...answer.text.matchAll(/\d+/g)].map(([digits], i) =>
      Math.min(i < 2 ? 999 : 1000, Number(digits)),
    );
    expect(box).toEqual([x1, y1, x2, y2]);
  });

  test('comes with a verdict, or the verdict alone', async () => {
    const texts = {
      keep: '{"decision": "keep"}',
      refine: '{"decision": "refine", "bbox": [{{x1}}, {{y1}}, {{x2}}, {{y2}}]}',
      reject: '{"decision": "reject", "why": "{{why}}"}',
    };
    const lines = (['keep', 'refine', 'reject'] as const).map((verdict) => ({
      verdict,
      parts: parseAnswer(texts[verdict]),
    }));
    const seen = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const answer = new RandomAnswer(seededRandom(seed));
      const form: OneBoxForm = { lines: lines as unknown as OneBoxForm['lines'], reasonTokens: 9 };
      const said = await writeOneBox(answer, SPACE, form);
      const { decision, bbox, why } = JSON.parse(answer.text) as { decision: string; bbox?: number[]; why?: string };
      expect([said.verdict, said.why]).toEqual([decision, why]);
      expect(said.box !== undefined).toBe(bbox !== undefined);
      seen.add(decision);
    }
    expect([...seen].sort()).toEqual(['keep', 'refine', 'reject']);
  });
});

describe('an answer that cannot be', () => {
  test.each([
    ['({{x1}},{{y1}}),({{x2}})', '{{y2}} is missing'],
    ['({{x1}},{{y1}}),({{x1}},{{y2}})', '{{x2}} is missing'],
    ['{{x1}},{{y1}},{{x2}},{{y2}},{{x2}}', '{{x2}} is asked for twice'],
    ['{{x2}},{{y1}},{{x1}},{{y2}}', '{{x1}} must come before {{x2}}'],
    ['{{x1}}{{y1}},{{x2}},{{y2}}', 'nothing stands after {{x1}} to end the number'],
    ['{{x1}}0,{{y1}},{{x2}},{{y2}}', 'what follows {{x1}} would be read as more of the number'],
    ['{{x1}}.5,{{y1}},{{x2}},{{y2}}', 'what follows {{x1}} would be read as more of the number'],
    ['{{left}},{{y1}},{{x2}},{{y2}}', '{{left}} is nothing an answer can say'],
    ['{{x1}},{{y1}},{{x2}},{{y2}} {{why}}', '{{why}} must end in a quotation mark'],
    ['"{{why}}" "{{why}}" {{x1}},{{y1}},{{x2}},{{y2}}', '{{why}} is asked for twice'],
  ])('%s', (template, message) => {
    expect(() => parseAnswer(template)).toThrow(message);
  });
});
