import { createHash } from 'node:crypto';
import type { Box, Size } from '../../base/geometry.js';
import type { DatasetOfKind } from '../datasets/types.js';
import type { Method } from './types.js';

/** GAICD's crops start and end in the middle of the cells of a 12 x 12 grid. */
const GRID = 12;

/**
 * Ranks crops without looking at the photo: by the mean MOS that crops of the same place in the frame got in the
 * `train` split, landscape photos apart from the others. Places never rated there get the mean over all.
 */
export function positionPriorMethod(dataset: DatasetOfKind<'ranking'>, trainSplit = 'train'): Method {
  const sums = new Map<string, { total: number; n: number }>();
  const all = { total: 0, n: 0 };
  for (const { crops, size, split } of dataset.photos) {
    if (split !== trainSplit || !size) continue;
    for (const { box, mos } of crops) {
      const anchor = anchorOf(box, size);
      const sum = sums.get(anchor) ?? { total: 0, n: 0 };
      sums.set(anchor, { total: sum.total + mos, n: sum.n + 1 });
      all.total += mos;
      all.n++;
    }
  }
  const means = new Map([...sums].map(([anchor, { total, n }]) => [anchor, total / n]));
  const fallback = all.n > 0 ? all.total / all.n : 0;
  const digest = createHash('sha256')
    .update(JSON.stringify([...means].sort()))
    .digest('hex');
  return {
    name: 'position prior',
    key: `position prior ${digest}`,
    needsPixels: false,
    rank: ({ size }, boxes) => Promise.resolve(boxes.map((box) => means.get(anchorOf(box, size)) ?? fallback)),
  };
}

/** The cell of each edge and whether the photo is wider than high, as one word. */
function anchorOf([x1, y1, x2, y2]: Box, { width, height }: Size): string {
  const cell = (edge: number, side: number): number => Math.round((edge / side) * GRID - 0.5);
  return [cell(x1, width), cell(y1, height), cell(x2, width), cell(y2, height), width > height].join(' ');
}
