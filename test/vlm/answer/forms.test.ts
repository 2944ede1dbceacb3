import { describe, expect, test } from 'vitest';
import { writeCandidates } from '../../../src/vlm/propose/candidates-form.js';
import type { CandidateLimits } from '../../../src/engines/limits.js';
import { ANSWER_STYLES, type AnswerForm } from '../../../src/vlm/answer/style.js';
import { writeElements } from '../../../src/vlm/analyse/elements-form.js';
import { boxArea, type Box, type Size } from '../../../src/base/geometry.js';
import { seededRandom } from '../../../src/base/random.js';
import { ELEMENT_KINDS, elementSchema, type Element } from '../../../src/base/schema.js';
import { RandomAnswer } from './random-answer.js';

const FRAMES: readonly Size[] = [
  { width: 28, height: 28 },
  { width: 28, height: 560 },
  { width: 560, height: 28 },
  { width: 252, height: 196 },
  { width: 196, height: 280 },
];

const PLAIN: AnswerForm = { style: ANSWER_STYLES.plain, reasons: { kind: 'sentence', maxTokens: 9 } };

describe('the analysis form', () => {
  test('whatever is decided gives 1 to 8 valid elements in canonical order, inside the frame, as JSON Lines', async () => {
    const seen = new Set<string>();
    for (const frame of FRAMES) {
      for (let seed = 0; seed < 60; seed++) {
        const answer = new RandomAnswer(seededRandom(seed));
        const elements = await writeElements(answer, frame, ANSWER_STYLES.plain);
        expect(answer.ended).toBe(true);
        expect(elements.length).toBeGreaterThanOrEqual(1);
        expect(elements.length).toBeLessThanOrEqual(8);
        expect(
          answer.text
            .trimEnd()
            .split('\n')
            .map((line) => elementSchema.parse(JSON.parse(line))),
        ).toEqual(elements);
        const order = elements.map(({ type }) => ELEMENT_KINDS.indexOf(type));
        expect(order).toEqual([...order].sort((a, b) => a - b));
        expect(new Set(elements.map((element) => JSON.stringify(element))).size).toBe(elements.length);
        for (const [x, y] of elements.flatMap(pointsOf)) {
          expect(x).toBeGreaterThanOrEqual(0);
          expect(y).toBeGreaterThanOrEqual(0);
          expect(x).toBeLessThanOrEqual(frame.width);
          expect(y).toBeLessThanOrEqual(frame.height);
        }
        for (const { type } of elements) seen.add(type);
      }
    }
    expect([...seen].sort()).toEqual([...ELEMENT_KINDS].sort());
  });

  test('lines of a vanishing point all start at it and part by at least five degrees', async () => {
    for (let seed = 0; seed < 300; seed++) {
      const elements = await writeElements(
        new RandomAnswer(seededRandom(seed)),
        { width: 252, height: 196 },
        ANSWER_STYLES.plain,
      );
      for (const element of elements) {
        if (element.type !== 'vanishing_point') continue;
        const angles = element.lines.map(([x1, y1, x2, y2]) => Math.atan2(y2 - y1, x2 - x1));
        for (const line of element.lines) expect(line.slice(0, 2)).toEqual(element.lines[0]!.slice(0, 2));
        for (const [i, a] of angles.entries()) {
          for (const b of angles.slice(i + 1)) {
            const apart = Math.abs(Math.atan2(Math.sin(a - b), Math.cos(a - b)));
            expect((apart * 180) / Math.PI).toBeGreaterThan(4.9);
          }
        }
      }
    }
  });
});

describe('the proposal form', () => {
  const cases: readonly (Omit<CandidateLimits, 'frame'> & { name: string })[] = [
    { name: 'free', minSize: 0.25 },
    { name: 'square', minSize: 0.25, aspect: { width: 1, height: 1 } },
    { name: 'a ratio that needs rounding', minSize: 0.1, aspect: { width: 1, height: 1.2345 } },
    { name: 'a box to keep', minSize: 0, keep: [5, 6, 20, 22] },
    { name: 'a ratio and a box to keep', minSize: 0, aspect: { width: 1, height: 0.8 }, keep: [5, 6, 20, 22] },
  ];
  test.each(cases)(
    '$name: never a dead end, every limit holds, no two candidates alike',
    async ({ name: _, ...limits }) => {
      for (const frame of FRAMES) {
        for (let seed = 0; seed < 12; seed++) {
          const answer = new RandomAnswer(seededRandom(seed));
          const all = { ...limits, frame };
          const candidates = await writeCandidates(answer, all, 5, PLAIN);
          const boxes = candidates.map(({ boxInFrame }) => boxInFrame);
          const lines = answer.text.trimEnd().split('\n').filter(Boolean);
          expect(lines.map((line) => (JSON.parse(line) as { box: Box }).box)).toEqual(boxes);
          expect(new Set(boxes.map(String)).size).toBe(boxes.length);
          for (const box of boxes) expectWithin(box, all);
          // Free shapes always leave room for five; a ratio may leave fewer in a sliver of a frame.
          if (!limits.aspect) expect(boxes).toHaveLength(5);
        }
      }
    },
  );

  test('trims nothing that nobody would, unless a box to keep leaves no other candidates', async () => {
    const frame = { width: 252, height: 168 };
    const propose = async (limits: Omit<CandidateLimits, 'frame'>, seed: number): Promise<Box[]> =>
      (await writeCandidates(new RandomAnswer(seededRandom(seed)), { frame, ...limits }, 5, PLAIN)).map(
        ({ boxInFrame }) => boxInFrame,
      );
    const trims = ([x1, y1, x2, y2]: Box): number[] => [x1, y1, frame.width - x2, frame.height - y2];
    for (let seed = 0; seed < 40; seed++) {
      const boxes = await propose({ minSize: 0.8 }, seed);
      expect(boxes).toHaveLength(5);
      for (const trim of boxes.flatMap((box) => trims(box).map((px, i) => [px, i % 2 === 0 ? 6 : 4] as const)))
        expect(trim[0] === 0 || trim[0] >= trim[1]).toBe(true);
      expect(await propose({ minSize: 0, keep: [2, 0, 252, 168] }, seed)).toHaveLength(3);
    }
  });

  test('limits nothing can meet give no candidate instead of a wrong one', async () => {
    const limits = { frame: { width: 280, height: 28 }, aspect: { width: 1, height: 1 }, minSize: 0.5 };
    expect(await writeCandidates(new RandomAnswer(seededRandom(1)), limits, 5, PLAIN)).toEqual([]);
  });

  test('fewer boxes than asked for are all given, each once', async () => {
    const limits: CandidateLimits = { frame: { width: 28, height: 28 }, keep: [0, 0, 28, 27], minSize: 0 };
    const candidates = await writeCandidates(new RandomAnswer(seededRandom(1)), limits, 5, PLAIN);
    expect(candidates.map(({ boxInFrame }) => boxInFrame[3]).sort()).toEqual([27, 28]);
  });
});

describe('the grounding style', () => {
  const { grounding } = ANSWER_STYLES;
  const thousand = { width: 1000, height: 1000 };
  /** Numbers past the edge, as they are heard. */
  const heard = (line: string, edge: number): string => line.replaceAll(/\d{4}/g, String(edge));

  test('elements are written with the keys bbox_2d, line_2d, point_2d and label, a space after each comma', async () => {
    for (let seed = 0; seed < 60; seed++) {
      const answer = new RandomAnswer(seededRandom(seed));
      const elements = await writeElements(answer, thousand, grounding);
      const lines = answer.text.trimEnd().split('\n');
      expect(answer.text).not.toMatch(/[,:](?! )/);
      const read = lines.map((line) => {
        const { label, ...shape } = JSON.parse(heard(line, edgeOf(line))) as Record<string, unknown>;
        return [label, ...Object.entries(shape)];
      });
      expect(read).toEqual(
        elements.map((element) => {
          const { type, ...shape } = element;
          const [[name, numbers]] = Object.entries(shape) as [[string, unknown]];
          return [type, [{ box: 'bbox_2d', line: 'line_2d', lines: 'line_2d', points: 'point_2d' }[name], numbers]];
        }),
      );
    }
  });

  test('a candidate is a bbox_2d with its reason as the label, and a number past the edge is the edge', async () => {
    let nPast = 0;
    for (let seed = 0; seed < 60; seed++) {
      const answer = new RandomAnswer(seededRandom(seed));
      const limits = { frame: thousand, minSize: 0.25 };
      const candidates = await writeCandidates(answer, limits, 5, { ...PLAIN, style: grounding });
      nPast += [...answer.text.matchAll(/\b10(?!00)\d\d\b/g)].length;
      expect(
        heard(answer.text, 1000)
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown),
      ).toEqual(candidates.map(({ boxInFrame, why }) => ({ bbox_2d: boxInFrame, label: why })));
      for (const { boxInFrame } of candidates) expectWithin(boxInFrame, limits);
    }
    expect(nPast).toBeGreaterThan(20);
  });

  /** Boxes end at the edge, points before it. */
  function edgeOf(line: string): number {
    return line.includes('bbox_2d') ? 1000 : 999;
  }
});

function expectWithin(box: Box, { frame, keep, aspect, minSize }: CandidateLimits): void {
  const [x1, y1, x2, y2] = box;
  expect(x1 >= 0 && y1 >= 0 && x2 <= frame.width && y2 <= frame.height && x1 < x2 && y1 < y2).toBe(true);
  expect(boxArea(box)).toBeGreaterThanOrEqual(minSize * frame.width * frame.height - 1e-6);
  if (keep) expect(x1 <= keep[0] && y1 <= keep[1] && x2 >= keep[2] && y2 >= keep[3]).toBe(true);
  if (aspect) expect(y2 - y1).toBe(Math.max(1, Math.round((x2 - x1) * (aspect.height / aspect.width))));
}

function pointsOf(element: Element): [number, number][] {
  if ('box' in element) return pairs(element.box);
  if ('line' in element) return pairs(element.line);
  if ('lines' in element) return element.lines.flatMap(pairs);
  return element.points;
}

function pairs([x1, y1, x2, y2]: readonly [number, number, number, number]): [number, number][] {
  return [
    [x1, y1],
    [x2, y2],
  ];
}
