import { describe, expect, test } from 'vitest';
import { boxOfRect, boxOfSize, contains, type Aspect, type Box, type Size } from '../../src/base/geometry.js';
import type { CropRect } from '../../src/base/schema.js';
import { parseAspect } from '../../src/crop/aspect.js';
import { cropRectangle, isOfAspect } from '../../src/crop/crop-rectangle.js';
import { MOST_MOVED } from '../../src/crop/near-crops.js';
import { textCutBy, textNote, wholeTextCrop } from '../../src/crop/whole-text.js';
import { randomInts } from '../photo/random.js';

const next = randomInts(23);
const randomBox = ({ width, height }: Size, widest: number, highest: number): Box => {
  const x1 = next(width - 1);
  const y1 = next(height - 1);
  return [x1, y1, Math.min(width, x1 + 1 + next(widest)), Math.min(height, y1 + 1 + next(highest))];
};

interface Scene {
  readonly photo: Size;
  readonly text: readonly Box[];
  readonly keep: readonly Box[];
  readonly minSize: number;
  readonly crop: CropRect;
  readonly aspect?: Aspect;
}

/** A crop as the product makes it, in a photo with some lines of text. */
function randomScene(i: number): Scene {
  const photo = { width: 800 + next(1200), height: 800 + next(1200) };
  const text = Array.from({ length: 1 + next(6) }, () => randomBox(photo, photo.width / 2, photo.height / 12));
  const keep = i % 3 === 0 ? [randomBox(photo, photo.width / 10, photo.height / 10)] : [];
  const ratio = ['1:1', '4:5', '16:9', '1.91:1', undefined][i % 5];
  const aspect = ratio === undefined ? {} : { aspect: parseAspect(ratio) };
  const minSize = i % 2 === 0 ? 0 : 0.05;
  const crop = cropRectangle({
    photo,
    box: randomBox(photo, photo.width, photo.height),
    keep,
    minSize,
    ...aspect,
  });
  return { photo, text, keep, minSize, crop, ...aspect };
}

test('of 3,000 crops in photos with lines of text most are moved until they cut none, within every limit', () => {
  let nCut = 0;
  let nStillCut = 0;
  for (let i = 0; i < 3000; i++) {
    const { crop, text, ...limits } = randomScene(i);
    const moved = wholeTextCrop(crop, text, limits);
    const [before, after] = [textCutBy(crop, text), textCutBy(moved, text)];
    if (before.length > 0) nCut++;
    if (after.length > 0) nStillCut++;
    expect(after.every((line) => before.includes(line))).toBe(true);
    const box = boxOfRect(moved);
    expect(box.every(Number.isInteger)).toBe(true);
    expect(contains(boxOfSize(limits.photo), box)).toBe(true);
    expect(limits.keep.every((kept) => contains(box, kept))).toBe(true);
    expect(moved.width * moved.height).toBeGreaterThanOrEqual(
      limits.minSize * limits.photo.width * limits.photo.height,
    );
    if (limits.aspect) expect(isOfAspect(moved, limits.aspect, limits.photo)).toBe(true);
    boxOfRect(crop).forEach((edge, side) => {
      const length = side % 2 === 0 ? crop.width : crop.height;
      expect(Math.abs(box[side]! - edge)).toBeLessThanOrEqual(MOST_MOVED * length);
    });
  }
  expect(nCut).toBeGreaterThan(1000);
  expect(nStillCut).toBeLessThan(nCut / 2);
}, 120_000);

test('of free crops none is nearer: checked against all edges there are', () => {
  for (let i = 0; i < 60; i++) {
    const photo = { width: 40, height: 40 };
    const side = 18 + next(4);
    const crop = { x: 8 + next(4), y: 8 + next(4), width: side, height: side };
    const line = randomBox(photo, 20, 4);
    const text = [line];
    const moved = wholeTextCrop(crop, text, { photo, keep: [], minSize: 0 });
    const reach = Math.floor(MOST_MOVED * side);
    // With the room around it that the search tries first, or as the line is.
    for (const room of [Math.ceil(0.25 * Math.min(line[2] - line[0], line[3] - line[1])), 0]) {
      const roomy = [line[0] - room, line[1] - room, line[2] + room, line[3] + room].map((edge) =>
        Math.max(0, Math.min(40, edge)),
      ) as unknown as Box;
      const [isInside, found] = nearestByHand(crop, roomy, reach);
      if (found === Infinity) continue;
      if (textCutBy(moved, [roomy]).length > 0) continue;
      expect(distance(moved, crop)).toBeCloseTo(found, 9);
      expect(contains(boxOfRect(moved), roomy)).toBe(isInside);
      break;
    }
  }
});

/** The least distance of a free crop that does not cut the line, and whether the line is inside it. */
function nearestByHand(crop: CropRect, line: Box, reach: number): [isInside: boolean, distance: number] {
  let best: [boolean, number] = [false, Infinity];
  let inside = Infinity;
  const [left, top, right, bottom] = boxOfRect(crop);
  const mostly = overlap(line, boxOfRect(crop)) > 0.5 * (line[2] - line[0]) * (line[3] - line[1]);
  for (let a = -reach; a <= reach; a++)
    for (let b = -reach; b <= reach; b++)
      for (let c = -reach; c <= reach; c++)
        for (let d = -reach; d <= reach; d++) {
          const box: Box = [left + a, top + b, right + c, bottom + d];
          if (!contains([0, 0, 40, 40], box)) continue;
          const isInside = contains(box, line);
          if (!isInside && overlap(line, box) > 0) continue;
          const far = distance({ x: box[0], y: box[1], width: box[2] - box[0], height: box[3] - box[1] }, crop);
          if (isInside && far < inside) inside = far;
          if (far < best[1] - 1e-12) best = [isInside, far];
        }
  return mostly && inside < Infinity ? [true, inside] : best;
}

function overlap(a: Box, b: Box): number {
  return (
    Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]))
  );
}

function distance(a: CropRect, b: CropRect): number {
  const [one, other] = [boxOfRect(a), boxOfRect(b)];
  const by = (side: number): number => Math.abs(one[side]! - other[side]!);
  return (by(0) + by(2)) / b.width + (by(1) + by(3)) / b.height;
}

describe('one line', () => {
  const photo = { width: 1000, height: 800 };
  const limits = { photo, keep: [], minSize: 0 };
  const crop = { x: 200, y: 100, width: 500, height: 500 };

  test('that is inside for its larger part is taken in, with a little room', () => {
    expect(wholeTextCrop(crop, [[300, 580, 600, 610]], limits)).toEqual({ ...crop, height: 518 });
  });

  test('that is outside for its larger part is left out', () => {
    expect(wholeTextCrop(crop, [[300, 590, 600, 620]], limits)).toEqual({ ...crop, height: 482 });
  });

  test('of a wide caption whose larger part is inside, taken in though to leave it out were a smaller move', () => {
    const moved = wholeTextCrop(crop, [[250, 570, 760, 590]], limits);
    expect(moved).toEqual({ ...crop, width: 565 });
  });

  test('in a ratio moves the crop and leaves its size', () => {
    const aspect = parseAspect('1:1');
    const moved = wholeTextCrop(crop, [[300, 580, 600, 610]], { ...limits, aspect });
    expect(moved).toEqual({ ...crop, y: 118 });
  });

  test('in a ratio sizes the crop where no move will do', () => {
    const aspect = parseAspect('1:1');
    const text: Box[] = [
      [300, 580, 600, 610],
      [300, 95, 600, 125],
    ];
    const moved = wholeTextCrop(crop, text, { ...limits, aspect });
    expect(moved.width).toBe(moved.height);
    expect(textCutBy(moved, text)).toEqual([]);
    expect(text.every((line) => contains(boxOfRect(moved), line))).toBe(true);
  });

  test('between what is to be kept and the edge is left out as far as that allows, else cut and told', () => {
    const line: Box = [660, 300, 900, 330];
    const keep: Box[] = [[600, 250, 690, 400]];
    expect(wholeTextCrop(crop, [line], { ...limits, keep })).toEqual(crop);
    expect(textNote(crop, [line])).toContain('at 660,300,240,30');
    expect(wholeTextCrop(crop, [line], limits)).toEqual({ ...crop, width: 652 - 200 });
  });

  test('too long for any crop near leaves the crop as it is; another one is left whole all the same', () => {
    const long: Box = [20, 300, 990, 340];
    expect(wholeTextCrop(crop, [long], limits)).toEqual(crop);
    const moved = wholeTextCrop(crop, [long, [300, 580, 600, 610]], limits);
    expect(textCutBy(moved, [long, [300, 580, 600, 610]])).toEqual([long]);
  });

  test('not cut changes nothing and is not told of', () => {
    const text: Box[] = [
      [300, 300, 500, 330],
      [720, 300, 900, 330],
    ];
    expect(wholeTextCrop(crop, text, limits)).toBe(crop);
    expect(textNote(crop, text)).toBeUndefined();
  });
});

test('a page of print costs no more than it may, and keeps the crop where nothing helps', () => {
  const photo = { width: 1000, height: 1400 };
  const text = Array.from({ length: 60 }, (_, i): Box => [80, 60 + 21 * i, 920, 76 + 21 * i]);
  const crop = { x: 150, y: 200, width: 600, height: 750 };
  expect(wholeTextCrop(crop, text, { photo, keep: [], minSize: 0, aspect: parseAspect('4:5') })).toEqual(crop);
});
