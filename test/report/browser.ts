import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { CHROMIUM } from '../support/system-tools.js';

export interface OpenPage {
  readonly browser: Browser;
  readonly page: Page;
  /** Errors and warnings the page gave. */
  readonly complaints: readonly string[];
  /** URLs asked for, shortened. */
  readonly requests: readonly string[];
}

/** Opens a local file as a user does. */
export async function openPage(file: string): Promise<OpenPage> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  const page = await browser.newPage({ viewport: { width: 1300, height: 900 } });
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => requests.push(request.url().slice(0, 40)));
  await page.goto(pathToFileURL(file).href);
  return { browser, page, complaints, requests };
}
