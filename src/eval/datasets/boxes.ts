import { z } from 'zod';
import type { Box, Size } from '../../base/geometry.js';

export const fourNumbers = z.tuple([z.number(), z.number(), z.number(), z.number()]);

/**
 * A crop clamped to its photo, or undefined where nothing of it is left (inverted or outside); `repairs` gets a line
 * for either. Without a size only the lower bounds are known.
 */
export function cleanBox(box: Box, size: Size | undefined, where: string, repairs: string[]): Box | undefined {
  const [x1, y1, x2, y2] = box;
  if (x2 <= x1 || y2 <= y1) {
    repairs.push(`${where}: dropped the inverted box [${box.join(', ')}]`);
    return undefined;
  }
  const [maxX, maxY] = size ? [size.width, size.height] : [Infinity, Infinity];
  const clamped: Box = [Math.max(0, x1), Math.max(0, y1), Math.min(maxX, x2), Math.min(maxY, y2)];
  if (clamped[2] <= clamped[0] || clamped[3] <= clamped[1]) {
    repairs.push(`${where}: dropped the box [${box.join(', ')}] outside the photo`);
    return undefined;
  }
  if (clamped.some((edge, i) => edge !== box[i])) {
    repairs.push(`${where}: clamped [${box.join(', ')}] to [${clamped.join(', ')}]`);
  }
  return clamped;
}

/** By x1, then y1, x2, y2. */
export function compareBoxes(a: Box, b: Box): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3];
}
