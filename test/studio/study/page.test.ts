import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCropper, startStudy, type Cropper, type RunningServer } from '../../../src/index.js';
import type { ResultsAnswer } from '../../../src/studio/study/api.js';
import { ask } from '../../server/serving.js';
import { axeViolations, launchBrowser, overhear } from '../../support/browser.js';
import { describeWith } from '../../support/system-tools.js';
import { useSmallStudy } from './small-study.js';

const N_PHOTOS = 3;
const { write } = useSmallStudy(N_PHOTOS);

describeWith(['chromium'], 'the pages of a study', () => {
  let cropper: Cropper;
  let server: RunningServer;
  let browser: Browser;
  const complaints: string[] = [];
  beforeAll(async () => {
    cropper = await openCropper({ engine: 'full' });
    server = await startStudy({ cropper, study: write('study.json', { question: 'Which one?' }), port: 0 });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await server.close({ now: true });
    await cropper.dispose();
  });

  async function open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await (await browser.newContext(options)).newPage();
    overhear(page, { complaints, requests: [] });
    await page.goto(url);
    return page;
  }

  async function results(): Promise<ResultsAnswer> {
    return (await (await ask(server, '/study/api/results')).json()) as ResultsAnswer;
  }

  test('a judge answers by clicks and keys, goes back, and begins again where they were', async () => {
    const page = await open((await results()).links[0]!);
    const status = page.getByRole('status');
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Which one?');
    await page.getByRole('button', { name: 'crop 1 is better' }).click();
    await status.getByText('2 of 4').waitFor();
    await page.locator('.choice:enabled').first().waitFor();
    await page.keyboard.press('2');
    await status.getByText('3 of 4').waitFor();
    expect(await axeViolations(page)).toEqual([]);
    await page.getByRole('button', { name: '← Back' }).click();
    expect(await page.getByRole('button', { name: 'crop 2 is better' }).getAttribute('aria-pressed')).toBe('true');
    await page.locator('.choice:enabled').first().waitFor();
    await page.keyboard.press('ArrowLeft');
    await status.getByText('3 of 4').waitFor();
    await page.reload();
    await status.getByText('3 of 4').waitFor();
    await page.getByRole('button', { name: 'No difference' }).click();
    await status.getByText('4 of 4').waitFor();
    await page.locator('.choice:enabled').first().waitFor();
    await page.keyboard.press('0');
    await page.getByText('Thank you, that was all.').waitFor();

    const { judges, left, comparisons } = await results();
    expect(judges[0]).toMatchObject({ nDone: 4, nTotal: 4 });
    const { a, b, ties } = comparisons[0]!.judgements;
    // One of the four may be the check; of the answers two were to the left, two ties.
    expect([a + b, a + b + ties]).toEqual([left.n, 3]);
    expect(left.rate).toBe(1);
    await page.context().close();
  });

  test('an answer that is not kept is told, and the pair stays', async () => {
    const page = await open((await results()).links[1]!);
    await page.route('**/pairs/*', (route) => (route.request().method() === 'PUT' ? route.abort() : route.continue()));
    await page.getByRole('button', { name: 'crop 1 is better' }).click();
    await page.getByRole('alert').getByText('There is no answer').waitFor();
    expect(await page.getByRole('status').textContent()).toContain('1 of 4');
    await page.unroute('**/pairs/*');
    await page.getByRole('button', { name: 'crop 1 is better' }).click();
    await page.getByRole('status').getByText('2 of 4').waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    complaints.length = 0; // of the request that was not let through
    await page.context().close();
  });

  test('at 390 px both crops and all buttons are in sight', async () => {
    const page = await open((await results()).links[2]!, {
      viewport: { width: 390, height: 844 },
      colorScheme: 'dark',
    });
    for (const name of ['crop 1 is better', 'crop 2 is better', 'No difference', '← Back']) {
      const box = (await page.getByRole('button', { name }).boundingBox())!;
      expect([name, box.x >= 0 && box.x + box.width <= 390 && box.y + box.height <= 844]).toEqual([name, true]);
    }
    expect((await page.getByRole('button', { name: 'crop 2 is better' }).boundingBox())!.height).toBeGreaterThan(200);
    expect(await axeViolations(page)).toEqual([]);
    await page.context().close();
  });

  test('a wrong link says so', async () => {
    const page = await open(`${server.url}/judge/nobody`);
    await page.getByRole('alert').getByText('there is no such link in this study').waitFor();
    complaints.length = 0; // the browser names the 404
    await page.context().close();
  });

  test('the owner sees rates, judges and links, and they go on by themselves', async () => {
    const page = await open(server.link);
    await page.getByRole('heading', { name: 'Which crop is better?' }).waitFor();
    expect(await page.locator('tbody tr').first().textContent()).toContain('ours');
    const { links } = await results();
    for (const link of links) expect(await page.getByText(link).count()).toBe(1);
    const judge = await open(links[1]!);
    await judge.getByRole('button', { name: 'No difference' }).click();
    await judge.getByRole('status').getByText('3 of 4').waitFor();
    await page.getByRole('row', { name: links[1]! }).getByText('2 of 4').waitFor();
    const downloading = page.waitForEvent('download');
    await page.getByRole('link', { name: 'judgements (CSV)' }).click();
    expect((await downloading).suggestedFilename()).toBe('study-csv.csv');
    expect(await axeViolations(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
