import type { ProposedBox } from '../../engines/limits.js';
import type { Point, Size } from '../../base/geometry.js';

const CENTRE: Point = [0.5, 0.5];
const CORNERS: readonly Point[] = [
  [0, 0],
  [1, 0],
  [0, 1],
  [1, 1],
];
/** Share of each side, and where the room that is left goes. 20 boxes, as many as may be asked for. */
const PLACES: readonly (readonly [share: number, at: Point])[] = [0.9, 0.8, 0.7, 0.6].flatMap(
  (share): (readonly [number, Point])[] => [
    [share, CENTRE],
    ...CORNERS.map((corner) => [share - 0.1, corner] as const),
  ],
);

/**
 * Candidates without a look at the photo: the same for every one of a size. The first is the centre at 0.9 of each side,
 * then come the corners at 0.8, then smaller ones. At most 20.
 */
export function fixedCandidates({ width, height }: Size, count: number): ProposedBox[] {
  return PLACES.slice(0, count).map(([share, [atX, atY]]) => {
    const [w, h] = [Math.max(1, Math.round(width * share)), Math.max(1, Math.round(height * share))];
    const [x, y] = [Math.round((width - w) * atX), Math.round((height - h) * atY)];
    return { boxInFrame: [x, y, x + w, y + h], why: 'a fixed box' };
  });
}
