import { describe, expect, test } from 'vitest';
import { boxArea, contains, type Box } from '../../../src/base/geometry.js';
import { lotsFor } from '../../../src/train/lots.js';
import { drawPart, partOfPhoto } from '../../../src/train/sources/photo-parts.js';
import type { TastePhoto } from '../../../src/train/sources/types.js';

const SPACE = { width: 300, height: 200 };

describe('a part of a photo', () => {
  const photo: TastePhoto = {
    id: 'a.jpg',
    path: '/a.jpg',
    split: 'train',
    crops: [
      { box: [100, 60, 200, 140], rating: 1 },
      { box: [0, 0, 300, 30], rating: 3, isDrawn: true },
      { box: [0, 0, 300, 200], rating: -1 },
    ],
    pairs: [{ chosen: [120, 70, 220, 150], rejected: [0, 0, 300, 200] }],
    isPreferredToOwn: true,
  };
  const lots = lotsFor(1, 'parts');
  const parts = Array.from({ length: 200 }, () => drawPart(photo, SPACE, 1, lots)!);

  test('holds what people made or preferred, is never the whole, and is any of many', () => {
    const liked: Box[] = [
      [100, 60, 200, 140],
      [120, 70, 220, 150],
    ];
    for (const part of parts) {
      expect(liked.every((box) => contains(part, box))).toBe(true);
      expect(contains([0, 0, SPACE.width, SPACE.height], part)).toBe(true);
      expect(boxArea(part)).toBeLessThan(SPACE.width * SPACE.height);
      expect(100 * 80).toBeLessThanOrEqual(0.9 * boxArea(part));
    }
    expect(new Set(parts.map(String)).size).toBeGreaterThan(190);
    const lefts = parts.map(([left]) => left);
    expect(Math.min(...lefts)).toBeLessThan(10);
    expect(Math.max(...lefts)).toBeGreaterThan(90);
  });

  test('is taken up by a crop no more than is asked for, or than a little more of the photo', () => {
    const mostOf = (box: Box, mostCropped: number): number => {
      const cropped = { ...photo, pairs: [], crops: [{ box, rating: 1 }] };
      const drawn = Array.from({ length: 200 }, () => drawPart(cropped, SPACE, 1, lots, mostCropped)!);
      return Math.max(...drawn.map((part) => boxArea(box) / boxArea(part)));
    };
    const [small, large]: [Box, Box] = [
      [100, 60, 200, 140],
      [30, 20, 270, 180],
    ];
    expect(mostOf(small, 0.4)).toBeLessThanOrEqual(0.4);
    expect(mostOf(small, 0.4)).toBeGreaterThan(0.35);
    // Of the photo itself it takes .64.
    expect(mostOf(large, 0.4)).toBeLessThanOrEqual(1.1 * 0.64);
    expect(mostOf(large, 0.4)).toBeGreaterThan(0.64);
  });

  test('has the labels that lie in it, in its own pixels', () => {
    expect(partOfPhoto(photo, [40, 10, 260, 190])).toEqual({
      id: 'a.jpg',
      path: '/a.jpg',
      split: 'train',
      part: [40, 10, 260, 190],
      space: { width: 220, height: 180 },
      crops: [{ box: [60, 50, 160, 130], rating: 1 }],
      pairs: [],
      isPreferredToOwn: true,
    });
  });

  test('is none where the crop leaves no room, or nobody cropped it', () => {
    const tight = { ...photo, pairs: [], crops: [{ box: [2, 2, 298, 198] as const, rating: 1 }] };
    expect(drawPart(tight, SPACE, 1, lots)).toBeUndefined();
    expect(drawPart({ ...photo, crops: [], pairs: [] }, SPACE, 1, lots)).toBeUndefined();
  });
});
