import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  cropResultSchema,
  openCropper,
  type CropEachOptions,
  type Cropper,
  type CropResult,
  type PhotoInput,
  type PhotoTask,
} from '../../src/index.js';
import { boxOfRect } from '../../src/base/geometry.js';
import { burstOf, cropsApart, type Frame } from '../support/bursts.js';
import { examplePhoto } from '../support/photos.js';

const PHOTOS = ['dogs', 'pagoda', 'dandelion', 'mountains', 'dust-bowl-home'] as const;

let cropper: Cropper;
let folder: string;
beforeAll(async () => {
  cropper = await openCropper({ engine: 'rules', parallel: 3 });
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-series-'));
});
afterAll(async () => {
  await cropper.dispose();
  rmSync(folder, { recursive: true });
});

async function cropped(
  inputs: Iterable<PhotoInput | PhotoTask>,
  options: CropEachOptions,
  by = cropper,
): Promise<CropResult[]> {
  const results: CropResult[] = [];
  for await (const result of by.cropAll(inputs, options)) results.push(cropResultSchema.parse(result));
  return results;
}

function worstApart(frames: readonly Frame[], results: readonly CropResult[]): number {
  const crops = results.map(({ crop }) => boxOfRect(crop));
  return Math.max(...frames.map((frame, i) => cropsApart(frames[0]!, crops[0]!, frame, crops[i]!)));
}

const task = (frame: Frame, name: string): PhotoTask => ({ input: frame.bytes, name });

describe('a series by time and likeness', () => {
  test.each(PHOTOS)(
    'of %s: in four bursts of shifted, scaled, brighter and noisy frames crops lie within a hundredth of their sides',
    async (name) => {
      for (const seed of [1, 2, 3, 4]) {
        const frames = await burstOf(examplePhoto(name), { count: 4, seed });
        const aspects = seed % 2 === 0 ? ['4:5'] : [];
        const results = await cropped(
          frames.map((frame) => frame.bytes),
          { series: 'auto', aspects },
        );
        expect(results.map(({ series }) => series?.by)).toEqual(['lead', ...Array<string>(3).fill('registration')]);
        expect(new Set(results.map(({ series }) => series?.lead))).toEqual(new Set(['photo 1']));
        expect(worstApart(frames, results)).toBeLessThan(0.01);
        for (const { crop, notes = [] } of results) {
          expect(notes).toEqual([]);
          if (aspects.length > 0) expect(crop.width * 5).toBe(crop.height * 4);
        }
      }
    },
  );

  test('is told from single photos and from another series that come between its own', async () => {
    const times = (hour: number): string[] => [0, 1, 2].map((second) => `2026:05:01 ${hour}:00:0${second}`);
    const dogs = await burstOf(examplePhoto('dogs'), { count: 3, seed: 9, times: times(10) });
    const pagodas = await burstOf(examplePhoto('pagoda'), { count: 3, seed: 9, times: times(11) });
    const [alone] = await burstOf(examplePhoto('mountains'), { count: 1, seed: 9, times: times(10) });
    const order = [dogs[1]!, pagodas[0]!, alone!, dogs[0]!, pagodas[2]!, dogs[2]!, pagodas[1]!];
    const results = await cropped(
      order.map((frame, i) => task(frame, `${i}.jpg`)),
      { series: 'auto' },
    );
    // The first by time leads, wherever it is among the photos.
    expect(results.map(({ series }) => series && `${series.lead} ${series.by}`)).toEqual([
      '3.jpg registration',
      '1.jpg lead',
      undefined,
      '3.jpg lead',
      '1.jpg registration',
      '3.jpg registration',
      '1.jpg registration',
    ]);
    expect(worstApart([order[3]!, order[0]!, order[5]!], [results[3]!, results[0]!, results[5]!])).toBeLessThan(0.01);
    const { confidence, why } = results[0]!;
    expect({ confidence, why }).toEqual({ confidence: results[3]!.confidence, why: `as 3.jpg: ${results[3]!.why}` });
  });

  test('is none of frames that were taken minutes apart, nor of different photos', async () => {
    const times = ['2026:05:01 10:00:00', '2026:05:01 10:10:00'];
    const apart = await burstOf(examplePhoto('dogs'), { count: 2, seed: 9, times });
    const results = await cropped([...apart.map((frame) => frame.bytes), ...PHOTOS.map(examplePhoto)], {
      series: 'auto',
    });
    expect(results.map(({ series }) => series)).toEqual(Array(7).fill(undefined));
  });

  test('crops the others as an open cropper of the model does its lead, which alone is thought about', async () => {
    await using model = await openCropper({ threads: 1 });
    const frames = await burstOf(examplePhoto('pagoda'), { count: 3, seed: 5, longSidePx: 320 });
    const before = model.counters().nImages;
    const results = await cropped(
      frames.map((frame) => frame.bytes),
      { series: 'auto', aspects: ['1:1', '16:9'] },
      model,
    );
    const nImages = model.counters().nImages - before;
    await cropped([frames[0]!.bytes], { aspects: ['1:1', '16:9'] }, model);
    expect(model.counters().nImages - before - nImages).toBe(nImages);
    expect(results).toHaveLength(6);
    expect(results.map(({ model: used }) => used?.name)).toEqual(Array(6).fill(results[0]!.model!.name));
    for (const target of [0, 1]) {
      expect(
        worstApart(
          frames,
          [0, 2, 4].map((i) => results[i + target]!),
        ),
      ).toBeLessThan(0.01);
    }
  });

  test('is straightened by one angle', async () => {
    const frames = await burstOf(examplePhoto('pagoda'), { count: 3, seed: 5 });
    const results = await cropped(
      frames.map((frame) => frame.bytes),
      { series: 'auto', straighten: 20 },
    );
    expect(results.map(({ straighten }) => straighten?.angleDeg)).toEqual([20, 20, 20]);
    expect(results.map(({ series }) => series?.by)).toEqual(['lead', 'registration', 'registration']);
    // Back from the straight photo to the frame, and to the photo all frames are of.
    const [cos, sin] = [Math.cos((20 * Math.PI) / 180), Math.sin((20 * Math.PI) / 180)];
    const middles = results.map(({ crop, photo }, i) => {
      const x = crop.x + crop.width / 2 - photo.widthPx / 2;
      const y = crop.y + crop.height / 2 - photo.heightPx / 2;
      const frame = frames[i]!;
      return frame.toPhoto([cos * x + sin * y + frame.width / 2, cos * y - sin * x + frame.height / 2]);
    });
    for (const [x, y] of middles) {
      expect(Math.abs(x - middles[0]![0])).toBeLessThan(2);
      expect(Math.abs(y - middles[0]![1])).toBeLessThan(2);
    }
  });

  test('leaves photos with wishes of their own, animations and what cannot be read to themselves', async () => {
    const frames = await burstOf(examplePhoto('dogs'), { count: 3, seed: 5 });
    const still = await Promise.all([1, 2].map((i) => sharp(frames[i]!.bytes).resize(64).png().toBuffer()));
    const gif = await sharp(still, { join: { animated: true } })
      .gif()
      .toBuffer();
    const inputs: PhotoTask[] = [
      task(frames[0]!, 'a'),
      { ...task(frames[1]!, 'b'), aspects: ['1:1'] },
      { input: new TextEncoder().encode('no photo'), name: 'c' },
      { input: gif, name: 'd' },
      task(frames[2]!, 'e'),
    ];
    const outcomes = [];
    for await (const outcome of cropper.cropEach(inputs, { series: 'auto' })) outcomes.push(outcome);
    expect(outcomes.map(({ results }) => results?.[0]?.series?.by)).toEqual([
      'lead',
      undefined,
      undefined,
      undefined,
      'registration',
    ]);
    expect(outcomes[2]).toMatchObject({ error: { code: 'INPUT_UNSUPPORTED' } });
  });

  test('is followed on from results of before, which are not made again', async () => {
    const frames = await burstOf(examplePhoto('dandelion'), { count: 3, seed: 5 });
    const [, second] = await cropped(
      frames.map((frame) => frame.bytes),
      { series: 'auto' },
    );
    const inputs = frames.map((frame, i) => ({ ...task(frame, `${i}`), ...(i === 1 ? { results: [second!] } : {}) }));
    const results = await cropped(inputs, { series: 'auto' });
    expect(results[1]).toEqual(second);
    expect(results.map(({ series }) => series?.by)).toEqual(['registration', 'registration', 'registration']);
    expect(results[2]!.series!.lead).toBe('1');
    expect(worstApart(frames, results)).toBeLessThan(0.01);
  });

  test('ends with its signal, and lets a stream be read', async () => {
    const frames = await burstOf(examplePhoto('dogs'), { count: 2, seed: 5 });
    const streams = frames.map(({ bytes }) => new Blob([new Uint8Array(bytes)]).stream());
    const results = await cropped(streams, { series: 'auto' });
    expect(results.map(({ series }) => series?.by)).toEqual(['lead', 'registration']);
    const reason = new Error('enough');
    const running = cropped(
      frames.map((frame) => frame.bytes),
      { series: 'auto', signal: AbortSignal.abort(reason) },
    );
    await expect(running).rejects.toBe(reason);
  });

  test('whose lead cannot be cropped to a ratio leaves the others to themselves, and says so', async () => {
    const frames = await burstOf(examplePhoto('dogs'), { count: 2, seed: 5 });
    const options = { series: 'auto', aspects: ['1:1', '100:1'], minSize: 0.2 } as const;
    const outcomes = [];
    for await (const outcome of cropper.cropEach(
      frames.map((frame) => frame.bytes),
      options,
    ))
      outcomes.push(outcome);
    expect(outcomes[1]).toMatchObject({
      results: [{ series: { by: 'own' }, notes: [expect.stringContaining('cannot be cropped to all')] }],
    });
  });
});

describe('a series a folder', () => {
  /** A thing on a plain ground, as in a shoot of products: a ball, a bottle, a fan, each 100 px wide in its own drawing. */
  const THINGS = [
    '<circle cx="50" cy="65" r="50" fill="#a02020"/><path d="M15 40 Q50 70 85 40" stroke="#fff" stroke-width="9" fill="none"/>',
    '<path d="M30 0 h40 v35 l30 25 v70 h-100 v-70 l30 -25 z" fill="#20408a"/><rect x="8" y="80" width="84" height="30" fill="#ffd"/>',
    '<path d="M50 130 L0 20 L25 5 L50 0 L75 5 L100 20 z" fill="#2a7a3a"/><path d="M50 130 L25 5 M50 130 L75 5" stroke="#000" stroke-width="5"/>',
  ];

  async function product(nth: number, [left, top, width]: readonly [number, number, number]): Promise<Uint8Array> {
    const drawn = `<g transform="translate(${left} ${top}) scale(${width / 100})">${THINGS[nth]!}</g>`;
    const svg = `<svg width="600" height="450"><rect width="600" height="450" fill="#b9b6b0"/>${drawn}</svg>`;
    return sharp(Buffer.from(svg)).jpeg({ quality: 92 }).toBuffer();
  }

  test('of different things has each as large in its crop, and where, as its first', async () => {
    const shoot = path.join(folder, 'shoot');
    mkdirSync(shoot);
    const places = [
      [210, 130, 150],
      [330, 150, 120],
      [150, 110, 170],
    ] as const;
    for (const [i, place] of places.entries()) writeFileSync(path.join(shoot, `${i}.jpg`), await product(i, place));
    const files = readdirSync(shoot).map((name) => path.join(shoot, name));
    const results = await cropped(files, { series: 'folder', aspects: ['1:1'] });
    expect(results.map(({ series }) => series?.by)).toEqual(['lead', 'subject', 'subject']);
    const lies = results.map(({ crop }, i) => {
      const [left, top, width] = places[i]!;
      return [
        (left + width / 2 - crop.x) / crop.width,
        (top + 0.65 * width - crop.y) / crop.height,
        (1.3 * width) / crop.height,
      ];
    });
    const rooms = results.map(({ notes }) => notes ?? []);
    for (const [i, [x, y, size]] of lies.entries()) {
      if (rooms[i]!.length > 0) continue;
      expect(Math.abs(x! - lies[0]![0]!)).toBeLessThan(0.05);
      expect(Math.abs(y! - lies[0]![1]!)).toBeLessThan(0.05);
      expect(Math.abs(size! / lies[0]![2]! - 1)).toBeLessThan(0.2);
    }
    expect(rooms.filter((notes) => notes.length === 0).length).toBeGreaterThanOrEqual(2);
  });

  test('of photos in which nothing stands out crops them on their own, and says so', async () => {
    const files = ['mountains', 'dust-bowl-home'].map((name) => examplePhoto(name as 'mountains'));
    const results = await cropped(files, { series: 'folder' });
    expect(results.map(({ series }) => series?.by)).toEqual(['lead', 'own']);
    expect(results[1]!.notes).toEqual([expect.stringContaining('cannot be told surely enough')]);
    const [alone] = await cropped([files[1]!], {});
    expect(results[1]!.crop).toEqual(alone!.crop);
  });
});

test.each<[string, CropEachOptions]>([
  ['did you mean "folder"', { series: 'foldr' as never }],
  ['has no option "serie"', { serie: 'auto' } as never],
  ['keep is at the same pixels in all', { series: 'auto', keep: [{ x: 0, y: 0, width: 9, height: 9 }] }],
  ['focus is at the same pixels in all', { series: 'folder', focus: { x: 0.5, y: 0.5 } }],
])('a series is refused: %s', async (message, options) => {
  const running = cropped([examplePhoto('dogs')], options);
  await expect(running).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(message) as string });
});
