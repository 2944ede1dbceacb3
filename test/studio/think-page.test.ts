import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCropper, startStudio, type Cropper, type RunningServer } from '../../src/index.js';
import { examplePhoto } from '../support/photos.js';
import { axeViolations, launchBrowser, overhear } from '../support/browser.js';
import { describeWith } from '../support/system-tools.js';

describeWith(['chromium'], 'the page that shows a photo being thought about, in a browser', () => {
  let folder: string;
  let cropper: Cropper;
  let server: RunningServer;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const asked: string[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'framewright-think-page-'));
    await copyFile(examplePhoto('dogs'), path.join(folder, 'dogs.jpg'));
    cropper = await openCropper({ gpu: 'cpu', threads: 1 });
    server = await startStudio({ port: 0, cropper, folder });
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 390, height: 800 }, colorScheme: 'dark' });
    overhear(page, { complaints, requests: asked });
    await page.goto(server.link);
    await page.click('text=See it think');
  });
  afterAll(async () => {
    await browser.close();
    await server.close({ now: true });
    await cropper.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  async function think(): Promise<void> {
    await page.click('button:text-is("Think")');
    await page.locator('#step-crop[aria-selected=true]').waitFor({ timeout: 60_000 });
    await page.locator('button:text-is("Think")').waitFor({ timeout: 60_000 });
  }

  test('lets a photo of the library be chosen, and follows the model to the crop', async () => {
    await page.selectOption('label:has-text("Photo") select', { label: 'dogs.jpg' });
    await page.selectOption('label:has-text("Shape") select', '4:5');
    await think();
    expect(await page.locator('#stage figcaption').textContent()).toMatch(/× \d+ pixels at .*Confidence \d/);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  });

  test('shows of each stage what was shown, asked and said', async () => {
    const expected: readonly [string, RegExp, number][] = [
      ['photo', /as the model is shown it: \d+ × \d+/, 1],
      ['analysis', /Asked.*analyse.*Said.*"type":".*Found: /s, 1],
      ['enhanced', /The composition drawn on the photo/, 1],
      ['proposal', /Asked.*propose 5.*Said.*"box":\[.*"why":"/s, 1],
      ['decision', /"best":\d.*Probability of each candidate.*, the best/s, 1],
    ];
    for (const [step, text, nPictures] of expected) {
      await page.click(`#step-${step}`);
      expect(await page.locator('#stage').innerText()).toMatch(text);
      expect(await page.locator('#stage img').count()).toBe(nPictures);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
      expect(await axeViolations(page), step).toEqual([]);
    }
    expect(await page.locator('.bars meter').count()).toBe(5);
    const shares = await page.evaluate<number[]>(
      "[...document.querySelectorAll('.bars meter')].map((meter) => meter.value)",
    );
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 4);
  });

  test('tells by keyboard what else might have been written', async () => {
    await page.click('#step-proposal');
    await page.focus('#stage .token[tabindex="0"]');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowLeft');
    const told = page.locator('#stage .choice');
    expect(await told.innerText()).toMatch(
      /was written with [\d.]+ % of the probability; \d+ tokens were allowed here/,
    );
    expect(await told.locator('li').count()).toBeGreaterThan(1);
    expect(await page.locator('.token[tabindex="0"]').count()).toBe(1);
  });

  test('walks through the stages by arrow keys', async () => {
    await page.focus('#step-proposal');
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('#step-decision[aria-selected=true]').count()).toBe(1);
    expect(await page.evaluate('document.activeElement.id')).toBe('step-decision');
  });

  test('shows both ways side by side on a wide screen, with where they look', async () => {
    await page.setViewportSize({ width: 1200, height: 900 });
    await page.emulateMedia({ colorScheme: 'light' });
    await page.check('text=beside it without enhancement');
    await page.check('text=also where it looks');
    await think();
    await page.click('#step-proposal');
    const sections = page.locator('#stage > section');
    expect(await sections.count()).toBe(2);
    const [left, right] = [(await sections.nth(0).boundingBox())!, (await sections.nth(1).boundingBox())!];
    expect(right.y).toBe(left.y);
    expect(right.x).toBeGreaterThan(left.x + left.width - 1);
    expect(await page.locator('.heats canvas').count()).toBe(4);
    expect(await sections.nth(0).locator('.heats').innerText()).toMatch(
      /[\d.]+ % of the attention is on the second picture/,
    );
    expect(await page.locator('.looks table tbody tr').count()).toBe(18);
    await sections.nth(0).locator('input[type=range]').fill('0');
    expect(await sections.nth(0).locator('.looks').innerText()).toContain('layer 0');
    expect(await axeViolations(page)).toEqual([]);
  });

  test('stops when asked to', async () => {
    await page.click('button:text-is("Think")');
    await page.click('button:text-is("Stop")');
    await page.locator('button:text-is("Think")').waitFor();
    expect(await page.locator('.failure').count()).toBe(0);
  });

  test('asks nobody but its own server, and breaks no rule of its own', () => {
    for (const url of asked) expect(url.replace(/^blob:/, '')).toMatch(new RegExp(`^${server.url}/`));
    expect(complaints).toEqual([]);
  });
});
