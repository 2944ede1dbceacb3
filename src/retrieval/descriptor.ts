import type { Size } from '../base/geometry.js';

/**
 * Parts a photo is described by, each way: what is in the upper left of one is compared with what is in the upper left of
 * the other. Of 1, 2, 3 and 4 all but 1 do alike on FLMS' dev half (leave-one-out, mean IoU .665, .669, .667, .668).
 */
export const PARTS = 2;

/**
 * What the vision tower made of a photo, as one vector: the means of its rows over `PARTS` x `PARTS` parts of the photo, by
 * lines. A row that lies in several parts counts in each by its share.
 *
 * @param rows [cells.height * cells.width][n], by lines
 * @returns [PARTS * PARTS * n]
 */
export function describe(rows: Float32Array, cells: Size, n: number): Float32Array {
  const vector = new Float32Array(PARTS * PARTS * n);
  for (let partY = 0; partY < PARTS; partY++) {
    for (let partX = 0; partX < PARTS; partX++) {
      const part = vector.subarray((partY * PARTS + partX) * n, (partY * PARTS + partX + 1) * n);
      for (let y = 0; y < cells.height; y++) {
        const shareY = overlap(y, partY, cells.height);
        for (let x = 0; shareY > 0 && x < cells.width; x++) {
          const weight = shareY * overlap(x, partX, cells.width);
          if (weight === 0) continue;
          const row = rows.subarray((y * cells.width + x) * n, (y * cells.width + x + 1) * n);
          for (let i = 0; i < n; i++) part[i]! += weight * row[i]!;
        }
      }
      // Each part is as large as every other, so that their sums need dividing by the same number.
      const nCells = (cells.width * cells.height) / PARTS ** 2;
      for (let i = 0; i < n; i++) part[i]! /= nCells;
    }
  }
  return vector;
}

/** Share of a cell that lies in a part, along one side of `length` cells. */
function overlap(cell: number, part: number, length: number): number {
  const from = Math.max(cell, (part * length) / PARTS);
  const to = Math.min(cell + 1, ((part + 1) * length) / PARTS);
  return Math.max(0, to - from);
}

/** Mean over all parts of all vectors: [n]. What all photos have in common tells none of them apart. */
export function commonPart(vectors: readonly Float32Array[], n: number): Float32Array {
  const sums = new Float64Array(n);
  for (const vector of vectors) for (const [i, value] of vector.entries()) sums[i % n]! += value;
  return Float32Array.from(sums, (sum) => sum / (vectors.length * PARTS ** 2));
}

/** A vector without what all have in common, of length 1 (or all 0). */
export function centred(vector: Float32Array, common: Float32Array): Float32Array {
  const difference = vector.map((value, i) => value - common[i % common.length]!);
  const length = Math.sqrt(difference.reduce((sum, value) => sum + value ** 2, 0));
  return length > 0 ? difference.map((value) => value / length) : difference;
}
