import { expect, test } from 'vitest';
import { dpoFigures } from '../../src/train/native/figures.js';
import { dpoLoss, dpoWeight } from '../../web/studio/src/learn/dpo.js';

const MARGINS = [-700, -20, -3, -0.1, 0, 0.1, 3, 20, 700];
const BETAS = [0.02, 0.2, 1];

test('the loss that is drawn is the one that is trained with', () => {
  for (const beta of BETAS) {
    for (const margin of MARGINS) {
      const reference = 5;
      expect(dpoLoss(margin, beta)).toBeCloseTo(dpoFigures(margin + reference, beta, reference).loss, 10);
    }
  }
});

test('how hard a pair pulls is the slope of that loss', () => {
  const step = 1e-5;
  for (const beta of BETAS) {
    for (const margin of MARGINS) {
      const slope = (dpoLoss(margin + step, beta) - dpoLoss(margin - step, beta)) / (2 * step);
      expect(dpoWeight(margin, beta)).toBeCloseTo(-slope, 5);
    }
  }
});
