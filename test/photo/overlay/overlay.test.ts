import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import type { Point, Size } from '../../../src/base/geometry.js';
import { decodePhoto } from '../../../src/photo/decode.js';
import { chooseFrame, frameMap } from '../../../src/photo/frame.js';
import { textSvg } from '../../../src/photo/overlay/glyphs.js';
import { placeLabels } from '../../../src/photo/overlay/labels.js';
import { drawOnFrame, overlaySvg, renderOverlay } from '../../../src/photo/overlay/overlay.js';
import { INK, KIND_COLOURS } from '../../../src/photo/overlay/palette.js';
import { penFor } from '../../../src/photo/overlay/pen.js';
import { renderFrame } from '../../../src/photo/render.js';
import { elementShape, meetingPoint } from '../../../src/photo/overlay/shapes.js';
import { ELEMENT_KINDS } from '../../../src/base/schema.js';
import type { Element, ElementKind } from '../../../src/base/schema.js';
import { fromRaster, plain, positioned } from '../fixtures.js';
import type { Colour } from '../fixtures.js';
import { VISIONS, linearOf, oklabOf, times } from '../oklab.js';
import { randomInts } from '../random.js';

const FRAME = { width: 560, height: 420 };

/** One element of each kind in a 560x420 frame, and a point that its own stroke passes through. */
const SAMPLES: Record<ElementKind, { element: Element; on: Point }> = {
  rule_of_thirds: { element: { type: 'rule_of_thirds', box: [100, 80, 300, 250] }, on: [200, 80] },
  center: { element: { type: 'center', box: [200, 160, 360, 260] }, on: [280, 260] },
  golden_ratio: { element: { type: 'golden_ratio', box: [300, 100, 500, 300] }, on: [300, 230] },
  horizontal: { element: { type: 'horizontal', line: [0, 200, 560, 220] }, on: [280, 210] },
  vertical: { element: { type: 'vertical', line: [150, 20, 150, 400] }, on: [150, 210] },
  diagonal: { element: { type: 'diagonal', line: [40, 400, 520, 40] }, on: [280, 220] },
  symmetric: { element: { type: 'symmetric', line: [280, 10, 280, 410] }, on: [280, 13] },
  curved: {
    element: {
      type: 'curved',
      points: [
        [40, 300],
        [200, 250],
        [360, 300],
        [520, 250],
      ],
    },
    on: [200, 250],
  },
  triangle: {
    element: {
      type: 'triangle',
      points: [
        [100, 380],
        [280, 60],
        [460, 380],
      ],
    },
    on: [280, 380],
  },
  vanishing_point: {
    element: {
      type: 'vanishing_point',
      lines: [
        [0, 400, 200, 250],
        [560, 400, 360, 250],
      ],
    },
    on: [100, 325],
  },
};

const bare = { labels: false };

async function drawn(
  background: Colour,
  elements: readonly Element[],
  options: { labels?: boolean } = {},
): Promise<(point: Point) => number[]> {
  const rgb = await drawOnFrame(plain(FRAME, background).rgb, FRAME, elements, options);
  expect(rgb.length).toBe(3 * FRAME.width * FRAME.height);
  return ([x, y]) => {
    const at = 3 * (Math.floor(y) * FRAME.width + Math.floor(x));
    return [...rgb.subarray(at, at + 3)];
  };
}

const rgbOf = (hex: string): number[] => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
const furthest = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, index) => Math.abs(value - b[index]!)));

describe('each of the ten kinds', () => {
  test.each(ELEMENT_KINDS)('%s shows in its own colour on black, grey and white, in a dark casing', async (kind) => {
    const { element, on } = SAMPLES[kind];
    for (const background of [
      [0, 0, 0],
      [128, 128, 128],
      [255, 255, 255],
    ] as const) {
      const at = await drawn(background, [element], bare);
      expect(furthest(at(on), rgbOf(KIND_COLOURS[kind]))).toBeLessThan(60);
      const around = [-4, -3, -2, 2, 3, 4].flatMap((step) => [at([on[0] + step, on[1]]), at([on[0], on[1] + step])]);
      if (background[0] === 255) expect(Math.min(...around.map((rgb) => Math.max(...rgb)))).toBeLessThan(190);
    }
  });

  test('boxes bring their guides: thirds, or 0.382 and 0.618', async () => {
    const cases: [ElementKind, number[], number][] = [
      ['rule_of_thirds', [560 / 3, 1120 / 3], 0.382 * 560],
      ['center', [560 / 3, 1120 / 3], 0.382 * 560],
      ['golden_ratio', [0.382 * 560, 0.618 * 560], 560 / 3],
    ];
    for (const [kind, columns, elsewhere] of cases) {
      const at = await drawn([0, 0, 0], [SAMPLES[kind].element], bare);
      for (const x of columns) expect(at([x, 30])[0]).toBeGreaterThan(80);
      expect(at([elsewhere, 30])[0]).toBeLessThan(20);
      expect(at([30, (columns[0]! / 560) * 420])[0]).toBeGreaterThan(80);
    }
    const none = await drawn([0, 0, 0], [SAMPLES.diagonal.element], bare);
    expect(none([560 / 3, 30])).toEqual([0, 0, 0]);
  });

  test('an element on the picture’s very border is still seen', async () => {
    const at = await drawn([0, 0, 0], [{ type: 'center', box: [0, 0, 560, 420] }], bare);
    const edges: Point[] = [
      [280, 2],
      [280, 417],
      [2, 210],
      [557, 210],
    ];
    for (const edge of edges) expect(furthest(at(edge), rgbOf(KIND_COLOURS.center))).toBeLessThan(90);
  });
});

describe('colours', () => {
  test.each(Object.keys(VISIONS))('of any two kinds differ with %s vision', (vision) => {
    const seen = ELEMENT_KINDS.map((kind) => {
      const linear = times(VISIONS[vision]!, linearOf(KIND_COLOURS[kind]));
      return oklabOf(linear.map((value) => Math.max(0, Math.min(1, value))));
    });
    for (const [index, a] of seen.entries()) {
      for (const b of seen.slice(index + 1)) {
        const distance = Math.hypot(...a.map((value, axis) => value - b[axis]!));
        expect(distance).toBeGreaterThanOrEqual(0.08);
      }
    }
  });

  test('carry dark letters with a contrast of at least 6 to 1', () => {
    const luminance = (hex: string): number => times([[0.2126, 0.7152, 0.0722]], linearOf(hex))[0]!;
    for (const colour of Object.values(KIND_COLOURS)) {
      expect((luminance(colour) + 0.05) / (luminance(INK) + 0.05)).toBeGreaterThanOrEqual(6);
    }
  });
});

describe('labels', () => {
  const next = randomInts(41);

  function randomElement({ width, height }: Size): Element {
    const point = (): [number, number] => [next(width + 1), next(height + 1)];
    const line = (): [number, number, number, number] => [...point(), ...point()];
    const x = next(width - 1);
    const y = next(height - 1);
    const box: [number, number, number, number] = [x, y, x + 1 + next(width - x), y + 1 + next(height - y)];
    const type = ELEMENT_KINDS[next(ELEMENT_KINDS.length)]!;
    switch (type) {
      case 'rule_of_thirds':
      case 'center':
      case 'golden_ratio':
        return { type, box };
      case 'horizontal':
      case 'vertical':
      case 'diagonal':
      case 'symmetric':
        return { type, line: line() };
      case 'curved':
        return { type, points: Array.from({ length: 3 + next(10) }, point) };
      case 'triangle':
        return { type, points: [point(), point(), point()] };
      case 'vanishing_point':
        return { type, lines: Array.from({ length: 2 + next(3) }, line) };
    }
  }

  function placedFor(elements: readonly Element[], target: Size): ReturnType<typeof placeLabels> {
    const pen = penFor(target);
    const shapes = elements.map((element) => ({
      text: element.type,
      colour: '#fff',
      ...elementShape(element, target, pen),
    }));
    return placeLabels(
      shapes,
      shapes.flatMap(({ trace }) => trace),
      target,
      pen,
    );
  }

  test('lie inside the picture, at any size, and hardly ever on one another', () => {
    let overlapping = 0;
    let placed = 0;
    for (let i = 0; i < 240; i++) {
      const target = [
        { width: 224, height: 168 },
        { width: 1120, height: 840 },
        { width: 840, height: 1260 },
      ][i % 3]!;
      const boxes = placedFor(
        Array.from({ length: 1 + next(8) }, () => randomElement(target)),
        target,
      ).map(({ box }) => box);
      for (const [index, [x1, y1, x2, y2]] of boxes.entries()) {
        expect(x1 >= 0 && y1 >= 0 && x2 <= target.width && y2 <= target.height && x1 < x2 && y1 < y2).toBe(true);
        placed++;
        overlapping += boxes
          .slice(0, index)
          .some((o) => Math.min(o[2], x2) > Math.max(o[0], x1) && Math.min(o[3], y2) > Math.max(o[1], y1))
          ? 1
          : 0;
      }
    }
    expect(placed).toBeGreaterThan(800);
    expect(overlapping / placed).toBeLessThan(0.01);
  });

  test('are left out of a picture that has no room for them', () => {
    expect(placedFor([{ type: 'rule_of_thirds', box: [2, 2, 20, 20] }], { width: 28, height: 28 })).toEqual([]);
  });

  test('are drawn without any font, and only if wanted', () => {
    const drawing = { space: FRAME, elements: Object.values(SAMPLES).map(({ element }) => element) };
    const svg = overlaySvg(drawing, FRAME);
    expect(svg).not.toMatch(/<text|font/);
    expect(svg).toContain('<rect');
    expect(overlaySvg(drawing, FRAME, bare)).not.toContain('<rect');
    expect(overlaySvg(drawing, FRAME)).toBe(svg);
  });

  test('every letter, digit and sign has a shape of its own between the lines', async () => {
    const shapes = new Map<string, string>();
    for (const character of 'abcdefghijklmnopqrstuvwxyz0123456789_:.%') {
      const text = textSvg(character, 10, 20, 2, '#ffffff');
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="36" height="30"><rect width="36" height="30"/>${text}</svg>`;
      const { data } = await sharp(Buffer.from(svg))
        .toColourspace('b-w')
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true });
      const inked = [...data].map((value) => (value > 128 ? '1' : '0')).join('');
      expect(inked.includes('1'), character).toBe(true);
      // two px above the ascenders (20 - 18) and two below the descenders (20 + 5.6), half a stroke included
      expect(inked.slice(0, 36) + inked.slice(36 * 28), character).not.toContain('1');
      expect(shapes.get(inked), `${character} looks like another`).toBeUndefined();
      shapes.set(inked, character);
    }
  });

  test('any valid elements can be drawn at any frame', async () => {
    for (let i = 0; i < 60; i++) {
      const frame = { width: 28 * (1 + next(12)), height: 28 * (1 + next(12)) };
      const elements = Array.from({ length: next(9) }, () => randomElement(frame));
      const rgb = await drawOnFrame(plain(frame, [90, 90, 90]).rgb, frame, elements);
      expect(rgb.length).toBe(3 * frame.width * frame.height);
    }
  });
});

describe('the vanishing point', () => {
  test('is where the lines meet, exactly or with the least squared distance', () => {
    const lines = [
      [
        [0, 0],
        [10, 10],
      ],
      [
        [0, 20],
        [5, 15],
      ],
      [
        [10, 0],
        [10, 3],
      ],
    ] as const;
    expect(meetingPoint(lines)![0]).toBeCloseTo(10, 9);
    expect(meetingPoint(lines)![1]).toBeCloseTo(10, 9);
    expect(
      meetingPoint([
        [
          [0, 0],
          [10, 0],
        ],
        [
          [0, 2],
          [10, 2],
        ],
      ]),
    ).toBeUndefined();
    expect(
      meetingPoint([
        [
          [3, 3],
          [3, 3],
        ],
        [
          [0, 2],
          [10, 2],
        ],
      ]),
    ).toBeUndefined();
  });

  test('is marked if it lies in the picture', async () => {
    const at = await drawn([0, 0, 0], [SAMPLES.vanishing_point.element], bare);
    expect(furthest(at([280, 190]), rgbOf(KIND_COLOURS.vanishing_point))).toBeLessThan(30);
  });
});

describe('one drawing for the model and for people', () => {
  test('a photo’s overlay scaled down to the frame equals the frame’s own', async () => {
    const photo = await decodePhoto(
      await fromRaster(positioned({ width: 1680, height: 1260 }, 0))
        .png()
        .toBuffer(),
    );
    const frame = chooseFrame(photo, { minPixels: 784, maxPixels: FRAME.width * FRAME.height, cellPx: 28 });
    expect(frame).toEqual(FRAME);
    const elements = [SAMPLES.rule_of_thirds.element, SAMPLES.diagonal.element, SAMPLES.curved.element];
    const ours = await drawOnFrame(await renderFrame(photo, frame), frame, elements);
    const { toPhoto } = frameMap(photo, frame);
    const space = { width: photo.width, height: photo.height };
    const overlay = await renderOverlay(photo, { space, elements: elements.map(toPhoto.element) }, { format: 'png' });
    expect(overlay).toMatchObject({ format: 'png', ...space });
    const theirs = await renderFrame(await decodePhoto(overlay.bytes), frame);
    const meanDifference = (a: Uint8Array, b: Uint8Array): number =>
      a.reduce((sum, value, index) => sum + Math.abs(value - b[index]!), 0) / a.length;
    const whatWasDrawn = meanDifference(ours, await renderFrame(photo, frame));
    expect(meanDifference(ours, theirs)).toBeLessThan(whatWasDrawn / 5);
  });

  test('the frame given is left as it is', async () => {
    const { rgb } = plain(FRAME, [7, 8, 9]);
    await drawOnFrame(rgb, FRAME, [SAMPLES.center.element]);
    expect(Buffer.compare(rgb, plain(FRAME, [7, 8, 9]).rgb)).toBe(0);
  });

  test('outside the best crop the photo is dimmed, inside it is not; candidates are numbered', async () => {
    const photo = await decodePhoto(
      await fromRaster(plain(FRAME, [200, 180, 160]))
        .png()
        .toBuffer(),
    );
    const drawing = {
      space: FRAME,
      elements: [],
      candidates: [
        [20, 20, 400, 300],
        [100, 60, 500, 400],
      ] as const,
      best: { box: [102, 62, 498, 398] as const, number: 2 },
    };
    const { bytes } = await renderOverlay(photo, drawing, { format: 'png' });
    const pixels = await renderFrame(await decodePhoto(bytes), FRAME);
    const at = (x: number, y: number): number[] => [...pixels.subarray(3 * (y * 560 + x), 3 * (y * 560 + x) + 3)];
    expect(at(300, 350)).toEqual([200, 180, 160]);
    expect(Math.max(...at(530, 410))).toBeLessThan(110);
    expect(at(300, 62)).toEqual([255, 255, 255]);
    const plates = overlaySvg(drawing, FRAME).match(/<rect/g);
    expect(plates).toHaveLength(2);
  });

  test('a panorama wider than cairo’s surfaces may be is drawn to its end', async () => {
    const wide = { width: 33_000, height: 40 };
    const photo = await decodePhoto(
      await sharp({ create: { ...wide, channels: 3, background: 'black' } })
        .png()
        .toBuffer(),
    );
    const elements: Element[] = [{ type: 'horizontal', line: [0, 20, 33_000, 20] }];
    const { bytes } = await renderOverlay(photo, { space: wide, elements }, { format: 'png', labels: false });
    const overlay = await decodePhoto(bytes);
    const column = await sharp(overlay.bytes).extract({ left: 32_900, top: 19, width: 1, height: 1 }).raw().toBuffer();
    expect(furthest([...column], rgbOf(KIND_COLOURS.horizontal))).toBeLessThan(60);
  });

  test('abort rejects with the signal’s reason', async () => {
    const reason = new Error('user left');
    const signal = AbortSignal.abort(reason);
    await expect(drawOnFrame(plain(FRAME, [1, 1, 1]).rgb, FRAME, [], { signal })).rejects.toBe(reason);
  });
});
