import { describe, expect, test } from 'vitest';
import { intersectionOverUnion } from '../../src/base/geometry.js';
import type { Box, Size } from '../../src/base/geometry.js';
import type { CropRect } from '../../src/base/schema.js';
import { parseAspect } from '../../src/crop/aspect.js';
import { cropRectangle } from '../../src/crop/crop-rectangle.js';
import { thrownBy } from '../photo/thrown.js';
import { randomInts } from '../photo/random.js';

const asBox = ({ x, y, width, height }: CropRect): Box => [x, y, x + width, y + height];
const holds = (outer: Box, inner: Box): boolean =>
  outer[0] <= inner[0] && outer[1] <= inner[1] && outer[2] >= inner[2] && outer[3] >= inner[3];

const next = randomInts(11);
const randomBox = ({ width, height }: Size): Box => {
  const x1 = next(width);
  const y1 = next(height);
  return [x1, y1, x1 + 1 + next(width - x1), y1 + 1 + next(height - y1)];
};

describe('with an aspect', () => {
  test('plain ratios are exact to the pixel in any photo that has room for them', () => {
    for (let i = 0; i < 500; i++) {
      const photo = { width: 21 + next(4000), height: 21 + next(4000) };
      const aspect = parseAspect(['1:1', '4:5', '3:2', '16:9', '9:16', '21:9', '2:3'][i % 7]!);
      const crop = cropRectangle({ photo, box: randomBox(photo), aspect });
      expect(crop.width * aspect.height).toBe(crop.height * aspect.width);
      expect(holds([0, 0, photo.width, photo.height], asBox(crop))).toBe(true);
    }
  });

  test('no other crop of the ratio is nearer to the box: checked against all of them', () => {
    for (let i = 0; i < 40; i++) {
      const photo = { width: 12 + next(30), height: 12 + next(30) };
      const aspect = parseAspect(['1:1', '4:5', '3:2'][i % 3]!);
      const box = randomBox(photo);
      const keep: Box[] = i % 2 === 0 ? [] : [[4, 4, 7, 8]];
      let nearest = 0;
      for (let k = 1; k * aspect.width <= photo.width && k * aspect.height <= photo.height; k++) {
        for (let x = 0; x + k * aspect.width <= photo.width; x++) {
          for (let y = 0; y + k * aspect.height <= photo.height; y++) {
            const placed: Box = [x, y, x + k * aspect.width, y + k * aspect.height];
            if (keep.every((kept) => holds(placed, kept))) {
              nearest = Math.max(nearest, intersectionOverUnion(placed, box));
            }
          }
        }
      }
      const crop = asBox(cropRectangle({ photo, box, aspect, keep }));
      expect(intersectionOverUnion(crop, box)).toBeCloseTo(nearest, 12);
    }
  });

  test('a box that has the ratio already is left as it is', () => {
    const crop = cropRectangle({
      photo: { width: 4000, height: 3000 },
      box: [100, 200, 1700, 2200],
      aspect: parseAspect('4:5'),
    });
    expect(crop).toEqual({ x: 100, y: 200, width: 1600, height: 2000 });
  });

  test('where no multiple of the ratio fits, the short side is the nearest whole pixel', () => {
    const tiny = cropRectangle({ photo: { width: 10, height: 8 }, box: [0, 0, 10, 8], aspect: parseAspect('16:9') });
    expect(tiny).toMatchObject({ width: 10, height: 6 });
    const pixel = cropRectangle({ photo: { width: 1, height: 1 }, box: [0, 0, 1, 1], aspect: parseAspect('16:9') });
    expect(pixel).toEqual({ x: 0, y: 0, width: 1, height: 1 });
  });

  test('an awkward ratio is exact where that costs little and off by under half a pixel where it would cost much', () => {
    const photo = { width: 4000, height: 3000 };
    const cinema = cropRectangle({ photo, box: [200, 500, 3700, 2000], aspect: parseAspect('2.39:1') });
    expect(cinema.width * 100).toBe(cinema.height * 239);
    const rounded = cropRectangle({ photo, box: [0, 300, 4000, 2550], aspect: parseAspect('1.778') });
    expect(rounded).toMatchObject({ x: 0, width: 4000, height: 2250 });
  });

  test('keep boxes are never cut, and pull the crop away from the box if they must', () => {
    for (let i = 0; i < 300; i++) {
      const photo = { width: 200 + next(2000), height: 200 + next(2000) };
      const kept = randomBox({ width: 100, height: 80 });
      const keep: Box = [kept[0] + 90, kept[1] + 90, kept[2] + 90, kept[3] + 90];
      const crop = cropRectangle({ photo, box: randomBox(photo), aspect: parseAspect('1:1'), keep: [keep] });
      expect(holds(asBox(crop), keep)).toBe(true);
      expect(crop.width).toBe(crop.height);
    }
    const far = cropRectangle({
      photo: { width: 1000, height: 1000 },
      box: [0, 0, 100, 100],
      aspect: parseAspect('1:1'),
      keep: [[900, 900, 950, 940]],
    });
    expect(holds(asBox(far), [900, 900, 950, 940])).toBe(true);
  });

  test('says which wishes collide', () => {
    const photo = { width: 3000, height: 4000 };
    const wide = { photo, box: [0, 0, 3000, 1687] as Box, aspect: parseAspect('16:9'), name: 'beach.jpg' };
    const spread: Box[] = [
      [0, 0, 10, 10],
      [0, 3000, 10, 4000],
    ];
    const kept = thrownBy(() => cropRectangle({ ...wide, keep: spread }));
    expect(kept.code).toBe('ASPECT_IMPOSSIBLE');
    expect(kept.message).toBe(
      'the largest 16:9 crop of beach.jpg (3000x4000 px) is 3000x1688 px, but the keep boxes span 10x4000 px; keep less or choose another ratio',
    );
    const small = thrownBy(() => cropRectangle({ ...wide, minSize: 0.5 }));
    expect(small.code).toBe('ASPECT_IMPOSSIBLE');
    expect(small.message).toMatch(/42 % of its area, but at least 50 % is asked/);
    const outside = thrownBy(() => cropRectangle({ ...wide, keep: [[3000, 0, 3100, 10]] }));
    expect(outside.code).toBe('USAGE');
    expect(outside.message).toContain('[3000, 0, 3100, 10]');
  });
});

describe('free-form', () => {
  test('the box itself, unless something is asked of it', () => {
    const crop = cropRectangle({ photo: { width: 500, height: 400 }, box: [10, 20, 300, 333] });
    expect(asBox(crop)).toEqual([10, 20, 300, 333]);
  });

  test('holds the keep boxes and the least area, inside the photo', () => {
    for (let i = 0; i < 500; i++) {
      const photo = { width: 1 + next(1000), height: 1 + next(1000) };
      const keep = randomBox(photo);
      const minSize = next(1001) / 1000;
      const crop = cropRectangle({ photo, box: randomBox(photo), keep: [keep], minSize });
      expect(holds(asBox(crop), keep)).toBe(true);
      expect(holds([0, 0, photo.width, photo.height], asBox(crop))).toBe(true);
      expect(crop.width * crop.height).toBeGreaterThanOrEqual(minSize * photo.width * photo.height);
    }
  });

  test('grows about the centre in its own shape', () => {
    const crop = cropRectangle({ photo: { width: 1000, height: 1000 }, box: [400, 450, 600, 550], minSize: 0.08 });
    expect(asBox(crop)).toEqual([300, 400, 700, 600]);
  });
});
