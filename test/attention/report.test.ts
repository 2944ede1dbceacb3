import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { renderAttentionReport } from '../../src/attention/report.js';
import { attentionTable, type AttentionResult } from '../../src/attention/tables.js';
import { openCropper } from '../../src/index.js';
import { examplePhoto } from '../support/photos.js';
import { openPage } from '../report/browser.js';
import { describeWith } from '../support/system-tools.js';

let root: string;
let result: AttentionResult;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'framewright-attention-'));
  await using cropper = await openCropper({ gpu: 'cpu', threads: 1, parallel: 2 });
  const photos: AttentionResult['photos'][number][] = [];
  for (const path of [examplePhoto('dogs'), examplePhoto('pagoda')]) {
    photos.push({ path, ...(await cropper.attention(path)) });
  }
  const { byHead } = photos[0]!.conditions.enhanced;
  result = {
    schemaVersion: 1,
    createdAt: '2026-11-22T00:00:00.000Z',
    model: { name: '<b>nano</b>', sha256: 'a'.repeat(64), promptVersion: 'compact' },
    isTrained: false,
    nLayer: byHead.length,
    nHead: byHead[0]!.length,
    table: attentionTable(photos),
    photos,
  };
});
afterAll(() => rm(root, { recursive: true }));

describeWith(['chromium'], 'in a browser', () => {
  let browser: Browser;
  let page: Page;
  let complaints: readonly string[];
  let requests: readonly string[];
  beforeAll(async () => {
    const file = join(root, 'attention.html');
    await writeFile(file, await renderAttentionReport(result));
    ({ browser, page, complaints, requests } = await openPage(file));
  });
  afterAll(() => browser.close());

  test('the table has the figures of the result, and follows the figure chosen', async () => {
    expect(await page.locator('h1').textContent()).toBe('Attention of <b>nano</b> on 2 photos');
    expect(await page.locator('header').textContent()).toContain('untrained');
    for (const figure of ['share', 'lift', 'normalised']) {
      await page.locator('#figure').selectOption(figure);
      const shown = await page.locator('tr[data-group="coordinates"] td').allTextContents();
      const expected = (['enhanced', 'plain'] as const).map((condition) => {
        const { value, low, high } = result.table.find(
          (cell) => cell.group === 'coordinates' && cell.condition === condition && cell.figure === figure,
        )!;
        return `${value!.toFixed(3)} [${low!.toFixed(3)}, ${high!.toFixed(3)}]`;
      });
      expect(shown).toEqual(expected);
    }
  });

  test('layers by heads are squares with their exact values', async () => {
    await page.locator('#figure').selectOption('share');
    await page.locator('#group').selectOption('secondInside');
    expect(await page.locator('#heads rect').count()).toBe(result.nLayer * result.nHead);
    const mean =
      result.photos.reduce((sum, { conditions }) => sum + conditions.enhanced.byHead[1]![0]!.secondInside.share, 0) / 2;
    const titles = await page.locator('#heads rect title').allTextContents();
    expect(titles).toContain(`layer 1, head 0: ${Number(mean.toPrecision(4)).toFixed(4)}`);
  });

  test('the map over a photo follows image, condition and layer', async () => {
    const { grid, conditions, inside } = result.photos[0]!;
    const cells = page.locator('#photos figure').first().locator('rect');
    expect(await cells.count()).toBe(grid.width * grid.height);
    await page.locator('#map-condition').selectOption('plain');
    await page.locator('#map-image').selectOption('0');
    await page.locator('#map-layer').fill('1');
    expect(await page.locator('#map-note').textContent()).toBe('layer 1');
    const share = Number(conditions.plain.maps[0]![1]![5]!.toPrecision(4));
    expect(await cells.nth(5).locator('title').textContent()).toBe(
      `${(100 * share).toFixed(3)} % of the attention${inside[5] ? ', on an element' : ''}`,
    );
    const map = conditions.plain.maps[0]![1]!;
    const opacity = Number(await cells.nth(map.indexOf(Math.max(...map))).getAttribute('fill-opacity'));
    expect(opacity).toBeCloseTo(0.85, 2);
    expect(await page.locator('#photos image').first().getAttribute('href')).toMatch(/^data:image\/jpeg/);
    expect(complaints).toEqual([]);
    expect(requests.filter((url) => !/^(file|data):/.test(url))).toEqual([]);
  });
});
