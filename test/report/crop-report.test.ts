import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodePhoto } from '../../src/photo/decode.js';
import { CropReport, thumbnailSide } from '../../src/report/crop-report.js';
import type { CropResult, Element } from '../../src/base/schema.js';
import { framewright } from '../cli/run.js';
import { testWith } from '../support/system-tools.js';
import { describePage, openPage } from './browser.js';

const N_PHOTOS = 75;
/** Of a model that gives one box, and no confidence. */
const UNSCORED = 12;
const HOSTILE = [
  `<img src=x onerror="window.hacked=1">.jpg`,
  `</script><script>window.hacked=1</script>.jpg`,
  `' onmouseover='window.hacked=1' "{{data}}&amp;$&.jpg`,
  `javascript:window.hacked=1;\u2028<!--.jpg`,
];
const ELEMENTS: Element[] = [
  { type: 'rule_of_thirds', box: [40, 40, 120, 120] },
  { type: 'diagonal', line: [0, 0, 400, 300] },
];

let root: string;
let html: string;
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'framewright-crop-report-'));
  const bytes = await sharp({ create: { width: 400, height: 300, channels: 3, background: '#4a7' } })
    .jpeg()
    .toBuffer();
  const photo = await decodePhoto(bytes);
  const report = new CropReport({ nPlanned: N_PHOTOS + 2 });
  for (let i = 0; i < N_PHOTOS; i++) {
    const name = HOSTILE[i] ?? `folder/photo ${i}.jpg`;
    await report.add(name, photo, i === 5 ? [result(i), result(i, '1:1')] : [result(i)]);
  }
  report.fail({ path: 'x.jpg', code: 'INPUT_CORRUPT', message: 'x.jpg is <b>damaged</b>' });
  html = await report.render();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Three candidates; the photo's number sets how sure the first one is. */
function result(i: number, aspect?: string): CropResult {
  const sure = 0.9 - i / 100;
  return {
    schemaVersion: 1,
    photo: { widthPx: 400, heightPx: 300 },
    engine: 'rules',
    frame: { widthPx: 400, heightPx: 300 },
    target: aspect === undefined ? {} : { aspect },
    analysis: i % 2 === 0 ? ELEMENTS : ELEMENTS.slice(0, 1),
    candidates: [
      { box: [10, 10, 310, 260], modelScore: sure, why: 'keeps <i>all</i>' },
      { box: [100, 0, 400, 300], modelScore: (1 - sure) * 0.75, why: 'second' },
      { box: [50, 50, 350, 250], modelScore: (1 - sure) * 0.25, why: 'third' },
    ],
    best: 0,
    why: 'the subject',
    crop: { x: 10, y: 10, width: 300, height: 250 },
    focalPoint: { x: 0.5, y: 0.5 },
    verdict: 'crop',
    ...(i === UNSCORED ? {} : { confidence: sure }),
    timingsMs: { decode: 2, propose: 10 + i },
  };
}

test('the page asks for nothing and its policy runs its own scripts alone', () => {
  expect(html).not.toMatch(/<(script|link|img|iframe)[^>]+(src|href)=/);
  const scripts = [...html.matchAll(/<script>/g)].length;
  expect([...html.matchAll(/'sha256-[A-Za-z0-9+/=]{44}'/g)]).toHaveLength(scripts);
  expect(html).not.toContain("script-src 'unsafe-inline'");
});

test('pictures shrink as photos grow in number, so that a page of many stays one a browser opens', () => {
  expect(thumbnailSide(5, 0)).toBe(1200);
  const nPixels = (n: number): number =>
    Array.from({ length: n }, (_, i) => thumbnailSide(n, i) ?? 0).reduce((sum, side) => sum + side * side, 0);
  for (const n of [40, 150, 600, 2000, 6000, 100_000]) expect(nPixels(n)).toBeLessThanOrEqual(240e6);
  expect(thumbnailSide(100_000, 99_999)).toBeUndefined();
});

declare const window: { readonly hacked?: number };

describePage(
  () => html,
  (opened) => {
    const card = (name: string) => opened.page.locator('.card').filter({ hasText: name });
    const names = (): Promise<string[]> => opened.page.locator('.card .name').allTextContents();
    async function savedChoices(): Promise<{ path: string; box: number[]; aspect?: string }[]> {
      const downloading = opened.page.waitForEvent('download');
      await opened.page.locator('#save').click();
      const download = await downloading;
      expect(download.suggestedFilename()).toBe('choices.jsonl');
      const lines = readFileSync(await download.path(), 'utf8')
        .trimEnd()
        .split('\n');
      return lines.map((line) => JSON.parse(line) as { path: string; box: number[] });
    }

    test('hostile names and reasons are text', async () => {
      expect((await names()).slice(0, HOSTILE.length)).toEqual(HOSTILE);
      await opened.page.locator('details summary').click();
      expect(await opened.page.locator('details li').textContent()).toBe('x.jpg is <b>damaged</b> [INPUT_CORRUPT]');
      await card(HOSTILE[0]!).locator('.open').click();
      expect(await opened.page.locator('dialog h2').textContent()).toBe(HOSTILE[0]);
      expect(await opened.page.locator('dialog .why').first().textContent()).toBe('keeps <i>all</i>');
      expect(await opened.page.evaluate(() => window.hacked)).toBeUndefined();
      await opened.page.keyboard.press('Escape');
      expect(opened.complaints).toEqual([]);
      expect(opened.requests.filter((url) => !/^(file|data|blob):/.test(url))).toEqual([]);
    });

    test('says how many of the run it shows, and goes on past the first cards', async () => {
      expect(await opened.page.locator('h1').textContent()).toBe(`${N_PHOTOS} of ${N_PHOTOS + 2} photos, cropped`);
      expect(await opened.page.locator('.card').count()).toBe(60);
      await opened.page.locator('#more').click();
      expect(await opened.page.locator('.card').count()).toBe(N_PHOTOS);
    });

    test('a layer button hides its kind on every picture', async () => {
      const lines = opened.page.locator('.card [data-kind="diagonal"]');
      expect(await lines.count()).toBe(Math.ceil(N_PHOTOS / 2));
      expect(await lines.first().isVisible()).toBe(true);
      await opened.page.locator('#layers').getByRole('button', { name: 'diagonal' }).click();
      expect(await lines.first().isVisible()).toBe(false);
      expect(await opened.page.locator('.card [data-kind="rule_of_thirds"]').first().isVisible()).toBe(true);
      await opened.page.locator('#layers').getByRole('button', { name: 'diagonal' }).click();
      expect(await lines.first().isVisible()).toBe(true);
      expect(await opened.page.locator('.candidate').first().isVisible()).toBe(false);
    });

    test('filters by name, composition and sureness, and sorts', async () => {
      await opened.page.locator('#search').fill('PHOTO 7');
      expect(await names()).toEqual([
        'folder/photo 7.jpg',
        ...[70, 71, 72, 73, 74].map((i) => `folder/photo ${i}.jpg`),
      ]);
      await opened.page.locator('#kind').selectOption('diagonal');
      expect(await names()).toEqual([70, 72, 74].map((i) => `folder/photo ${i}.jpg`));
      await opened.page.locator('#sort').selectOption('unsure');
      await opened.page.locator('#show').selectOption('unsure');
      await opened.page.locator('#kind').selectOption('');
      await opened.page.locator('#search').fill('photo');
      const least = await names();
      // The surest option counts: 1 - sure of photo i is i / 100 + 0.1, three quarters of it the second candidate's.
      const surest = (i: number): number => Math.max(0.9 - i / 100, 0.75 * (0.1 + i / 100));
      const expected = Array.from({ length: N_PHOTOS }, (_, i) => i)
        .filter((i) => i >= HOSTILE.length && surest(i) < 0.5)
        .sort((a, b) => surest(a) - surest(b))
        .map((i) => `folder/photo ${i}.jpg`);
      expect(expected.length).toBeGreaterThan(5);
      expect(least).toEqual(expected);
      await opened.page.locator('#show').selectOption('all');
      await opened.page.locator('#sort').selectOption('slow');
      expect((await names())[0]).toBe('folder/photo 74.jpg');
      await opened.page.locator('#sort').selectOption('order');
      await opened.page.locator('#search').fill('');
    });

    test('shows every candidate with its probability and reason, and the times', async () => {
      await card('photo 10.jpg').locator('.open').click();
      const dialog = opened.page.locator('dialog');
      const rows = await dialog.locator('.option .about').allTextContents();
      expect(rows).toEqual([
        '180 %bestkeeps <i>all</i>',
        '215 %second',
        '35.0 %third',
        'whole photoThe photo as it is.',
      ]);
      expect(await dialog.textContent()).toContain('decode 2 ms · propose 20 ms');
      expect(await dialog.textContent()).toContain('crop 300 × 250 px at (10, 10)');
      await dialog.locator('.option').nth(2).hover();
      expect(await dialog.locator('.candidate[data-option="2"]').isVisible()).toBe(true);
      expect(await dialog.locator('.candidate[data-option="1"]').isVisible()).toBe(false);
      await opened.page.keyboard.press('ArrowRight');
      expect(await dialog.locator('h2').textContent()).toBe('folder/photo 11.jpg');
      await opened.page.keyboard.press('Escape');
    });

    test('shows no probability where nothing was scored', async () => {
      expect(await card('photo 12.jpg').locator('.pill').textContent()).toBe('cropped');
      expect(await card('photo 13.jpg').locator('.pill').textContent()).toMatch(/%$/);
      await card('photo 12.jpg').locator('.open').click();
      const dialog = opened.page.locator('dialog');
      expect((await dialog.locator('.option .about').allTextContents())[0]).toBe('1bestkeeps <i>all</i>');
      await opened.page.keyboard.press('Escape');
    });

    test('a candidate picked by click or by key is saved; one picked back is not', async () => {
      expect(await opened.page.locator('#save').isDisabled()).toBe(true);
      await card('photo 8.jpg').locator('.small').nth(1).click();
      expect(await card('photo 8.jpg').locator('.pill').textContent()).toBe('my choice');
      await card('photo 9.jpg').locator('.small').nth(2).click();
      await card('photo 9.jpg').locator('.small').nth(0).click();
      await card('photo 5.jpg').getByRole('button', { name: '1:1' }).click();
      await card('photo 5.jpg').locator('.open').click();
      await opened.page.keyboard.press('3');
      expect(await opened.page.locator('dialog .option[aria-pressed="true"] .why').textContent()).toBe('third');
      await opened.page.keyboard.press('Escape');
      await card(HOSTILE[3]!).locator('.small').nth(3).click();
      expect(await opened.page.locator('#save').textContent()).toBe('Save 3 choices');
      const all = { folder: process.cwd(), photo: { widthPx: 400, heightPx: 300 }, by: 'picked', origin: 'report' };
      const offered = [
        [10, 10, 310, 260],
        [100, 0, 400, 300],
        [50, 50, 350, 250],
      ];
      const withWhole = [...offered, [0, 0, 400, 300]];
      expect(await savedChoices()).toEqual([
        { path: HOSTILE[3], box: [0, 0, 400, 300], ...all, offered: withWhole },
        { path: 'folder/photo 5.jpg', aspect: '1:1', box: [50, 50, 350, 250], ...all, offered },
        { path: 'folder/photo 8.jpg', box: [100, 0, 400, 300], ...all, offered: withWhole },
      ]);
      await opened.page.locator('#show').selectOption('changed');
      expect(await opened.page.locator('.card').count()).toBe(3);
      await opened.page.locator('#show').selectOption('all');
      await opened.page.locator('#save-all').check();
      expect((await savedChoices()).length).toBe(N_PHOTOS + 1);
      expect(opened.complaints).toEqual([]);
    });
  },
);

describe('framewright --report', () => {
  const run = (...args: string[]): ReturnType<typeof framewright> => framewright(args, { cwd: root });

  testWith(['chromium'], 'a dry run, picks made in its page, and --choices give the crops picked', async () => {
    const name = `<img src=x onerror=alert(1)> & 'so'.jpg`;
    await sharp({ create: { width: 320, height: 200, channels: 3, background: '#864' } })
      .jpeg()
      .toFile(path.join(root, name));
    const dry = await run('--engine', 'rules', '-a', '1:1', '-a', '3:2', '--dry-run', '--report', 'dry.html', name);
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    const { browser, page } = await openPage(path.join(root, 'dry.html'));
    await page.locator('.small').nth(1).click();
    const downloading = page.waitForEvent('download');
    await page.locator('#save').click(); // after a dry run, unchanged ones too
    const file = path.join(root, 'picked.jsonl');
    await (await downloading).saveAs(file);
    await browser.close();

    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const boxes = lines.map((line) => (JSON.parse(line) as { box: [number, number, number, number] }).box);
    const { code, stdout } = await run('--choices', 'picked.jsonl', '--json', '-o', 'picked/');
    expect(code).toBe(0);
    const results = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as CropResult);
    expect(results.map(({ crop, engine }) => [engine, crop])).toEqual(
      boxes.map(([x1, y1, x2, y2]) => ['chosen', { x: x1, y: y1, width: x2 - x1, height: y2 - y1 }]),
    );
    const stem = name.slice(0, -4);
    expect(readdirSync(path.join(root, 'picked')).sort()).toEqual([`${stem}-1x1.jpg`, `${stem}-3x2.jpg`]);
    const { width, height } = await sharp(path.join(root, 'picked', `${stem}-1x1.jpg`)).metadata();
    expect({ width, height }).toEqual({ width: results[0]!.crop.width, height: results[0]!.crop.height });
  });

  test('is refused before any work where its file exists, and replaced with --force', async () => {
    await sharp({ create: { width: 64, height: 48, channels: 3, background: '#864' } })
      .jpeg()
      .toFile(path.join(root, 'small.jpg'));
    writeFileSync(path.join(root, 'mine.html'), 'mine');
    const refused = await run('--engine', 'full', '--report', 'mine.html', 'small.jpg');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/mine\.html exists already.*\[OUTPUT_EXISTS\]/);
    expect(readdirSync(root)).not.toContain('small-crop.jpg');
    expect((await run('--engine', 'full', '--force', '--report', 'mine.html', 'small.jpg')).code).toBe(0);
    expect(readFileSync(path.join(root, 'mine.html'), 'utf8')).toContain('small.jpg');
  });

  test('holds photos that an earlier run cropped, and replaces its own page when a run goes on', async () => {
    for (const name of ['one.png', 'two.png']) {
      await sharp({ create: { width: 64, height: 48, channels: 3, background: '#468' } })
        .png()
        .toFile(path.join(root, name));
    }
    const args = ['--engine', 'centre', '-a', '1:1', '-o', 'twice/', '--report', 'twice.html', 'one.png', 'two.png'];
    expect((await run(...args)).code).toBe(0);
    expect((await run(...args)).code).toBe(2);
    const again = await run(...args, '--resume');
    expect(again.code).toBe(0);
    expect(again.stderr).toContain('2 of 2 photos were done earlier');
    const page = readFileSync(path.join(root, 'twice.html'), 'utf8');
    for (const name of ['one.png', 'two.png']) expect(page).toContain(`"path":"${name}"`);
  });

  test('two choices of one photo that would have one file, or one sidecar, are refused', async () => {
    const lines = ['1:1', '2:1'].map((aspect) => JSON.stringify({ path: 'small.jpg', aspect, box: [0, 0, 40, 40] }));
    writeFileSync(path.join(root, 'both.jsonl'), lines.join('\n'));
    const file = await run('--choices', 'both.jsonl', '-o', 'both.jpg');
    expect(file.code).toBe(2);
    expect(file.stderr).toMatch(/--output both\.jpg is the name of one file, and 2 are asked for; name a folder/);
    const sidecar = await run('--choices', 'both.jsonl', '--xmp');
    expect(sidecar.code).toBe(2);
    expect(sidecar.stderr).toMatch(/a sidecar holds one crop, and 2 are chosen for small\.jpg; keep the line of one/);
  });

  test.each([
    ['{"path": "small.jpg"}', /choices\.jsonl:1 is no choice: box: /],
    ['{"path": "small.jpg", "box": [0, 0, 9', /choices\.jsonl:1 is no choice: .*JSON/],
    ['', /choices\.jsonl holds no choices/],
    ['{"path": "small.jpg", "box": [0, 0, 65, 48]}', /0,0,65,48 \(choices\.jsonl:1\) is not inside small\.jpg, 64x48/],
    [
      '{"path": "small.jpg", "box": [0, 0, 9, 9], "photo": {"widthPx": 63, "heightPx": 48}}',
      /small\.jpg is 64x48 px and was 63x48 px when its crop was chosen/,
    ],
  ])('refuses the choice %s and says why', async (line, message) => {
    writeFileSync(path.join(root, 'choices.jsonl'), line);
    const { code, stdout, stderr } = await run('--choices', 'choices.jsonl', '-o', 'none/');
    expect([2, 4]).toContain(code);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
  });

  test('a choice written by hand is taken to the ratio it names', async () => {
    writeFileSync(path.join(root, 'hand.jsonl'), '{"path": "small.jpg", "size": "20x20", "box": [1, 1, 40, 31]}\n');
    const { stdout } = await run('--choices', 'hand.jsonl', '-o', 'hand/', '--json');
    const { crop, output } = JSON.parse(stdout) as CropResult;
    expect(crop.width).toBe(crop.height);
    const { width, height } = await sharp(path.join(root, output![0]!)).metadata();
    expect({ width, height }).toEqual({ width: 20, height: 20 });
  });
});
