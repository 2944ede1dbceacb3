import { describe, expect, test } from 'vitest';
import type { Progress } from '../../../src/train/native/checkpoint.js';
import { curvesCsv, type CurveRow } from '../../../src/train/native/curves.js';
import { trainingPage } from '../../../src/train/native/training-page.js';
import { describePage } from '../../report/browser.js';

const rows: CurveRow[] = Array.from({ length: 60 }, (_, i) => ({
  step: i + 1,
  epoch: (i + 1) / 20,
  learningRate: 1e-4,
  loss: 0.69 * Math.exp(-i / 30),
  accuracy: 0.5 + i / 120,
  margin: i / 10,
  gradientNorm: 1 + (i % 3),
  nTokens: 512,
  seconds: i,
  ...(i % 20 === 19 ? { heldOut: { loss: 0.5, accuracy: 0.7, margin: 1, preferred: 0.66 } } : {}),
}));
const before = { loss: Math.LN2, accuracy: 0.5, margin: 0, preferred: 0.5 };
const progress: Progress = {
  identity: { kind: 'dpo', model: '<b>nano</b>', beta: '0.2' },
  step: 60,
  references: { train: [], heldOut: [] },
  before,
  rows,
  margins: [-3, 1, 4, 9],
  seconds: 60,
};

describe('the page of a run', () => {
  test('asks nothing of a network and holds what names say as text', async () => {
    const page = await trainingPage('dpo', { beta: 0.2 }, progress);
    expect(page).not.toMatch(/(?:src|href)="https?:/);
    expect(page).not.toContain('<b>nano</b>');
  });

  test('stands beside a CSV that begins with the model as it was', () => {
    const lines = curvesCsv(before, rows).trim().split('\n');
    expect(lines).toHaveLength(62);
    expect(lines[1]).toBe(`0,0,,,,,,,,${before.loss},0.5,0,0.5`);
    expect(lines[20]!.split(',')).toHaveLength(13);
  });

  describePage(
    () => trainingPage('dpo', { beta: 0.2 }, progress),
    (opened) => {
      test('draws the curves, and those of the preference anew when beta is moved', async () => {
        const { page, complaints, requests } = opened;
        expect(await page.locator('#curves figure').count()).toBe(6);
        const path = page.locator('#preference-curves figure').first().locator('path').last();
        const first = await path.getAttribute('d');
        await page.locator('#beta').fill('0');
        expect(await page.locator('#beta-value').textContent()).toBe('1.0');
        expect(await path.getAttribute('d')).not.toBe(first);
        expect(complaints).toEqual([]);
        expect(requests.filter((url) => !url.startsWith('file:'))).toEqual([]);
      });
    },
  );
});
