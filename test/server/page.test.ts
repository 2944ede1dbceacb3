import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { examplePhoto } from '../support/photos.js';
import { axeViolations, launchBrowser, overhear } from '../support/browser.js';
import { describeWith } from '../support/system-tools.js';
import { useServer } from './serving.js';

describeWith(['chromium'], 'the page to try the server, in a browser', () => {
  const serving = useServer();
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const asked: string[] = [];
  beforeAll(async () => {
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 390, height: 800 }, colorScheme: 'dark' });
    overhear(page, { complaints, requests: asked });
    await page.goto(serving().server.link);
  });
  afterAll(() => browser.close());

  /** Asks for a crop in a form, and waits until it is here. */
  async function send(accept: string): Promise<string> {
    await page.selectOption('#accept', accept);
    await page.click('#send');
    // Asked from outside: the page's own rules let no text become code in it.
    await expect.poll(() => page.textContent('#status'), { timeout: 60_000 }).toMatch(/^[1-9]\d\d /);
    return page.textContent('#status') as Promise<string>;
  }

  test('opens by the link, which leaves no token behind, and offers every endpoint', async () => {
    expect(page.url()).toBe(`${serving().server.url}/`);
    const endpoints = await page.locator('#operation option').allTextContents();
    expect(endpoints).toContain('Crop a photo (POST /v1/crop)');
    expect(endpoints).toHaveLength(6);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  });

  test('crops a photo and draws the crops on it, as JSON, as a picture and in events', async () => {
    await page.setInputFiles('#photo', examplePhoto('dogs'));
    await page.click('summary');
    await page.fill('[name=aspect]', '4:5 1:1');
    await page.fill('[name=candidates]', '2');
    expect(await page.textContent('#curl')).toMatch(
      /--data-binary '@dogs\.jpg' .*aspect=4%3A5&aspect=1%3A1&candidates=2'$/,
    );
    expect(await send('application/json')).toMatch(/^200 OK/);
    expect(await page.locator('rect.best').count()).toBe(2);
    expect(await send('text/event-stream')).toMatch(/^200 OK/);
    expect(await page.textContent('#answer')).toContain('event: stage\ndata: {"stage":"propose"}');
    expect(await page.locator('rect.best').count()).toBe(2);
    await page.fill('[name=aspect]', '4:5');
    expect(await send('image/webp')).toMatch(/^200 OK/);
    const ratio = await page.evaluate(
      "((image) => image.naturalWidth / image.naturalHeight)(document.querySelector('#picture img'))",
    );
    expect(ratio).toBeCloseTo(0.8, 2);
  });

  test('shows what is wrong', async () => {
    await page.fill('[name=aspect]', 'wide');
    expect(await send('application/json')).toMatch(/^400 /);
    expect(await page.textContent('#answer')).toContain('is not an aspect ratio');
  });

  test.each(['light', 'dark'] as const)('has no fault that axe-core finds, in the %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    expect(await axeViolations(page)).toEqual([]);
  });

  test('asks nobody but its own server, and breaks no rule of its own', () => {
    for (const url of asked) expect(url.replace(/^blob:/, '')).toMatch(new RegExp(`^${serving().server.url}/`));
    // The browser's own word for an answer that is no success.
    expect(complaints.filter((text) => !text.includes('status of 400'))).toEqual([]);
  });
});
