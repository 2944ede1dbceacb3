import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { curvesCsv } from '../../src/train/native/curves.js';
import { projectFile } from '../support/photos.js';
import { axeViolations, launchBrowser, overhear } from '../support/browser.js';
import { describeWith } from '../support/system-tools.js';
import { makeLibrary, useStudio } from './opened.js';

describeWith(['chromium'], 'the page that explains how crops are found, in a browser', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'framewright-learn-page-'));
  const studio = useStudio({
    engine: 'vlm',
    evaluations: [path.join(folder, 'own.json')],
    trainings: [path.join(folder, 'taste-training')],
  });
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const asked: string[] = [];
  beforeAll(async () => {
    const photos = await makeLibrary();
    writeFileSync(path.join(photos, 'labels.jsonl'), '{"photo": "dogs.jpg", "boxes": [[10, 10, 200, 300]]}\n');
    const args = [
      'eval',
      'own',
      photos,
      '--engine',
      'vlm,centre',
      '--ablate',
      'enhancement',
      '--sweep',
      'candidates=1,2',
    ];
    await promisify(execFile)(process.execPath, [
      projectFile('dist', 'src', 'cli', 'main.js'),
      ...args,
      ...['--no-journal', '--resamples', '50', '--gpu', 'cpu', '--out', path.join(folder, 'own.json')],
    ]);
    rmSync(photos, { recursive: true });
    mkdirSync(path.join(folder, 'taste-training'));
    const row = { epoch: 0.5, learningRate: 1e-5, loss: 0.7, accuracy: 0.5, margin: 0.01, gradientNorm: 1, nTokens: 1 };
    const rows = [1, 2].map((step) => ({ ...row, step, seconds: step }));
    writeFileSync(path.join(folder, 'taste-training', 'curves.csv'), curvesCsv(undefined, rows));
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 390, height: 800 }, colorScheme: 'dark' });
    overhear(page, { complaints, requests: asked });
    await page.goto(studio().server.link);
    await page.click('nav >> text=Learn');
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  async function expectSound(): Promise<void> {
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await axeViolations(page)).toEqual([]);
    }
  }

  test('explains ten elements and shows each where it was found, with the crop it led to', async () => {
    expect(await page.locator('.kinds button').count()).toBe(10);
    await page.locator('text=/^5 of 5 photos looked at/').waitFor({ timeout: 60_000 });
    await page.click('.kinds button:has-text("horizontal")');
    expect(await page.locator('.explained h2').textContent()).toBe('horizontal');
    const figures = page.locator('.cards figure');
    const n = Number(await page.locator('.kinds button:has-text("horizontal") .count').textContent());
    expect(await figures.count()).toBe(n);
    // Elements of that kind alone, and the crop.
    expect(await page.locator('.cards figure svg.over').count()).toBe(2 * n);
    await expectSound();
  });

  test('lets the model look as well, also at a photo of the library', async () => {
    await page.selectOption('label:has-text("Found by") select', 'vlm');
    await page.selectOption('label:has-text("Photo") select', { label: 'mountains.jpg' });
    await page.waitForURL(/#\/learn\/elements\/[\da-f]{16}$/);
    const counts = page.locator('.kinds .count');
    await expect
      .poll(async () => (await counts.allTextContents()).reduce((sum, text) => sum + Number(text), 0), {
        timeout: 60_000,
      })
      .toBeGreaterThan(5);
  });

  test('shows one photo by every engine', async () => {
    await page.click('text=Ways to crop');
    await page.locator('section[data-engine="vlm"] figcaption:not(:empty)').waitFor({ timeout: 60_000 });
    for (const engine of ['vlm', 'rules', 'saliency', 'centre', 'full']) {
      const caption = page.locator(`section[data-engine="${engine}"] figcaption`);
      await caption.waitFor({ timeout: 60_000 });
      expect(await caption.textContent()).toMatch(/^\d+ × \d+, [\d.]+ % of the photo: ./);
    }
    await page.selectOption('label:has-text("Shape") select', '1:1');
    await expect
      .poll(() => page.locator('section[data-engine="full"] figcaption').textContent(), { timeout: 60_000 })
      .toMatch(/^(\d+) × \1,/);
    await expectSound();
  });

  test('draws the loss of preferences for the β chosen, and a run of training', async () => {
    await page.click('text=Learning preferences');
    const paths = page.locator('.plots path.line:not(.dashed)');
    const before = await paths.first().getAttribute('d');
    await page.fill('label:has-text("β") input', '0.5');
    expect(await paths.first().getAttribute('d')).not.toBe(before);
    await page.fill('label:has-text("margin") input', '-2');
    // log(1 + e) = 1.313, 0.5 / (1 + 1/e) = 0.366
    expect(await page.locator('.readout').textContent()).toContain(
      'a margin of -2 the loss is 1.31, and the pair pulls with 0.366',
    );
    await page.locator('section[aria-label="taste-training"] svg').first().waitFor();
    expect(await page.locator('section[aria-label="taste-training"] svg').count()).toBe(2);
    await expectSound();
  });

  test('shows figures of an evaluation: methods that can be hidden, a stage gone without, a setting by a slider', async () => {
    await page.click('nav >> text=Figures');
    await page.locator('.evaluation').waitFor();
    const bars = page.locator('.evaluation > .figure-bars').first().locator('li');
    expect(await bars.allTextContents()).toEqual([
      expect.stringMatching(/^vlm0?\.?\d/) as unknown,
      expect.stringMatching(/^centre0?\.?\d/) as unknown,
    ]);
    await page.click('.legend button:has-text("centre")');
    expect(await bars.count()).toBe(1);
    expect(await page.locator('.evaluation').textContent()).toContain('no enhancement');
    const slider = page.locator('.evaluation input[type=range]');
    await slider.fill('1');
    expect(await slider.getAttribute('aria-valuetext')).toBe('2');
    expect(await page.locator('.readout').textContent()).toMatch(/^vlm: /);
    await expectSound();
  });

  test('asks nobody but its own server, and breaks no rule of its own', () => {
    for (const url of asked) expect(url.replace(/^blob:/, '')).toMatch(new RegExp(`^${studio().server.url}/`));
    expect(complaints).toEqual([]);
  });
});
