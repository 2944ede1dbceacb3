import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aggregate, type EvaluationResult } from '../../src/eval/aggregate.js';
import type { Dataset } from '../../src/eval/datasets/types.js';
import { centreMethod, fullMethod } from '../../src/eval/methods/floors.js';
import type { Method } from '../../src/eval/methods/types.js';
import { renderReport } from '../../src/eval/report.js';
import { reportData, worstFirst } from '../../src/eval/report-data.js';
import { runEvaluation } from '../../src/eval/run.js';
import { FramewrightError } from '../../src/base/errors.js';
import type { Box } from '../../src/base/geometry.js';
import { openPage } from '../report/browser.js';
import { describeWith } from '../support/system-tools.js';

const N_PHOTOS = 60;

let root: string;
let dataset: Dataset;
let result: EvaluationResult;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'framewright-report-'));
  const photos = await Promise.all(
    Array.from({ length: N_PHOTOS }, async (_, i) => {
      const size = i % 3 === 0 ? { width: 300, height: 400 } : { width: 400, height: 300 };
      const path = join(root, `${i}.jpg`);
      await sharp({ create: { ...size, channels: 3, background: { r: 4 * i, g: 120, b: 200 - 3 * i } } })
        .jpeg()
        .toFile(path);
      const boxes: Box[] = [
        [i, 10, 280, 290],
        [20, 2 * i, 300, 300],
      ];
      return { id: `photo </script> ${i}.jpg`, path, size, split: undefined, boxes };
    }),
  );
  dataset = {
    kind: 'boxes',
    name: 'Synthetic <b>scenes</b>',
    folder: root,
    photos,
    missing: [{ id: 'gone.jpg', reason: 'not in the folder' }],
    repairs: ['3.jpg: clamped [0, 0, 500, 300] to [0, 0, 400, 300]'],
  };
  const sweep = [0.6, 0.7, 0.8, 0.9].flatMap((value): Method[] =>
    (['one', 'other'] as const).map((series, s) => ({
      ...centreMethod(value + s * 0.05),
      name: `share ${value}, ${series}`,
      key: `share ${value} ${series}`,
      sweeps: [{ parameter: 'share', value, series, ...(value === 0.8 ? { label: 'four fifths' } : {}) }],
    })),
  );
  const parts = [0.95, 0.75].map((share): Method => ({
    ...centreMethod(share),
    name: `centre, at ${share}`,
    key: `at ${share}`,
    ablation: { of: 'centre', change: `at ${share}` },
  }));
  const failing: Method = {
    ...fullMethod(),
    name: 'failing',
    crop: (photo) =>
      photo.id.includes(' 7.jpg')
        ? Promise.reject(new FramewrightError('DECODE', 'no luck with <this> one'))
        : Promise.resolve([[0, 0, photo.size.width - 30, photo.size.height]]),
  };
  const run = await runEvaluation(dataset, [fullMethod(), centreMethod(), ...sweep, ...parts, failing]);
  result = aggregate({ ...run, missing: dataset.missing }, { resamples: 200 });
});
afterAll(() => rm(root, { recursive: true }));

test('the page carries its charts library, its data and its pictures, and asks for nothing', async () => {
  const html = await renderReport(result, { maxThumbnails: 10 });
  expect(html.match(/data:image\/jpeg/g)).toHaveLength(10);
  expect(html).toContain('Chart.js v4');
  expect(html).not.toMatch(/\{\{\w+\}\}/);
  expect(html).not.toMatch(/<(script|link|img|iframe)[^>]+(src|href)=/);
  expect(html).not.toContain('sourceMappingURL');
});

test('pictures go to the photos of most error', () => {
  const mean = (id: string): number => {
    const { predictions } = result.photos.find((photo) => photo.id === id)!;
    return predictions.reduce((sum, { scores }) => sum + scores.bestIou!, 0);
  };
  const order = worstFirst(result).map(({ id }) => mean(id));
  expect(order).toEqual([...order].sort((a, b) => a - b));
});

test('elements, ranked crops and pairs are drawn as lines over the photo', () => {
  const photo = result.photos[0]!;
  const draw = (labels: object, prediction: object): ReturnType<typeof reportData>['photos'][number] =>
    reportData(
      { ...result, photos: [{ ...photo, labels, predictions: [{ prediction, scores: {} }] } as typeof photo] },
      new Map(),
    ).photos[0]!;
  const crops = [
    { box: [0, 0, 10, 10], mos: 2 },
    { box: [5, 5, 20, 20], mos: 4 },
  ];
  const ranked = draw({ crops }, { scores: [0.9, 0.1] });
  expect(ranked.labels).toMatchObject([
    {
      points: [
        [5, 5],
        [20, 5],
        [20, 20],
        [5, 20],
      ],
      title: 'best rated, MOS 4',
    },
  ]);
  expect(ranked.methods[0]!.shapes).toMatchObject([{ title: 'ranked first, MOS 2' }]);
  const lines = [
    [0, 0, 9, 9],
    [0, 9, 9, 0],
  ];
  const elements = draw({ elements: [{ type: 'vanishing_point', lines }] }, { elements: [] });
  expect(elements.labels.map(({ points }) => points)).toEqual([
    [
      [0, 0],
      [9, 9],
    ],
    [
      [0, 9],
      [9, 0],
    ],
  ]);
  const pairs = draw(
    {
      pairs: [
        {
          boxes: [
            [0, 0, 5, 5],
            [1, 1, 9, 9],
          ],
          votes: [1, 4],
        },
      ],
    },
    { scores: [0, 1] },
  );
  expect(pairs.labels).toMatchObject([{ title: '4 votes to 1' }, { isLoser: true }]);
});

interface ChartHandle {
  readonly isDatasetVisible: (index: number) => boolean;
  readonly getDatasetMeta: (index: number) => { data: { x: number; y: number }[] };
  readonly tooltip: { readonly opacity: number; readonly body: { readonly lines: readonly string[] }[] };
}
declare const Chart: { readonly getChart: (canvas: Element) => ChartHandle | undefined };
declare const document: {
  querySelectorAll(selector: string): ArrayLike<Element>;
};
interface Element {
  getContext(kind: '2d'): { getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray } };
  width: number;
  height: number;
}

describeWith(['chromium'], 'in a browser', () => {
  let browser: Browser;
  let page: Page;
  let complaints: readonly string[];
  let requests: readonly string[];

  beforeAll(async () => {
    const file = join(root, 'report.html');
    await writeFile(file, await renderReport(result));
    ({ browser, page, complaints, requests } = await openPage(file));
  });
  afterAll(() => browser.close());

  const visible = (chart: number, dataset: number): Promise<boolean> =>
    page.evaluate(
      ([c, d]) => Chart.getChart(document.querySelectorAll('canvas')[c!]!)!.isDatasetVisible(d!),
      [chart, dataset],
    );

  test('every chart is drawn, without a complaint or a request', async () => {
    const inked = await page.evaluate(() =>
      Array.from(document.querySelectorAll('canvas')).map((canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return Chart.getChart(canvas) !== undefined && data.some((byte) => byte !== 0);
      }),
    );
    expect(inked).toEqual([true, true, true, true, true, true]);
    expect(complaints).toEqual([]);
    expect(requests.filter((url) => !/^(file|data):/.test(url))).toEqual([]);
  });

  test('shows names as text, what is missing, repaired and failed', async () => {
    expect(await page.locator('h1').textContent()).toBe('Synthetic <b>scenes</b>: 13 methods on 60 photos');
    const text = (await page.locator('header').textContent()) ?? '';
    for (const part of [
      'gone.jpg: not in the folder',
      'clamped [0, 0, 500, 300]',
      'no luck with <this> one [DECODE]',
    ]) {
      expect(text).toContain(part);
    }
  });

  test('the table has the figures of the result', async () => {
    const row = page.locator('#figures tr[data-method="1"]');
    const { value, low, high } = result.methods[1]!.figures.bestIou!;
    expect(await row.locator('td').first().textContent()).toBe(
      `${value!.toFixed(3)} [${low!.toFixed(3)}, ${high!.toFixed(3)}]`,
    );
  });

  test('pointing at a bar shows its exact value and interval', async () => {
    const canvas = page.locator('canvas').first();
    const at = await page.evaluate(() => {
      const { x, y } = Chart.getChart(document.querySelectorAll('canvas')[0]!)!.getDatasetMeta(1).data[0]!;
      return { x, y };
    });
    await canvas.hover({ position: { x: at.x, y: at.y + 20 } });
    const tooltipLines = (): Promise<string[]> =>
      page.evaluate(() => {
        const { tooltip } = Chart.getChart(document.querySelectorAll('canvas')[0]!)!;
        return tooltip.opacity > 0 ? tooltip.body.flatMap((part) => part.lines) : [];
      });
    const { value, low, high } = result.methods[1]!.figures.bestIou!;
    await expect.poll(tooltipLines).toEqual([`centre: ${value!.toFixed(4)} [${low!.toFixed(4)}, ${high!.toFixed(4)}]`]);
  });

  test('clicking a legend takes its method out of the charts, the gallery and back', async () => {
    const spans = page.locator('#gallery .photo').first().locator('figcaption span');
    expect(await spans.count()).toBe(13);
    const legend = await page.evaluate(() => {
      const chart = Chart.getChart(document.querySelectorAll('canvas')[0]!) as unknown as {
        legend: { legendHitBoxes: { left: number; top: number; width: number; height: number }[] };
      };
      const { left, top, width, height } = chart.legend.legendHitBoxes[0]!;
      return { x: left + width / 2, y: top + height / 2 };
    });
    await page.locator('canvas').first().click({ position: legend });
    // The browser may hand the click to the page a frame later.
    await expect.poll(() => visible(0, 0)).toBe(false);
    expect([await visible(0, 0), await visible(1, 0), await visible(5, 0), await visible(0, 1)]).toEqual([
      false,
      false,
      false,
      true,
    ]);
    expect(await spans.count()).toBe(12);
    await page.getByRole('button', { name: 'full', exact: true }).click();
    await expect.poll(async () => [await visible(0, 0), await spans.count()]).toEqual([true, 13]);
  });

  test('the slider of a sweep tells the exact figure at each setting', async () => {
    const output = page.locator('.sweep output');
    const figureAt = (name: string): string =>
      result.methods.find((method) => method.name === name)!.figures.bestIou!.value!.toFixed(4);
    expect(await output.textContent()).toContain(`share 0.6: one: ${figureAt('share 0.6, one')}`);
    await page.locator('.sweep input').fill('2');
    const text = (await output.textContent()) ?? '';
    expect(text).toContain(`share four fifths: one: ${figureAt('share 0.8, one')}`);
    expect(text).toContain(`other: ${figureAt('share 0.8, other')}`);
  });

  test('an ablation is bars with intervals, whose tooltip tells the paired difference', async () => {
    const canvas = page.locator('.ablation canvas');
    await page.locator('.ablation select').selectOption('meanIou');
    const drawn = await page.evaluate(() => {
      const chart = Chart.getChart(document.querySelectorAll('.ablation canvas')[0]!) as unknown as {
        data: { labels: string[]; datasets: { data: number[]; intervals: { low: number; high: number }[] }[] };
        getDatasetMeta(index: number): { data: { x: number; y: number }[] };
      };
      const { data, intervals } = chart.data.datasets[0]!;
      const { x, y } = chart.getDatasetMeta(0).data[2]!;
      return { labels: chart.data.labels, data, interval: intervals[2], at: { x: x - 20, y } };
    });
    const figureOf = (name: string): { value: number | null; low: number | null; high: number | null } =>
      result.methods.find((method) => method.name === name)!.figures.meanIou!;
    expect(drawn.labels).toEqual(['centre', 'at 0.95', 'at 0.75']);
    expect(drawn.data).toEqual(['centre', 'centre, at 0.95', 'centre, at 0.75'].map((name) => figureOf(name).value));
    expect(drawn.interval).toEqual(figureOf('centre, at 0.75'));
    await canvas.hover({ position: drawn.at });
    const tooltip = (): Promise<string> =>
      page.evaluate(() => {
        const chart = Chart.getChart(document.querySelectorAll('.ablation canvas')[0]!) as unknown as {
          tooltip: { opacity: number; body: { lines: string[]; after: string[] }[] };
        };
        const { opacity, body } = chart.tooltip;
        return opacity > 0 ? body.flatMap(({ lines, after }) => [...lines, ...after]).join('; ') : '';
      });
    const { differences } = result.paired.find(
      ({ method, reference }) => method === 'centre, at 0.75' && reference === 'centre',
    )!;
    const exact = ({ value, low, high }: { value: number | null; low: number | null; high: number | null }): string =>
      `${value!.toFixed(4)} [${low!.toFixed(4)}, ${high!.toFixed(4)}]`;
    await expect.poll(tooltip).toBe(`${exact(figureOf('centre, at 0.75'))}; difference ${exact(differences.meanIou!)}`);
  });

  test('the differences follow the reference chosen', async () => {
    await page.locator('#paired-reference').selectOption('1');
    const chart = await page.evaluate(() => {
      const { data, scales } = Chart.getChart(document.querySelectorAll('#paired-chart')[0]!) as unknown as {
        data: { labels: string[]; datasets: { data: number[]; intervals: { low: number; high: number }[] }[] };
        scales: { x: { min: number; max: number } };
      };
      const { intervals, data: values } = data.datasets[0]!;
      const isInside = intervals.every(({ low, high }) => scales.x.min <= low && high <= scales.x.max);
      return { label: data.labels[0], value: values[0], isInside };
    });
    const { differences } = result.paired.find(({ method, reference }) => method === 'centre' && reference === 'full')!;
    expect(chart).toEqual({ label: 'full', value: -differences.bestIou!.value!, isInside: true });
  });

  test('the gallery is sorted by error, draws every box, and goes on', async () => {
    await page.locator('#gallery-method').selectOption('12');
    const scores = (await page.locator('#gallery .photo figcaption span:last-child').allTextContents()).map((text) =>
      text === 'unusable' ? 0 : Number(text),
    );
    expect(scores).toHaveLength(48);
    expect(scores[0]).toBe(0);
    expect(scores).toEqual([...scores].sort((a, b) => a - b));
    const first = page.locator('#gallery .photo').nth(1);
    expect(await first.locator('polygon').count()).toBe(2 + 13);
    expect(await first.locator('image').getAttribute('href')).toMatch(/^data:image\/jpeg/);
    await page.locator('#gallery-more').click();
    await expect.poll(() => page.locator('#gallery .photo').count()).toBe(N_PHOTOS);
    await page.locator('#gallery-order').selectOption('best');
    expect(await page.locator('#gallery .photo figcaption').first().textContent()).not.toContain('unusable');
    expect(complaints).toEqual([]);
  });
});
