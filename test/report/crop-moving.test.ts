import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { choiceSchema, readChoices } from '../../src/batch/choices.js';
import { decodePhoto } from '../../src/photo/decode.js';
import { CropReport } from '../../src/report/crop-report.js';
import type { Box } from '../../src/base/geometry.js';
import type { CropResult } from '../../src/base/schema.js';
import { describePage } from './browser.js';

const PHOTO = { width: 800, height: 600 };
/** What is used of an element: the page's types are not those of Node. */
interface Attributes {
  readonly getAttribute: (name: string) => string | null;
}

/** The crop of each target: where it stands at first. */
const FIRST: Readonly<Record<string, Box>> = {
  free: [100, 100, 500, 400],
  '1:1': [100, 100, 400, 400],
};

async function render(): Promise<string> {
  const bytes = await sharp({ create: { ...PHOTO, channels: 3, background: '#468' } })
    .jpeg()
    .toBuffer();
  const photo = await decodePhoto(bytes);
  const report = new CropReport({ nPlanned: 2 });
  await report.add('free.jpg', photo, [result('free')]);
  await report.add('square.jpg', photo, [result('1:1')]);
  return report.render(new Date('2026-01-02T03:04:05Z'));
}

function result(target: 'free' | '1:1'): CropResult {
  const [x1, y1, x2, y2] = FIRST[target]!;
  const other: CropResult['candidates'][number]['box'] = [0, 0, x2 - x1, y2 - y1];
  return {
    schemaVersion: 1,
    photo: { widthPx: PHOTO.width, heightPx: PHOTO.height },
    engine: 'rules',
    frame: { widthPx: PHOTO.width, heightPx: PHOTO.height },
    target: target === 'free' ? {} : { aspect: target },
    analysis: [{ type: 'rule_of_thirds', box: [250, 200, 350, 300] }],
    candidates: [
      { box: [x1, y1, x2, y2], modelScore: 0.7, why: 'first' },
      { box: other, modelScore: 0.3, why: 'second' },
    ],
    best: 0,
    why: 'the subject',
    crop: { x: x1, y: y1, width: x2 - x1, height: y2 - y1 },
    focalPoint: { x: 0.5, y: 0.5 },
    verdict: 'crop',
    confidence: 0.7,
    timingsMs: { decode: 2 },
  };
}

describePage(render, (opened) => {
  const dialog = (): Locator => opened.page.locator('dialog');
  const held = (): Locator => dialog().locator('.held');
  const pill = (name: string): Locator => opened.page.locator('.card').filter({ hasText: name }).locator('.pill');

  async function open(name: string): Promise<void> {
    await opened.page.locator('.card').filter({ hasText: name }).locator('.open').click();
  }

  async function shownBox(): Promise<number[]> {
    const numbers = await held().evaluate((node) =>
      ['x', 'y', 'width', 'height'].map((name) => Number((node as unknown as Attributes).getAttribute(name))),
    );
    const [x, y, width, height] = numbers as [number, number, number, number];
    return [x, y, x + width, y + height];
  }

  /** Where a point of the photo lies in the window. */
  async function onScreen([x, y]: readonly [number, number]): Promise<[number, number]> {
    const matrix = await dialog()
      .locator('.picture')
      .evaluate((node) => {
        const { a, d, e, f } = (
          node as unknown as { getScreenCTM: () => { a: number; d: number; e: number; f: number } }
        ).getScreenCTM();
        return { a, d, e, f };
      });
    return [matrix.a * x + matrix.e, matrix.d * y + matrix.f];
  }

  async function drag(
    from: readonly [number, number],
    to: readonly [number, number],
    onTheWay?: () => Promise<void>,
  ): Promise<void> {
    const { mouse } = opened.page;
    await mouse.move(...(await onScreen(from)));
    await mouse.down();
    await mouse.move(...(await onScreen([(from[0] + to[0]) / 2, (from[1] + to[1]) / 2])));
    await mouse.move(...(await onScreen(to)));
    await onTheWay?.();
    await mouse.up();
  }

  async function choices(): Promise<Record<string, unknown>[]> {
    const downloading = opened.page.waitForEvent('download');
    await opened.page.locator('#save').click();
    const text = readFileSync(await (await downloading).path(), 'utf8').trimEnd();
    return text.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** A pixel of the window is about this many of the photo. */
  const near = (box: readonly number[], expected: readonly number[]): void =>
    box.forEach((edge, i) =>
      expect(Math.abs(edge - expected[i]!), `${box.join()} for ${expected.join()}`).toBeLessThan(4),
    );

  test('a crop is dragged, with the thirds shown on the way, and is a choice then', async () => {
    await open('free.jpg');
    const guides = dialog().locator('.guides');
    expect(await guides.isVisible()).toBe(false);
    await drag([300, 250], [380, 290], async () => {
      expect(await guides.isVisible()).toBe(true);
      expect(await pill('free.jpg').textContent()).toBe('70 %');
    });
    expect(await guides.isVisible()).toBe(false);
    const box = await shownBox();
    near(box, [180, 140, 580, 440]);
    expect([box[2]! - box[0]!, box[3]! - box[1]!]).toEqual([400, 300]);
    expect(await dialog().getByRole('status').textContent()).toContain(`400 × 300 px at (${box[0]}, ${box[1]})`);
    expect(await pill('free.jpg').textContent()).toBe('my choice');
    expect(await dialog().locator('.option[aria-pressed="true"]').count()).toBe(0);
  });

  test('edges and corners are pulled, no farther than the photo', async () => {
    await dialog().getByRole('button', { name: 'Back to the first crop' }).click();
    expect(await shownBox()).toEqual(FIRST.free);
    await drag([500, 250], [600, 500]);
    near(await shownBox(), [100, 100, 600, 400]);
    await drag([100, 100], [-300, -300]);
    near(await shownBox(), [0, 0, 600, 400]);
  });

  test('Escape takes a drag back and leaves the photo open', async () => {
    const before = await shownBox();
    await drag([300, 200], [400, 300], async () => {
      expect(await shownBox()).not.toEqual(before);
      await opened.page.keyboard.press('Escape');
    });
    expect(await shownBox()).toEqual(before);
    expect(await dialog().isVisible()).toBe(true);
  });

  test('back at the first crop nothing is changed', async () => {
    const reset = dialog().getByRole('button', { name: 'Back to the first crop' });
    await reset.click();
    expect(await pill('free.jpg').textContent()).toBe('70 %');
    expect(await reset.isDisabled()).toBe(true);
    await opened.page.keyboard.press('Escape');
    expect(await opened.page.locator('#forget').isVisible()).toBe(false);
  });

  test('a fixed ratio stays what it is, whatever is pulled', async () => {
    await open('square.jpg');
    await drag([400, 250], [500, 250]);
    const [x1, y1, x2, y2] = (await shownBox()) as [number, number, number, number];
    expect(x2 - x1).toBe(y2 - y1);
    near([x1, y1, x2, y2], [100, 50, 500, 450]);
    await drag([x2, y2], [x2 - 120, y2 - 80]);
    const pulled = (await shownBox()) as [number, number, number, number];
    expect(pulled.slice(0, 2)).toEqual([x1, y1]);
    expect(pulled[2] - pulled[0]).toBe(pulled[3] - pulled[1]);
    near(pulled, [100, 50, 400, 350]);
    await dialog().getByRole('button', { name: 'Back to the first crop' }).click();
  });

  test('the keys move it to the pixel and size it; elsewhere they go from photo to photo', async () => {
    const { keyboard } = opened.page;
    await held().focus();
    for (const key of ['ArrowRight', 'Shift+ArrowDown', 'ArrowUp']) await keyboard.press(key);
    expect(await shownBox()).toEqual([101, 109, 401, 409]);
    expect(await held().getAttribute('aria-label')).toBe('crop 300 × 300 px at (101, 109)');
    await keyboard.press('Alt+ArrowRight');
    await keyboard.press('Shift+Alt+ArrowUp');
    expect(await shownBox()).toEqual([101, 109, 392, 400]);
    expect(await dialog().locator('h2').textContent()).toBe('square.jpg');
    await dialog().getByRole('button', { name: 'next photo' }).focus();
    await keyboard.press('ArrowRight');
    expect(await dialog().locator('h2').textContent()).toBe('free.jpg');
    await keyboard.press('ArrowLeft');
    expect(await dialog().locator('h2').textContent()).toBe('square.jpg');
    await keyboard.press('Escape');
  });

  test('what is saved says how the crop was chosen, and of what; it is read as any choice', async () => {
    await opened.page.locator('.card').filter({ hasText: 'free.jpg' }).locator('.small').nth(1).click();
    const lines = await choices();
    const second = [0, 0, 300, 300];
    expect(lines).toMatchObject([
      { path: 'free.jpg', by: 'picked', box: [0, 0, 400, 300], origin: 'report' },
      { path: 'square.jpg', by: 'moved', box: [101, 109, 392, 400], offered: [FIRST['1:1'], second], origin: 'report' },
    ]);
    for (const line of lines) expect(() => choiceSchema.parse(line)).not.toThrow();
    const folder = mkdtempSync(path.join(tmpdir(), 'framewright-moving-'));
    writeFileSync(path.join(folder, 'c.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'));
    expect((await readChoices(path.join(folder, 'c.jsonl'))).map(({ by }) => by)).toEqual(['picked', 'moved']);
    rmSync(folder, { recursive: true });
  });

  test('choices come back after a reload, until they are forgotten', async () => {
    const { page } = opened;
    await page.reload();
    expect(await pill('square.jpg').textContent()).toBe('my choice');
    expect(await choices()).toMatchObject([{ box: [0, 0, 400, 300] }, { box: [101, 109, 392, 400], by: 'moved' }]);
    await open('square.jpg');
    expect(await shownBox()).toEqual([101, 109, 392, 400]);
    await page.keyboard.press('Escape');

    page.once('dialog', (dialog) => void dialog.dismiss());
    await page.locator('#forget').click();
    expect(await pill('square.jpg').textContent()).toBe('my choice');
    page.once('dialog', (dialog) => void dialog.accept());
    await page.locator('#forget').click();
    expect(await pill('square.jpg').textContent()).toBe('70 %');
    expect(await page.locator('#save').isDisabled()).toBe(true);
    await page.reload();
    expect(await pill('square.jpg').textContent()).toBe('70 %');
  });

  test('what another page left in the browser under its name changes nothing but what fits', async () => {
    const { page } = opened;
    const left = {
      [JSON.stringify(['free.jpg', 'free'])]: [0, 0, 9999, 10],
      [JSON.stringify(['square.jpg', '1:1'])]: [5, 5, 205, 205],
      [JSON.stringify(['gone.jpg', 'free'])]: 1,
    };
    await page.evaluate(keep, [`framewright crops 2026-01-02T03:04:05.000Z ${process.cwd()}`, JSON.stringify(left)]);
    await page.reload();
    expect(await choices()).toMatchObject([{ path: 'square.jpg', box: [5, 5, 205, 205], by: 'moved' }]);
    expect(await page.locator('#save').textContent()).toBe('Save 1 choice');
  });

  test('where nothing may be kept, crops are chosen all the same', async () => {
    const page = await opened.browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.addInitScript(() => {
      Object.defineProperty(globalThis, 'localStorage', {
        get: () => {
          throw new Error('not here');
        },
      });
    });
    await page.goto(opened.page.url());
    await page.locator('.card').filter({ hasText: 'free.jpg' }).locator('.small').nth(1).click();
    expect(await page.locator('#save').textContent()).toBe('Save 1 choice');
    expect(errors).toEqual([]);
    await page.close();
  });

  test('at 390 px a finger moves it', async () => {
    const context = await opened.browser.newContext({
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    });
    const page = await context.newPage();
    await page.goto(opened.page.url());
    await page.locator('.card').filter({ hasText: 'free.jpg' }).locator('.open').tap();
    const cdp = await context.newCDPSession(page);
    const { x, y } = (await page.locator('dialog .held').boundingBox())!;
    const send = (type: string, dx: number): Promise<unknown> =>
      cdp.send(
        'Input.dispatchTouchEvent' as never,
        { type, touchPoints: type === 'touchEnd' ? [] : [{ x: x + 60 + dx, y: y + 60 }] } as never,
      );
    await send('touchStart', 0);
    await send('touchMove', 10);
    await send('touchMove', 30);
    await send('touchEnd', 30);
    expect(await page.locator('dialog .held').getAttribute('aria-label')).toMatch(
      /^crop 400 × 300 px at \((1[4-9]\d|2\d\d), 100\)$/,
    );
    expect(
      await page.evaluate(
        () =>
          (globalThis as unknown as { document: { documentElement: { scrollWidth: number } } }).document.documentElement
            .scrollWidth,
      ),
    ).toBeLessThanOrEqual(390);
    await context.close();
  });

  test('the page gave no complaint', () => {
    expect(opened.complaints).toEqual([]);
  });
});

/** Runs in the page. */
function keep([name, text]: readonly string[]): void {
  const { localStorage } = globalThis as unknown as { localStorage: { setItem: (name: string, text: string) => void } };
  localStorage.setItem(name!, text!);
}
