import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { launchBrowser, overhear, type Overheard } from '../support/browser.js';
import { describeWith } from '../support/system-tools.js';

export interface OpenPage extends Overheard {
  readonly browser: Browser;
  readonly page: Page;
}

/** Opens a local file as a user does. */
export async function openPage(file: string): Promise<OpenPage> {
  const browser = await launchBrowser();
  const page = await browser.newPage({ viewport: { width: 1300, height: 900 } });
  const heard = overhear(page);
  await page.goto(pathToFileURL(file).href);
  return { browser, page, ...heard };
}

/**
 * Tests of one page that stays open from one to the next.
 * @param render the page's HTML, asked for before the first test
 * @param defineTests given what is open once the tests run; nothing of it is there before
 */
export function describePage(render: () => string | Promise<string>, defineTests: (opened: OpenPage) => void): void {
  describeWith(['chromium'], 'in a browser', () => {
    const opened = {} as { -readonly [K in keyof OpenPage]: OpenPage[K] };
    let folder: string;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'framewright-page-'));
      const file = join(folder, 'report.html');
      writeFileSync(file, await render());
      Object.assign(opened, await openPage(file));
    });
    afterAll(async () => {
      await opened.browser.close();
      rmSync(folder, { recursive: true });
    });
    defineTests(opened);
  });
}
