import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runBatch } from '../../src/index.js';
import type { CropSummary, LibraryAnswer } from '../../src/studio/api.js';
import { ask } from '../server/serving.js';
import { examplePhoto, projectFile } from '../support/photos.js';
import { axeViolations, launchBrowser, overhear } from '../support/browser.js';
import { describeWith } from '../support/system-tools.js';
import { askJson } from './opened.js';

const N_PHOTOS = 200;
/** On a machine that has much else to do. */
const LONG = { timeout: 300_000 };
const NAMES = ['dogs', 'mountains', 'pagoda', 'dandelion', 'dust-bowl-home'] as const;

interface Started {
  readonly child: ChildProcess;
  readonly link: string;
  readonly server: { readonly url: string; readonly token: string };
}

/** The command as a user starts it, once it has printed its link. */
async function startStudio(folder: string, port = 0): Promise<Started> {
  const args = ['studio', folder, '--engine', 'rules', '--min-confidence', '0.58', '--port', String(port)];
  const child = spawn(process.execPath, [projectFile('dist', 'src', 'cli', 'main.js'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [first] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const link = first.trim();
  const { origin, searchParams } = new URL(link);
  return { child, link, server: { url: origin, token: searchParams.get('token')! } };
}

describeWith(['chromium'], 'the studio in a browser', () => {
  let folder: string;
  let studio: Started;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const asked: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'framewright-studio-page-'));
    for (const name of NAMES) {
      const file = path.join(folder, `${name}-000.jpg`);
      await sharp(examplePhoto(name)).resize(400, 400, { fit: 'inside' }).toFile(file);
      for (let n = 1; n < N_PHOTOS / NAMES.length; n++) {
        copyFileSync(file, path.join(folder, `${name}-${String(n).padStart(3, '0')}.jpg`));
      }
    }
    studio = await startStudio(folder);
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    overhear(page, { complaints, requests: asked });
    await page.goto(studio.link);
  });
  afterAll(async () => {
    await browser.close();
    studio.child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  const library = (): Promise<LibraryAnswer> => askJson(studio.server, 'GET', 'library');
  const chip = (name: string): ReturnType<Page['locator']> => page.locator('.chips button', { hasText: name });

  test('opens by its link, which leaves no token behind, with a cell for no more photos than are in sight', async () => {
    await page.waitForSelector('.cell img');
    expect(page.url()).toBe(`${studio.server.url}/`);
    expect(await chip('all').textContent()).toBe(`all ${N_PHOTOS}`);
    expect(await page.locator('.cell').count()).toBeLessThan(100);
    expect(await axeViolations(page)).toEqual([]);
  });

  test('crops all at 4:5, tells how far it is, and keeps what was done when it is cancelled', LONG, async () => {
    await page.click('text=/^Crop all/');
    expect(await axeViolations(page)).toEqual([]);
    await page.click('dialog button[type=submit]');
    // A fast machine may be done before.
    const cancel = page.locator('.progress button');
    const isCancelled = await cancel.click({ timeout: 5000 }).then(
      () => true,
      () => false,
    );
    const nFirst = isCancelled ? await nCroppedBefore() : 0;
    await expect
      .poll(() => page.locator('.note[role=status]').textContent(), { timeout: 200_000 })
      .toMatch(/^\d+ done/);
    const { run, photos } = await library();
    expect(photos.length).toBe(N_PHOTOS);
    expect(run.nDone).toBe(N_PHOTOS - nFirst);
    expect(photos.every(({ crops }) => Object.keys(crops).join() === '4:5')).toBe(true);
  });

  /** Of a run that was cancelled, after which another has been started. */
  async function nCroppedBefore(): Promise<number> {
    await page.waitForSelector('text=/^Stopped: \\d+ of 200 done/');
    const nDone = (await library()).photos.filter(({ state }) => state !== 'new').length;
    await page.click('text=/^Crop all/');
    await page.click('dialog button[type=submit]');
    return nDone;
  }

  test('shows the unsure ones, the most unsure first, and takes a person’s word for one', async () => {
    const nReview = (await library()).photos.filter(({ state }) => state === 'review').length;
    expect(nReview).toBeGreaterThan(0);
    expect(nReview).toBeLessThan(N_PHOTOS);
    await chip('to review').click();
    await page.selectOption('.filters select >> nth=0', 'unsure');
    const percents = await page.locator('.cell .state').allTextContents();
    const shares = percents.map((text) => Number(/(\d+) % sure/.exec(text)![1]));
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    await page.click('.cell >> nth=0');
    await page.click('text=It is right');
    await expect
      .poll(async () => (await library()).photos.filter(({ state }) => state === 'review').length)
      .toBe(nReview - 1);
    await page.click('text=Undo');
    await expect
      .poll(async () => (await library()).photos.filter(({ state }) => state === 'review').length)
      .toBe(nReview);
  });

  /** Of the first photo by name. */
  const boxNow = async (): Promise<readonly number[]> => (await library()).photos[0]!.crops['4:5']!.box;

  const boxShown = (): Promise<string | null> => page.locator('.crop').getAttribute('aria-label');
  const wordsOf = ([x1, y1, x2, y2]: readonly number[]): string =>
    `${x2! - x1!} by ${y2! - y1!} pixels at ${x1}, ${y1};`;

  test('a crop is dragged, resized by a handle, moved by keys to the pixel, picked, undone and redone', async () => {
    await page.goto(`${studio.server.url}/#/photo/${(await library()).photos[0]!.id}/4:5`);
    const crop = page.locator('.crop');
    await crop.waitFor();
    expect(await axeViolations(page)).toEqual([]);
    const engine = await boxNow();
    const { x, y, width, height } = (await crop.boundingBox())!;
    const scale = (engine[2]! - engine[0]!) / width;

    // From the lower right corner inwards: the upper left one stays.
    await page.mouse.move(x + width, y + height);
    await page.mouse.down();
    await page.mouse.move(x + width - 80, y + height - 100, { steps: 5 });
    await page.mouse.up();
    await expect.poll(boxNow).not.toEqual(engine);
    const small = await boxNow();
    expect(small.slice(0, 2)).toEqual(engine.slice(0, 2));
    expect(Math.abs(small[2]! - small[0]! - 0.8 * (small[3]! - small[1]!))).toBeLessThanOrEqual(0.5);
    expect(small[2]! - small[0]!).toBeCloseTo(engine[2]! - engine[0]! - 80 * scale, -1);

    await page.mouse.move(x + 40, y + 40);
    await page.mouse.down();
    await page.mouse.move(x + 40, y + 70, { steps: 5 });
    await page.mouse.up();
    await expect.poll(boxNow).not.toEqual(small);
    const dragged = await boxNow();
    expect(dragged[1]! - small[1]!).toBe(Math.min(Math.round(30 * scale), 400 - small[3]!));

    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Shift+ArrowRight');
    const keyed = [dragged[0]! + 10, dragged[1]! - 1, dragged[2]! + 10, dragged[3]! - 1];
    await expect.poll(boxNow).toEqual(keyed);

    await page.keyboard.press('Control+z');
    await expect.poll(boxNow).toEqual(dragged);
    await page.keyboard.press('Control+Shift+z');
    await expect.poll(boxNow).toEqual(keyed);
    await page.keyboard.press('2');
    await expect.poll(boxNow).not.toEqual(keyed);
    await page.click('text=Undo');
    await expect.poll(boxNow).toEqual(keyed);
  });

  test('keys faster than the server are one change each, in their order; the last outlives the page', async () => {
    const before = await boxNow();
    await expect.poll(boxShown).toContain(wordsOf(before));
    const left = before.map((edge, i) => (i % 2 === 0 ? edge - 1 : edge));
    const crop = page.locator('.crop');
    await crop.focus();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Control+z');
    await page.keyboard.press('Control+Shift+z');
    await page.keyboard.press('Control+z');
    await page.keyboard.press('Control+y');
    await expect.poll(boxNow).toEqual(left);
    await expect.poll(boxShown).toContain(wordsOf(left));
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    const here = page.url();
    await page.goto('about:blank');
    await expect.poll(boxNow).toEqual(before.map((edge, i) => (i % 2 === 0 ? edge + 1 : edge)));
    await page.goto(here);
    await crop.waitFor();
    await crop.focus();
    await page.keyboard.press('Control+z');
    await page.keyboard.press('Control+z');
    await expect.poll(boxNow).toEqual(before);
  });

  test('what is being dragged is taken back by Escape', async () => {
    const before = await boxNow();
    const { x, y } = (await page.locator('.crop').boundingBox())!;
    await page.mouse.move(x + 30, y + 30);
    await page.mouse.down();
    await page.mouse.move(x + 130, y + 90, { steps: 3 });
    await page.keyboard.press('Escape');
    await page.mouse.up();
    await page.waitForTimeout(300);
    expect(await boxNow()).toEqual(before);
  });

  test('the photo is turned by a slider, by keys too; there and back is where it was, and what is shown is what is written', async () => {
    const cropNow = async (): Promise<CropSummary> => (await library()).photos[0]!.crops['4:5']!;
    const turnTo = async (angleDeg: number): Promise<void> => {
      const slider = page.locator('.straighten input[type=range]');
      await slider.focus();
      const steps = Math.round(10 * (angleDeg - Number(await slider.inputValue())));
      for (let i = 0; i < Math.abs(steps); i++) await page.keyboard.press(steps > 0 ? 'ArrowRight' : 'ArrowLeft');
      await expect.poll(async () => (await cropNow()).turn?.angleDeg ?? 0).toBe(angleDeg);
    };
    const before = await cropNow();
    await turnTo(2);
    expect(await page.locator('.guide').getAttribute('d')).toMatch(/^(M[^M]+){22}$/);
    expect(await axeViolations(page)).toEqual([]);
    await turnTo(0);
    expect(await cropNow()).toEqual(before);
    await turnTo(-3);
    const { box, turn } = await cropNow();
    expect(turn!.upright).toEqual(before.photo);
    await page.click('text="After"');
    const size = { width: box[2] - box[0], height: box[3] - box[1] };
    const { x, y, width, height } = (await page.locator('.after').boundingBox())!;
    const scale = Math.min(width / size.width, height / size.height);
    const fitted = { width: scale * size.width, height: scale * size.height };
    const shown = await page.screenshot({
      clip: { x: x + (width - fitted.width) / 2, y: y + (height - fitted.height) / 2, ...fitted },
    });
    await page.click('text="After"');
    const { id } = (await library()).photos[0]!;
    const pixelsOf = (image: Buffer): Promise<Buffer> =>
      sharp(image).resize(size.width, size.height, { fit: 'fill' }).removeAlpha().raw().toBuffer();
    const taken = await ask(studio.server, `/studio/api/photos/${id}/crop?target=4:5`);
    const onScreen = await pixelsOf(shown);
    const meanDifference = (pixels: Buffer): number =>
      pixels.reduce((sum, value, i) => sum + Math.abs(value - onScreen[i]!), 0) / pixels.length;
    const [left, top] = box;
    const unturned = await sharp(path.join(folder, 'dandelion-000.jpg'))
      .extract({ left, top, ...size })
      .toBuffer();
    const difference = meanDifference(await pixelsOf(Buffer.from(await taken.arrayBuffer())));
    expect(difference).toBeLessThan(meanDifference(await pixelsOf(unturned)) / 3);
    await page.click('text="As it was"');
    await expect.poll(async () => (await cropNow()).turn).toBeUndefined();
    await page.click('text="Undo"');
    await expect.poll(async () => (await cropNow()).turn).toEqual(turn);
    await page.click('text="Auto"');
    await page.waitForSelector('.message');
  });

  test('nothing is lost over a reload, nor when the server is killed and started again', async () => {
    const before = await library();
    await page.reload();
    await expect.poll(boxShown).toContain(wordsOf(await boxNow()));
    const { port } = new URL(studio.server.url);
    studio.child.kill('SIGKILL');
    await once(studio.child, 'exit');
    await expect.poll(() => page.locator('.offline').count()).toBe(1);
    studio = await startStudio(folder, Number(port));
    const after = await library();
    expect(after.photos).toEqual(before.photos);
    expect(after.history).toEqual(before.history);
    await page.goto(studio.link);
  });

  test('saved files are what the command writes for the same rectangles', LONG, async () => {
    await page.waitForSelector('.cell img');
    await chip('by hand').click();
    await page.click('text=/^Save all/');
    await page.waitForSelector('.message >> text=/^Saved /');
    await chip('all').click();
    await page.click('text=/^Save all 200/');
    await page.waitForSelector('.message >> text=/^Saved 200 files/', { timeout: 200_000 });
    const choices = path.join(folder, 'choices.jsonl');
    writeFileSync(choices, await (await ask(studio.server, '/studio/api/choices.jsonl?all')).text());
    await runBatch({ choices, output: path.join(folder, 'command/') });
    const saved = readdirSync(path.join(folder, 'cropped'));
    expect(saved).toHaveLength(N_PHOTOS);
    const differing = saved.filter(
      (name) =>
        !readFileSync(path.join(folder, 'cropped', name)).equals(readFileSync(path.join(folder, 'command', name))),
    );
    expect(differing).toEqual([]);
  });

  test('photos come in by a drop, and are chosen by keys alone', async () => {
    await page.setInputFiles('.add input', examplePhoto('pagoda'));
    await page.waitForSelector('.message >> text=/^One photo was added/');
    await expect.poll(() => chip('all').textContent()).toBe('all 201');
    await page.focus('.grid');
    await page.keyboard.press('Home');
    await page.keyboard.press('Space');
    await page.keyboard.press('Shift+ArrowRight');
    expect(await page.locator('.cell[aria-selected=true]').count()).toBe(2);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.crop');
    await page.keyboard.press('Escape');
    await page.waitForSelector('.grid');
  });

  test.each(['light', 'dark'] as const)('is usable at 390 px, in the %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 390, height: 800 });
    for (const where of ['', `#/photo/${(await library()).photos[0]!.id}/4:5`]) {
      await page.goto(`${studio.server.url}/${where}`);
      await page.waitForSelector(where === '' ? '.cell img' : '.crop');
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
      expect(await axeViolations(page)).toEqual([]);
    }
  });

  test('asks nobody but its own server, and breaks no rule of its own', () => {
    for (const url of asked) expect(url.replace(/^blob:/, '')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\//);
    // While the server was away, and once it was another with a token of its own.
    expect(
      complaints.filter(
        (text) => !/ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED|EMPTY_RESPONSE)|status of 401/.test(text),
      ),
    ).toEqual([]);
  });
});
