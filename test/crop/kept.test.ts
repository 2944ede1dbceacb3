import { expect, test } from 'vitest';
import { waysToKeep } from '../../src/crop/kept.js';
import { contains, unionOf, type Box } from '../../src/base/geometry.js';
import { parseTargets } from '../../src/crop/target.js';

const PHOTO = { width: 1200, height: 800 };
const [SQUARE] = parseTargets(['1:1'], []);
const [FREE] = parseTargets([], []);

test('room around a head is in proportion to it, above and below most, and less where there is less', () => {
  const head: Box = [500, 300, 600, 420];
  const ways = [...waysToKeep({ asked: [], heads: [head] }, FREE!, PHOTO)].map(({ boxes }) => boxes);
  expect(ways).toEqual([
    [[450, 240, 650, 510]],
    [[475, 270, 625, 465]],
    [[487, 285, 613, 443]],
    [[500, 300, 600, 420]],
  ]);
  const corner: Box = [0, 0, 100, 120];
  const [first] = waysToKeep({ asked: [], heads: [corner] }, FREE!, PHOTO);
  expect(first!.boxes).toEqual([[0, 0, 150, 210]]);
});

test('a rectangle asked for has a tenth of its longer side around, a focus nothing', () => {
  const [first] = waysToKeep({ asked: [[100, 100, 300, 200]], focus: [10, 10, 50, 50], heads: [] }, FREE!, PHOTO);
  expect(first!.boxes).toEqual([
    [80, 80, 320, 220],
    [10, 10, 50, 50],
  ]);
  expect([...waysToKeep({ asked: [], focus: [10, 10, 50, 50], heads: [] }, SQUARE!, PHOTO)]).toEqual([
    { boxes: [[10, 10, 50, 50]] },
  ]);
});

test('of heads too far apart the most are kept that fit, beside what is asked for', () => {
  const heads: Box[] = [
    [0, 100, 100, 220],
    [700, 100, 800, 220],
    [900, 100, 1000, 220],
    [1090, 100, 1190, 220],
  ];
  const last = [...waysToKeep({ asked: [], heads }, SQUARE!, PHOTO)].at(-1)!;
  expect(last.boxes).toEqual(heads.slice(1));
  expect(last.note).toContain('4 heads');
  const asked: Box = [10, 600, 60, 650];
  const beside = [...waysToKeep({ asked: [asked], heads }, SQUARE!, PHOTO)].at(-1)!;
  expect(beside.boxes).toEqual([asked, heads[0], heads[1]]);
});

test('of one head that is larger than any crop, as much as a crop takes', () => {
  const head: Box = [100, 0, 1100, 800];
  const last = [...waysToKeep({ asked: [], heads: [head] }, SQUARE!, PHOTO)].at(-1)!;
  const { boxes } = last;
  expect(boxes).toHaveLength(1);
  expect(contains(head, boxes[0]!)).toBe(true);
  const [x1, , x2] = unionOf(boxes)!;
  expect(x2 - x1).toBe(800);
});
