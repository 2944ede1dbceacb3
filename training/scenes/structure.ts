import type { Size } from '../../src/base/geometry.js';
import type { Element } from '../../src/base/schema.js';
import type { Dice } from './dice.js';
import { css, shade, type Definitions, type Palette } from './paint.js';

/** Something drawn behind the subject, and the elements it makes. Coordinates in canvas pixels. */
export interface Structure {
  readonly svg: string;
  readonly elements: readonly Element[];
}

export type DrawStructure = (roll: Dice, definitions: Definitions, colours: Palette, canvas: Size) => Structure;

type Pair = [number, number];

const px = (value: number): string => value.toFixed(1);
const path = (points: readonly Pair[]): string => points.map(([x, y]) => `${px(x)},${px(y)}`).join(' ');

function inside([x, y]: Pair, { width, height }: Size): Pair {
  return [Math.min(width - 1, Math.max(0, Math.round(x))), Math.min(height - 1, Math.max(0, Math.round(y)))];
}

function segment(a: Pair, b: Pair, canvas: Size): [number, number, number, number] {
  return [...inside(a, canvas), ...inside(b, canvas)];
}

/** Ground below, sky above; the line between is the horizon. */
export const horizon: DrawStructure = (roll, definitions, colours, canvas) => {
  const { width, height } = canvas;
  const y = height * roll.between(0.2, 0.8);
  const tilt = width * Math.tan((roll.normal() * 1.5 * Math.PI) / 180);
  const [left, right] = [y - tilt / 2, y + tilt / 2];
  const below = path([
    [0, left],
    [width, right],
    [width, height],
    [0, height],
  ]);
  return {
    svg: `<polygon points="${below}" fill="${definitions.fill(roll, colours.ground)}"/>`,
    elements: [{ type: 'horizontal', line: segment([0, left], [width, right], canvas) }],
  };
};

/** A beam, wall top or shelf across part of the photo. */
export const beam: DrawStructure = (roll, definitions, colours, canvas) => {
  const { width, height } = canvas;
  const y = height * roll.between(0.12, 0.88);
  const x1 = roll.chance(0.5) ? 0 : width * roll.between(0, 0.3);
  const x2 = roll.chance(0.5) ? width : width * roll.between(0.65, 1);
  const thick = height * roll.between(0.015, 0.05);
  const slope = (x2 - x1) * roll.normal() * 0.015;
  const corners: Pair[] = [
    [x1, y - thick / 2],
    [x2, y + slope - thick / 2],
    [x2, y + slope + thick / 2],
    [x1, y + thick / 2],
  ];
  return {
    svg: `<polygon points="${path(corners)}" fill="${definitions.fill(roll, colours.structure)}"/>`,
    elements: [{ type: 'horizontal', line: segment([x1, y], [x2, y + slope], canvas) }],
  };
};

/** One to three trunks, poles or columns. */
export const uprights: DrawStructure = (roll, definitions, colours, canvas) => {
  const { width, height } = canvas;
  const n = roll.whole(1, 3);
  const lean = roll.normal() * 0.02;
  const fill = definitions.fill(roll, colours.structure);
  const thick = width * roll.between(0.015, 0.06);
  const posts = Array.from({ length: n }, (_, i) => {
    const x = width * ((i + roll.between(0.2, 0.8)) / n);
    const y1 = roll.chance(0.6) ? 0 : height * roll.between(0, 0.25);
    const y2 = roll.chance(0.6) ? height : height * roll.between(0.7, 1);
    const shift = (y2 - y1) * lean;
    const corners: Pair[] = [
      [x - thick / 2, y1],
      [x + thick / 2, y1],
      [x + shift + thick / 2, y2],
      [x + shift - thick / 2, y2],
    ];
    return {
      svg: `<polygon points="${path(corners)}" fill="${fill}"/>`,
      line: segment([x, y1], [x + shift, y2], canvas),
    };
  });
  return {
    svg: posts.map(({ svg }) => svg).join(''),
    elements: posts.map(({ line }) => ({ type: 'vertical', line })),
  };
};

/** A hillside: all below a diagonal edge. */
export const slope: DrawStructure = (roll, definitions, colours, canvas) => {
  const { width, height } = canvas;
  const [y1, y2] = diagonalHeights(roll, height);
  const below = path([
    [0, y1],
    [width, y2],
    [width, height],
    [0, height],
  ]);
  return {
    svg: `<polygon points="${below}" fill="${definitions.fill(roll, colours.ground)}"/>`,
    elements: [{ type: 'diagonal', line: segment([0, y1], [width, y2], canvas) }],
  };
};

/** A slanted beam, branch or rail. */
export const slant: DrawStructure = (roll, definitions, colours, canvas) => {
  const { width, height } = canvas;
  const x1 = roll.chance(0.4) ? 0 : width * roll.between(0, 0.35);
  const x2 = roll.chance(0.4) ? width : width * roll.between(0.65, 1);
  const [y1, y2] = diagonalHeights(roll, height);
  const half = (height * roll.between(0.02, 0.07)) / 2;
  const corners: Pair[] = [
    [x1, y1 - half],
    [x2, y2 - half],
    [x2, y2 + half],
    [x1, y1 + half],
  ];
  return {
    svg: `<polygon points="${path(corners)}" fill="${definitions.fill(roll, colours.structure)}"/>`,
    elements: [{ type: 'diagonal', line: segment([x1, y1], [x2, y2], canvas) }],
  };
};

function diagonalHeights(roll: Dice, height: number): Pair {
  const high = height * roll.between(0.05, 0.4);
  const low = height * roll.between(0.6, 0.95);
  return roll.chance(0.5) ? [high, low] : [low, high];
}

/** A river, path or rope: a smooth curve through a few points, said with five points from its lower or left end. */
export const winding: DrawStructure = (roll, definitions, colours, canvas) => {
  const { width, height } = canvas;
  const upwards = roll.chance(0.6);
  const swing = roll.between(0.1, 0.26) * (roll.chance(0.5) ? 1 : -1);
  const middle = roll.between(0.35, 0.65);
  const turns = roll.between(0.8, 1.8);
  const from = roll.between(0.88, 1);
  const to = roll.between(0.02, 0.3);
  const at = (t: number): Pair => {
    const along = from + (to - from) * t;
    const across = middle + swing * Math.sin(2 * Math.PI * turns * 0.5 * t + 0.4);
    return upwards ? [across * width, along * height] : [(1 - along) * width, across * height];
  };
  const curve = Array.from({ length: 41 }, (_, i) => at(i / 40));
  const thick = Math.min(width, height) * roll.between(0.02, 0.07);
  const fill = definitions.fill(roll, colours.structure);
  return {
    svg: `<polyline points="${path(curve)}" fill="none" stroke="${fill}" stroke-width="${px(thick)}" stroke-linecap="round" stroke-linejoin="round"/>`,
    elements: [{ type: 'curved', points: Array.from({ length: 5 }, (_, i) => inside(at(i / 4), canvas)) }],
  };
};

/** A mountain, roof or heap; corners: top, right, left. */
export const peak: DrawStructure = (roll, definitions, colours, canvas) => {
  const { width, height } = canvas;
  const base = height * roll.between(0.65, 1);
  const left: Pair = [width * roll.between(0, 0.25), base];
  const right: Pair = [width * roll.between(0.75, 1), base];
  const top: Pair = [width * roll.between(0.3, 0.7), height * roll.between(0.08, 0.35)];
  return {
    svg: `<polygon points="${path([left, top, right])}" fill="${definitions.fill(roll, colours.structure)}"/>`,
    elements: [{ type: 'triangle', points: [inside(top, canvas), inside(right, canvas), inside(left, canvas)] }],
  };
};

/** A road or corridor: three or four lines that meet, said from left to right as seen from the vanishing point. */
export const perspective: DrawStructure = (roll, definitions, colours, canvas) => {
  const { width, height } = canvas;
  const apex: Pair = [width * roll.between(0.3, 0.7), height * roll.between(0.25, 0.6)];
  const feet: Pair[] = [
    [width * roll.between(-0.15, 0.15), height],
    [width * roll.between(0.85, 1.15), height],
  ];
  const corridor = roll.chance(0.4);
  const fills = [definitions.fill(roll, colours.structure), definitions.fill(roll, colours.ground)] as const;
  const wall = ([x]: Pair, side: number): string =>
    corridor ? `<polygon points="${path([apex, [side, 0], [side, height], [x, height]])}" fill="${fills[1]}"/>` : '';
  const stripe = css(shade(colours.structure, colours.structure.lightness > 50 ? -35 : 35));
  const centre = (feet[0]![0] + feet[1]![0]) / 2;
  const dashes = roll.chance(0.6)
    ? `<line x1="${px(apex[0])}" y1="${px(apex[1])}" x2="${px(centre)}" y2="${height}" stroke="${stripe}" stroke-width="${px(width * 0.012)}"/>`
    : '';
  const ends = [
    ...feet,
    ...(corridor
      ? ([
          [0, 0],
          [width, 0],
        ] as Pair[])
      : []),
  ].map((foot) => cutAtBorder(apex, foot, canvas));
  const order = ends.sort((a, b) => angleFrom(apex, b) - angleFrom(apex, a));
  return {
    svg: `${wall(feet[0]!, 0)}${wall(feet[1]!, width)}<polygon points="${path([apex, feet[1]!, feet[0]!])}" fill="${fills[0]}"/>${dashes}`,
    elements: [{ type: 'vanishing_point', lines: order.map((end) => segment(apex, end, canvas)) }],
  };
};

/** Where the way from the apex to a point outside leaves the canvas. */
function cutAtBorder([ax, ay]: Pair, [x, y]: Pair, { width }: Size): Pair {
  const t = x < 0 ? ax / (ax - x) : x > width ? (width - ax) / (x - ax) : 1;
  return [ax + (x - ax) * t, ay + (y - ay) * t];
}

/** 0 at the upper left corner side, growing clockwise through up, right, down. */
function angleFrom([ax, ay]: Pair, [x, y]: Pair): number {
  return (Math.atan2(y - ay, x - ax) + 2 * Math.PI) % (2 * Math.PI);
}
