import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { LabelledElement } from '../../src/eval/datasets/types.js';
import { boundaryDisplacementError, intersectionOverUnion, type Box } from '../../src/base/geometry.js';
import { MEASURES, scorePhoto } from '../../src/eval/measures.js';
import { leastCostPairs } from '../../src/eval/metrics/assignment.js';
import { cropAgreement } from '../../src/eval/metrics/crops.js';
import { pearson, spearman } from '../../src/eval/metrics/correlation.js';
import {
  bootstrapSamples,
  pairedInterval,
  percentileInterval,
  preferenceRate,
  type Combine,
} from '../../src/base/intervals.js';
import { localisationError, meetingPoint } from '../../src/eval/metrics/localisation.js';
import { swapAccuracy } from '../../src/eval/metrics/pairs.js';
import { topAccuracy, weightedTopAccuracy } from '../../src/eval/metrics/ranking.js';

/** Made by reference.py beside it: another implementation, on random data. */
const reference = JSON.parse(
  readFileSync(new URL('../fixtures/eval/reference.json', import.meta.url), 'utf8'),
) as Reference;

interface Reference {
  crops: { size: [number, number]; annotators: Box[]; predicted: Box; bestIou: number; bde: number; meanIou: number }[];
  ranking: {
    mos: number[];
    predicted: number[];
    acc: Record<'5' | '10', number[]>;
    wacc: Record<'5' | '10', number[]>;
    srcc: number;
    pcc: number;
  }[];
  pairs: { votes: [number, number][]; predicted: number[]; swapAccuracy: number }[];
  elements: {
    photos: { labelled: LabelledElement[]; predicted: LabelledElement[] }[];
    f1: Record<string, number>;
    macroF1: number;
    macroPrecision: number;
    macroRecall: number;
    localisation: number;
    localisationByKind: Record<string, number>;
    matched: number;
  };
  assignment: { costs: number[][]; total: number }[];
  bootstrap: {
    seed: number;
    resamples: number;
    a: number[];
    b: number[];
    intervalOfA: [number, number];
    intervalOfRatio: [number, number];
    intervalOfDifference: [number, number];
  }[];
  wilson: { wins: number; losses: number; low: number; high: number }[];
}

const DIGITS = 6;

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) => expect(Math.abs(value - expected[i]!), `element ${i}`).toBeLessThan(10 ** -DIGITS));
}

function figure(kind: keyof typeof MEASURES, id: string, rows: readonly (readonly number[])[]): number {
  const measure = MEASURES[kind].find((candidate) => candidate.id === id)!;
  const sums = rows[0]!.map((_, column) => rows.reduce((sum, row) => sum + row[column]!, 0));
  return measure.combine(sums, rows.length);
}

describe('the worked example of the published definitions', () => {
  const mos = [4.5, 4.5, 4, 4, 4, 3.5, 3, 3, 2.5, 2.5, 2, 1];
  const predicted = [0.2, 0.9, 0.1, 0.8, 0.3, 0.7, 0.6, 0.05, 0.4, 0, 0.5, -0.1];

  test('Acc_K/N and its mean over K', () => {
    expectClose(topAccuracy(mos, predicted, 5), [1, 1, 0.6666667, 0.5]);
    expectClose(topAccuracy(mos, predicted, 10), [1, 1, 1, 1]);
    const photo = { crops: mos.map((score) => ({ box: [0, 0, 1, 1], mos: score })) } as unknown as Parameters<
      typeof scorePhoto
    >[0];
    const row = scorePhoto(photo, { scores: predicted });
    const expected = {
      acc5: 0.7916667,
      acc3of5: 0.6666667,
      wacc10: (0.904837 + 0.861784 + 0.821462 + 0.801301) / 4,
      wacc4of5: 0.372263,
      srcc: 0.438972,
      pcc: 0.45132,
    };
    for (const [id, value] of Object.entries(expected)) expectClose([figure('ranking', id, [row])], [value]);
  });

  test('wAcc_K/N', () => {
    expectClose(weightedTopAccuracy(mos, predicted, 5), [0.818731, 0.744525, 0.49635, 0.372263]);
    expectClose(weightedTopAccuracy(mos, predicted, 10), [0.904837, 0.861784, 0.821462, 0.801301]);
  });

  test('SRCC and PCC', () => {
    expectClose([spearman(mos, predicted), pearson(mos, predicted)], [0.438972, 0.45132]);
  });

  test('IoU and BDE at 1024 x 768', () => {
    const size = { width: 1024, height: 768 };
    const box: Box = [120, 90, 880, 690];
    const others: Box[] = [
      [100, 100, 900, 700],
      [0, 0, 1024, 768],
      [200, 150, 800, 650],
    ];
    expectClose(
      others.map((other) => intersectionOverUnion(box, other)),
      [0.919606, 0.579834, 0.657895],
    );
    expectClose(
      others.map((other) => boundaryDisplacementError(box, other, size)),
      [0.016276, 0.119141, 0.071615],
    );
  });
});

describe('against another implementation on random data', () => {
  test('best-of-n IoU, its BDE under ties, and the mean over annotators', () => {
    for (const { size, annotators, predicted, ...expected } of reference.crops) {
      const actual = cropAgreement(predicted, annotators, { width: size[0], height: size[1] });
      expectClose([actual.bestIou, actual.bde, actual.meanIou], [expected.bestIou, expected.bde, expected.meanIou]);
    }
  });

  test('Acc, weighted Acc and both correlations, with ties on either side', () => {
    for (const { mos, predicted, acc, wacc, srcc, pcc } of reference.ranking) {
      expectClose(topAccuracy(mos, predicted, 5), acc['5']);
      expectClose(topAccuracy(mos, predicted, 10), acc['10']);
      expectClose(weightedTopAccuracy(mos, predicted, 5), wacc['5']);
      expectClose(weightedTopAccuracy(mos, predicted, 10), wacc['10']);
      expectClose([spearman(mos, predicted), pearson(mos, predicted)], [srcc, pcc]);
    }
  });

  test('swap accuracy', () => {
    for (const { votes, predicted, swapAccuracy: expected } of reference.pairs) {
      const pairs = votes.map((pair) => ({
        boxes: [
          [0, 0, 1, 1],
          [0, 0, 1, 1],
        ] as [Box, Box],
        votes: pair,
      }));
      expectClose([swapAccuracy(pairs, predicted)], [expected]);
    }
  });

  test('classes named and localisation of every kind of element', () => {
    const expected = reference.elements;
    const rows = expected.photos.map(({ labelled, predicted }, i) =>
      scorePhoto(
        {
          id: String(i),
          path: undefined,
          split: undefined,
          size: { width: 1024, height: 1024 },
          elements: labelled,
          otherClasses: [],
        },
        { elements: predicted },
      ),
    );
    for (const [kind, f1] of Object.entries(expected.f1)) expectClose([figure('elements', `f1.${kind}`, rows)], [f1]);
    for (const [kind, error] of Object.entries(expected.localisationByKind)) {
      expectClose([figure('elements', `localisation.${kind}`, rows)], [error]);
    }
    expectClose(
      ['macroF1', 'macroPrecision', 'macroRecall', 'localisation', 'matched'].map((id) => figure('elements', id, rows)),
      [expected.macroF1, expected.macroPrecision, expected.macroRecall, expected.localisation, expected.matched],
    );
    expect(figure('elements', 'f1.golden_ratio', rows)).toBeNaN();
  });

  test('least-cost assignment', () => {
    for (const { costs, total } of reference.assignment) {
      const pairs = leastCostPairs(costs);
      expect(pairs).toHaveLength(Math.min(costs.length, costs[0]!.length));
      expectClose([pairs.reduce((sum, [row, column]) => sum + costs[row]![column]!, 0)], [total]);
    }
  });

  test('bootstrap intervals of a mean, a ratio of sums and a paired difference', () => {
    const meanOf =
      (column: number): Combine =>
      (sums, n) =>
        sums[column]! / n;
    for (const { seed, resamples, a, b, ...expected } of reference.bootstrap) {
      const [ofA, ofB, ofRatio] = bootstrapSamples(
        a.map((value, i) => [value, b[i]!]),
        [meanOf(0), meanOf(1), ([top = 0, bottom = 0]) => top / bottom],
        { seed, resamples },
      );
      const intervals = [percentileInterval(ofA!), percentileInterval(ofRatio!), pairedInterval(ofA!, ofB!)];
      expectClose(
        intervals.flatMap(({ low, high }) => [low, high]),
        [...expected.intervalOfA, ...expected.intervalOfRatio, ...expected.intervalOfDifference],
      );
    }
  });

  test("Wilson's interval of a preference rate", () => {
    for (const { wins, losses, low, high } of reference.wilson) {
      const actual = preferenceRate(wins, losses);
      expectClose([actual.rate, actual.low, actual.high], [wins / (wins + losses), low, high]);
    }
  });
});

describe('what the definitions leave open', () => {
  test('a constant prediction has no correlation instead of NaN', () => {
    expect(spearman([1, 2, 3], [5, 5, 5])).toBe(0);
    expect(pearson([1, 2, 3], [5, 5, 5])).toBe(0);
  });

  test('an unusable prediction is worth the worst in every figure', () => {
    const base = { id: 'a', path: undefined, split: undefined, size: { width: 10, height: 10 } };
    const unusable = { unusable: 'no answer' };
    const cropped = scorePhoto({ ...base, boxes: [[0, 0, 5, 5]] }, unusable);
    expect(['bestIou', 'meanIou', 'recall', 'bde'].map((id) => figure('boxes', id, [cropped]))).toEqual([0, 0, 0, 1]);
    const ranked = scorePhoto({ ...base, crops: [{ box: [0, 0, 5, 5], mos: 3 }] }, unusable);
    expect(MEASURES.ranking.map(({ id }) => figure('ranking', id, [ranked]))).toEqual(MEASURES.ranking.map(() => 0));
    const judged = {
      boxes: [
        [0, 0, 5, 5],
        [0, 0, 6, 6],
      ] as [Box, Box],
      votes: [4, 1] as [number, number],
    };
    expect(scorePhoto({ ...base, pairs: [judged] }, unusable)).toEqual([0]);
  });

  test('parallel lines meet nowhere and are as wrong as can be', () => {
    const parallel: LabelledElement = {
      type: 'vanishing_point',
      lines: [
        [0, 0, 100, 0],
        [0, 50, 100, 50],
      ],
    };
    const meeting: LabelledElement = {
      type: 'vanishing_point',
      lines: [
        [0, 0, 100, 100],
        [0, 100, 100, 0],
      ],
    };
    expect(
      meetingPoint([
        [0, 0, 100, 0],
        [0, 50, 100, 50],
      ]),
    ).toBeUndefined();
    expectClose(
      meetingPoint([
        [0, 0, 100, 100],
        [0, 100, 100, 0],
      ])!,
      [50, 50],
    );
    expect(localisationError(parallel, meeting, { width: 100, height: 100 })).toBe(1);
  });

  test('a segment is the same from either end, a triangle from any vertex', () => {
    const size = { width: 100, height: 100 };
    expect(
      localisationError({ type: 'diagonal', line: [0, 0, 9, 9] }, { type: 'diagonal', line: [9, 9, 0, 0] }, size),
    ).toBe(0);
    const triangle = [
      [0, 0],
      [10, 0],
      [5, 9],
    ] as const;
    const turned = [triangle[2], triangle[0], triangle[1]];
    expect(localisationError({ type: 'triangle', points: triangle }, { type: 'triangle', points: turned }, size)).toBe(
      0,
    );
  });
});
