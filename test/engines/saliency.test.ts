import { describe, expect, test } from 'vitest';
import { attentionEngine, smartcropEngine } from '../../src/engines/saliency.js';
import type { Raster } from '../../src/engines/types.js';
import type { Box } from '../../src/base/geometry.js';

/** A grey field with a striped saturated patch: what both engines are made to look for. */
function rasterWithPatch(width: number, height: number, [x1, y1, x2, y2]: Box): Raster {
  const data = new Uint8Array(3 * width * height).fill(128);
  for (let y = y1; y < y2; y++) {
    for (let x = x1; x < x2; x++) data.set((x + y) % 8 < 4 ? [230, 40, 30] : [250, 220, 60], 3 * (y * width + x));
  }
  return { data, size: { width, height } };
}

const engines = [
  ['smartcrop', smartcropEngine],
  ['attention', attentionEngine],
] as const;

describe.each(engines)('%s', (_name, engine) => {
  test('a crop of another ratio holds the striking patch wherever it is', async () => {
    for (const x of [20, 150, 270]) {
      const patch: Box = [x, 60, x + 100, 140];
      const { candidates, best } = await engine(rasterWithPatch(400, 200, patch), { count: 1, aspect: { width: 1, height: 1 } });
      const [x1, , x2] = candidates[best]!.box;
      expect(x1).toBeLessThanOrEqual(patch[0] + 5);
      expect(x2).toBeGreaterThanOrEqual(patch[2] - 5);
    }
  });

  test('every box has whole pixels inside the photo, the ratio asked for, and scores that sum to 1', async () => {
    const raster = rasterWithPatch(403, 301, [50, 60, 120, 140]);
    for (const aspect of [undefined, 1, 16 / 9, 0.5]) {
      const options = { count: 4, minScale: 0.6, ...(aspect === undefined ? {} : { aspect: { width: aspect, height: 1 } }) };
      const { candidates } = await engine(raster, options);
      expect(candidates.length).toBeGreaterThan(1);
      for (const { box } of candidates) {
        expect(box.every(Number.isInteger)).toBe(true);
        expect(Math.min(box[0], box[1], 403 - box[2], 301 - box[3])).toBeGreaterThanOrEqual(0);
        const [width, height] = [box[2] - box[0], box[3] - box[1]];
        const wanted = aspect ?? width / height;
        // One side follows from the other, to the nearest pixel.
        expect(Math.min(Math.abs(height - width / wanted), Math.abs(width - height * wanted))).toBeLessThanOrEqual(0.5);
      }
      expect(candidates.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 12);
    }
  });

  test('boxes to keep stay inside, and what cannot be is a typed error', async () => {
    const raster = rasterWithPatch(400, 200, [20, 60, 120, 140]);
    const keep: Box[] = [[330, 20, 390, 180]];
    const { candidates } = await engine(raster, { count: 1, aspect: { width: 1, height: 1 }, minScale: 0.9, keep });
    const [x1, y1, x2, y2] = candidates[0]!.box;
    expect([x1 <= 330, y1 <= 20, x2 >= 390, y2 >= 180]).toEqual([true, true, true, true]);
    const impossible = engine(raster, { count: 1, aspect: { width: 1, height: 1 }, keep: [[0, 0, 390, 180]] });
    await expect(impossible).rejects.toMatchObject({ code: 'ASPECT_IMPOSSIBLE' });
    await expect(engine(raster, { count: 1, aspect: { width: 1, height: 1 }, minSize: 0.6 })).rejects.toMatchObject({
      code: 'ASPECT_IMPOSSIBLE',
    });
  });

  test('the least area is respected', async () => {
    const { candidates } = await engine(rasterWithPatch(400, 200, [20, 60, 60, 90]), {
      count: 5,
      minScale: 0.2,
      minSize: 0.64,
    });
    for (const { box } of candidates)
      expect((box[2] - box[0]) * (box[3] - box[1])).toBeGreaterThanOrEqual(0.64 * 80_000);
  });

  test.each([
    [1, 1],
    [3, 2],
    [2000, 3],
  ])('a photo of %i x %i still gets a crop', async (width, height) => {
    const { candidates } = await engine(rasterWithPatch(width, height, [0, 0, width, height]), { count: 2 });
    expect(candidates.length).toBeGreaterThan(0);
  });
});

test('the same photo gets the same crop every time', async () => {
  const raster = rasterWithPatch(400, 300, [50, 60, 120, 140]);
  for (const [, engine] of engines)
    expect(await engine(raster, { count: 3 })).toEqual(await engine(raster, { count: 3 }));
});
