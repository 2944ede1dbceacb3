import { expect, test } from 'vitest';
import { intersectionOverUnion, type Box } from '../../src/base/geometry.js';
import { carryOver, type Example } from '../../src/retrieval/carry-over.js';

const SIZE = { width: 480, height: 360 };

function example(boxes: Example['photo']['boxes'], similarity = 0.9, isMirrored = false): Example {
  return { photo: { name: 'like.jpg', boxes, vector: new Int8Array() }, similarity, isMirrored };
}

const inPixels = (box: readonly number[]): Box =>
  box.map((share, i) => share * (i % 2 === 0 ? SIZE.width : SIZE.height)) as unknown as Box;

test('the crop of the one photo it is like is carried over, and mirrored where the photo is', () => {
  const box = [0.1, 0.2, 0.65, 0.9] as const;
  const { candidates } = carryOver([example([box])], SIZE, { count: 1 });
  expect(intersectionOverUnion(candidates[0]!.box, inPixels(box))).toBeGreaterThan(0.98);
  const turned = carryOver([example([box], 0.9, true)], SIZE, { count: 1 });
  expect(intersectionOverUnion(turned.candidates[0]!.box, inPixels([0.35, 0.2, 0.9, 0.9]))).toBeGreaterThan(0.98);
  expect(turned.candidates[0]!.why).toBe('as one photo like it was cropped; most alike: like.jpg (0.90, mirrored)');
});

test('the more alike photo has the greater say, and one with many crops no greater one', () => {
  const left = [0, 0, 0.5, 1] as const;
  const right = [0.5, 0, 1, 1] as const;
  const isLeft = (examples: readonly Example[]): boolean =>
    carryOver(examples, SIZE, { count: 1 }).candidates[0]!.box[0] < SIZE.width / 4;
  expect(isLeft([example([left], 0.9), example([right], 0.6)])).toBe(true);
  expect(isLeft([example([left], 0.6), example([right], 0.9)])).toBe(false);
  expect(isLeft([example([left], 0.9), example([right, right, right, right], 0.85)])).toBe(true);
});

test('a ratio is met, boxes to keep are kept, and scores sum to 1', () => {
  const examples = [example([[0.4, 0.1, 0.9, 0.8]]), example([[0.3, 0.1, 1, 0.9]], 0.8)];
  const keep: Box = [10, 200, 60, 300];
  const { candidates } = carryOver(examples, SIZE, { count: 5, aspect: { width: 1, height: 1 }, keep: [keep] });
  expect(candidates.length).toBeGreaterThan(1);
  expect(candidates.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 6);
  for (const { box } of candidates) {
    expect(box[2] - box[0]).toBe(box[3] - box[1]);
    expect(box[0] <= keep[0] && box[1] <= keep[1] && box[2] >= keep[2] && box[3] >= keep[3]).toBe(true);
  }
  const impossible = { count: 1, aspect: { width: 1, height: 9 }, keep: [keep], minSize: 0.9 };
  expect(() => carryOver(examples, SIZE, impossible)).toThrow(expect.objectContaining({ code: 'ASPECT_IMPOSSIBLE' }));
});
