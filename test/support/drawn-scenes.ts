import sharp from 'sharp';
import type { Raster } from '../../src/engines/types.js';
import { seededRandom } from '../../src/base/random.js';

/** Scenes with something in them that says which way is up, and scenes without. */
export const UPRIGHT_SCENES = ['sea', 'plain', 'facade', 'tower', 'room', 'street'] as const;
export const VAGUE_SCENES = ['mountains', 'roofs', 'leaves', 'leaning'] as const;
export type SceneKind = (typeof UPRIGHT_SCENES)[number] | (typeof VAGUE_SCENES)[number];

export interface DrawnScene {
  readonly kind: SceneKind;
  readonly width: number;
  readonly height: number;
  /** The scene's elements in pixels from the middle of the picture, before it is turned. */
  readonly body: string;
}

const SIZES = [
  [900, 600],
  [800, 600],
  [600, 800],
  [960, 540],
] as const;

/** Rendered smaller than drawn: a camera's photo is measured at about this size too. */
const SCALE = 0.6;

/** A scene, the same for the same seed. */
export function drawScene(kind: SceneKind, seed: number): DrawnScene {
  const random = seededRandom(seed * 7919 + 17);
  const [width, height] = SIZES[Math.floor(random() * SIZES.length)]!;
  return { kind, width, height, body: DRAWERS[kind](random, width, height) };
}

/**
 * The scene turned clockwise by an angle, as a camera held askew sees it: drawn turned, not resampled, with the grain of a
 * sensor and the blur of a lens.
 */
export async function renderScene({ width, height, body }: DrawnScene, turnedDeg: number, seed = 1): Promise<Raster> {
  const size = { width: SCALE * width, height: SCALE * height };
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" viewBox="0 0 ${width} ${height}"><g transform="translate(${width / 2} ${height / 2}) rotate(${turnedDeg})">${body}</g></svg>`;
  const { data } = await sharp(Buffer.from(svg))
    .flatten()
    .removeAlpha()
    .blur(0.6)
    .raw()
    .toBuffer({ resolveWithObject: true });
  const random = seededRandom(seed);
  const grained = Uint8Array.from(data, (value) => Math.max(0, Math.min(255, value + 8 * (random() - 0.5))));
  return { data: grained, size };
}

type Random = () => number;
type Draw = (random: Random, width: number, height: number) => string;

const between = (random: Random, low: number, high: number): number => low + (high - low) * random();
const grey = (random: Random, low: number, high: number): string => {
  const tint = (): number => Math.round(between(random, low, high));
  return `rgb(${tint()},${tint()},${tint()})`;
};
const rect = (x: number, y: number, width: number, height: number, fill: string): string =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}"/>`;
const polygon = (points: readonly (readonly [number, number])[], fill: string): string =>
  `<polygon points="${points.map((point) => point.join(',')).join(' ')}" fill="${fill}"/>`;
const many = (n: number, draw: (i: number) => string): string => Array.from({ length: n }, (_, i) => draw(i)).join('');

/** A ragged line over the whole width and everything under it. */
function ridge(random: Random, y: number, rough: number, fill: string): string {
  const points: [number, number][] = [[-900, 900]];
  let at = y;
  for (let x = -900; x <= 900; x += 25) {
    at = y + 0.85 * (at - y) + between(random, -rough, rough);
    points.push([x, at]);
  }
  return polygon([...points, [900, 900]], fill);
}

const blobs: Draw = (random, width, height) =>
  many(12, () => {
    const [x, y] = [between(random, -width / 2, width / 2), between(random, 0, height / 2)];
    return `<ellipse cx="${x}" cy="${y}" rx="${between(random, 8, 40)}" ry="${between(random, 8, 30)}" fill="${grey(random, 20, 120)}"/>`;
  });

const sky = (random: Random): string => rect(-900, -900, 1800, 1800, grey(random, 170, 240));

const DRAWERS: Readonly<Record<SceneKind, Draw>> = {
  sea: (random, width, height) => {
    const y = between(random, -0.2, 0.25) * height;
    const boat = between(random, -0.3, 0.3) * width;
    const waves = many(30, () =>
      rect(
        between(random, -width, width),
        y + between(random, 12, height),
        between(random, 10, 60),
        2,
        grey(random, 60, 150),
      ),
    );
    const hull = polygon(
      [
        [boat, y + 14],
        [boat + 60, y + 14],
        [boat + 48, y + 26],
        [boat + 12, y + 26],
      ],
      grey(random, 20, 90),
    );
    return sky(random) + rect(-900, y, 1800, 1800, grey(random, 60, 130)) + waves + hull;
  },
  plain: (random, width, height) => {
    const y = between(random, -0.15, 0.2) * height;
    const trees = many(5, () => {
      const x = between(random, -width / 2, width / 2);
      return `<ellipse cx="${x}" cy="${y - 14}" rx="${between(random, 10, 30)}" ry="${between(random, 12, 26)}" fill="${grey(random, 20, 90)}"/>`;
    });
    return sky(random) + rect(-900, y, 1800, 1800, grey(random, 80, 140)) + trees + blobs(random, width, height);
  },
  facade: (random, width, height) => {
    const wall = grey(random, 130, 210);
    const [nColumns, nRows] = [3 + Math.floor(random() * 4), 2 + Math.floor(random() * 3)];
    const [stepX, stepY] = [(1.3 * width) / nColumns, (1.2 * height) / nRows];
    const windows = many(nColumns * nRows, (i) => {
      const x = -0.65 * width + (i % nColumns) * stepX + 0.25 * stepX;
      const y = -0.6 * height + Math.floor(i / nColumns) * stepY + 0.2 * stepY;
      return rect(x, y, 0.45 * stepX, 0.55 * stepY, grey(random, 20, 90));
    });
    return rect(-900, -900, 1800, 1800, wall) + windows + rect(-900, 0.33 * height, 1800, 8, grey(random, 60, 110));
  },
  // From its foot: upright edges run together above, symmetrically about the plumb line through the middle.
  tower: (random, width, height) => {
    const pull = between(random, 0.2, 0.5);
    const at = (x: number, y: number): [number, number] => [x * (1 - pull * (0.5 - y / height)), y];
    const wall = polygon(
      [at(-0.4 * width, -900), at(0.4 * width, -900), at(0.4 * width, 900), at(-0.4 * width, 900)],
      grey(random, 120, 190),
    );
    const columns = 4 + Math.floor(random() * 3);
    const windows = many(columns, (i) => {
      const x = (-0.35 + (0.7 * i) / columns) * width;
      const w = (0.4 / columns) * width;
      return many(6, (row) => {
        const y = (-0.6 + 0.2 * row) * height;
        return polygon(
          [at(x, y), at(x + w, y), at(x + w, y + 0.13 * height), at(x, y + 0.13 * height)],
          grey(random, 20, 80),
        );
      });
    });
    return sky(random) + wall + windows;
  },
  // Three walls and a floor: the corners are upright, the edges between floor and side walls are not level.
  room: (random, width, height) => {
    const [left, right] = [between(random, -0.35, -0.15) * width, between(random, 0.15, 0.35) * width];
    const [top, bottom] = [-0.3 * height, 0.25 * height];
    const side = (x: number, out: number, fill: string): string =>
      polygon(
        [
          [x, top],
          [x, bottom],
          [out, bottom + 0.6 * Math.abs(out - x)],
          [out, top - 0.5 * Math.abs(out - x)],
        ],
        fill,
      );
    const door = rect(
      between(random, left + 20, right - 90),
      bottom - 0.4 * height,
      70,
      0.4 * height,
      grey(random, 60, 110),
    );
    const picture = rect(left + 30, top + 30, 60, 45, grey(random, 40, 200));
    return (
      rect(-900, -900, 1800, 1800, grey(random, 200, 240)) +
      rect(left, top, right - left, bottom - top, grey(random, 150, 190)) +
      rect(-900, bottom, 1800, 900, grey(random, 90, 120)) +
      side(left, -900, grey(random, 120, 150)) +
      side(right, 900, grey(random, 100, 140)) +
      door +
      picture +
      many(3, (i) => rect(-0.48 * width + i * 26, -0.2 * height, 10, 0.35 * height, grey(random, 30, 80))) +
      many(3, (i) => rect(0.38 * width + i * 26, -0.25 * height, 10, 0.4 * height, grey(random, 30, 80)))
    );
  },
  // Houses along a road that runs away: upright edges beside slanted roofs, kerbs and window sills.
  street: (random, width, height) => {
    const eye = between(random, -0.05, 0.1) * height;
    const houses = many(6, (i) => {
      const side = i % 2 === 0 ? -1 : 1;
      const near = 0.62 - 0.17 * Math.floor(i / 2);
      const far = near - 0.16;
      const rise = between(random, 0.9, 1.3);
      const corner = (share: number, up: number): [number, number] => [side * share * width, eye - up * share * height];
      const wall = polygon(
        [corner(near, rise), corner(far, rise), corner(far, -0.6), corner(near, -0.6)],
        grey(random, 90, 190),
      );
      const panes = many(4, (k) => {
        const [a, b] = [near - 0.035 * k - 0.02, near - 0.035 * k - 0.04];
        return polygon([corner(a, 0.6), corner(b, 0.6), corner(b, 0.1), corner(a, 0.1)], grey(random, 20, 70));
      });
      return wall + panes;
    });
    return sky(random) + rect(-900, eye, 1800, 900, grey(random, 90, 130)) + houses;
  },
  mountains: (random, width, height) =>
    sky(random) +
    ridge(random, -0.15 * height, 40, grey(random, 120, 160)) +
    ridge(random, 0.05 * height, 30, grey(random, 80, 120)) +
    ridge(random, 0.25 * height, 20, grey(random, 30, 80)) +
    blobs(random, width, height),
  roofs: (random, width, height) =>
    sky(random) +
    many(4, (i) => {
      const x = (-0.5 + 0.3 * i) * width;
      const [y, half, tip] = [
        between(random, 0, 0.2) * height,
        between(random, 0.15, 0.25) * width,
        between(random, 0.2, 0.4) * height,
      ];
      return polygon(
        [
          [x - half, y],
          [x + 0.2 * half, y - tip],
          [x + half, y + 0.1 * tip],
          [x, y + 900],
        ],
        grey(random, 60, 150),
      );
    }),
  leaves: (random, width, height) =>
    rect(-900, -900, 1800, 1800, grey(random, 60, 120)) +
    many(120, () => {
      const [x, y] = [between(random, -width / 2, width / 2), between(random, -height / 2, height / 2)];
      return `<ellipse cx="${x}" cy="${y}" rx="${between(random, 10, 40)}" ry="${between(random, 4, 14)}" transform="rotate(${between(random, 0, 180)} ${x} ${y})" fill="${grey(random, 30, 200)}"/>`;
    }),
  // Things on a table seen askew, none of them as the table stands.
  leaning: (random, width, height) =>
    rect(-900, -900, 1800, 1800, grey(random, 150, 200)) +
    many(5, () => {
      const [x, y] = [between(random, -width / 3, width / 3), between(random, -height / 3, height / 3)];
      const angle = between(random, -60, 60);
      return `<g transform="translate(${x} ${y}) rotate(${angle})">${rect(-80, -50, 160, 100, grey(random, 40, 230))}${rect(-60, -30, 120, 4, grey(random, 20, 90))}</g>`;
    }),
};
