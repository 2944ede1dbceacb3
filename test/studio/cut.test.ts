import { expect, test } from 'vitest';
import { around } from '../../report/crop-box.js';
import { seededRandom } from '../../src/base/random.js';
import { straightPoint, turnOf } from '../../src/photo/turn/turn.js';
import { drawnFrom, straightSize, toUpright, turned, type Cut } from '../../web/studio/src/photo/cut.js';

const upright = { width: 900, height: 600 };

test('a crop of about a size lies around a point, as far as the photo reaches, in its ratio', () => {
  const photo = { width: 400, height: 300 };
  expect(around([200, 150], { width: 100, height: 60 }, { photo })).toEqual([150, 120, 250, 180]);
  expect(around([10, 290], { width: 100, height: 60 }, { photo })).toEqual([0, 240, 100, 300]);
  expect(around([200, 150], { width: 500, height: 500 }, { photo })).toEqual([0, 0, 400, 300]);
  const aspect = { width: 4, height: 5 };
  expect(around([200, 150], { width: 400, height: 500 }, { photo, aspect })).toEqual([80, 0, 320, 300]);
});

test('a turned crop stays around the same point of the photo and keeps its size while there is room', () => {
  const cut: Cut = { box: [500, 200, 600, 325], angleDeg: 0 };
  const made = turned(cut, 7, upright, { width: 4, height: 5 });
  const [x1, y1, x2, y2] = made.box;
  expect([x2 - x1, y2 - y1, made.angleDeg]).toEqual([100, 125, 7]);
  const [x, y] = toUpright([(x1 + x2) / 2, (y1 + y2) / 2], upright, 7);
  expect(Math.hypot(x - 550, y - 262.5)).toBeLessThanOrEqual(Math.SQRT1_2);
  const back = turned(made, 0, upright, { width: 4, height: 5 });
  expect(back.box.every((edge, i) => Math.abs(edge - cut.box[i]!) <= 1)).toBe(true);
});

test('all there is stays all there is', () => {
  const all: Cut = { box: [0, 0, 900, 600], angleDeg: 0 };
  const { width, height } = straightSize(upright, -12);
  expect(turned(all, -12, upright)).toEqual({ box: [0, 0, width, height], angleDeg: -12 });
  expect(turned(turned(all, -12, upright), 0, upright)).toEqual(all);
});

test('however it is turned, a crop is whole pixels inside the straight photo, of its ratio', () => {
  const lots = seededRandom(5);
  const aspect = { width: 3, height: 2 };
  let cut: Cut = { box: [0, 0, 300, 200], angleDeg: 0 };
  for (let i = 0; i < 2000; i++) {
    cut = turned(cut, Math.round(900 * lots() - 450) / 10, upright, aspect);
    const [x1, y1, x2, y2] = cut.box;
    const { width, height } = straightSize(upright, cut.angleDeg);
    expect(cut.box.every(Number.isInteger)).toBe(true);
    expect(x1 >= 0 && y1 >= 0 && x2 <= width && y2 <= height).toBe(true);
    expect(2 * (x2 - x1)).toBe(3 * (y2 - y1));
  }
});

/** Where SVG puts a point, by the three steps of a transform. */
function drawn(transform: string, [x, y]: readonly [number, number]): [number, number] {
  const [toX, toY, angle, fromX, fromY] = [...transform.matchAll(/-?\d+(?:\.\d+)?/g)].map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const [dx, dy] = [x + fromX, y + fromY];
  const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  return [cos * dx - sin * dy + toX, sin * dx + cos * dy + toY];
}

test('the page draws what is counted in one turn where it is in another', () => {
  expect(drawnFrom(5, 5, upright)).toBeUndefined();
  const [from, to] = [8, -3];
  const point = [123, 321] as const;
  const wanted = straightPoint(toUpright(point, upright, from), turnOf(upright, to));
  const [x, y] = drawn(drawnFrom(from, to, upright)!, point);
  expect(x).toBeCloseTo(wanted[0], 9);
  expect(y).toBeCloseTo(wanted[1], 9);
});
