import type { Component } from './components.js';

/** A component drawn into a square of 10 x 10 cells that its box is stretched to: the share of each cell that is ink. */
export type Shape = Float32Array;

const N_CELLS = 10;

export function shapeOf({ box: [x1, y1, x2, y2], pixels }: Component, planeWidth: number): Shape {
  const shape = new Float32Array(N_CELLS * N_CELLS);
  const [across, down] = [N_CELLS / (x2 - x1), N_CELLS / (y2 - y1)];
  for (const index of pixels) {
    const y = Math.floor(index / planeWidth);
    const x = index - y * planeWidth;
    spread(shape, [(x - x1) * across, (x - x1 + 1) * across], [(y - y1) * down, (y - y1 + 1) * down]);
  }
  return shape;
}

function spread(
  shape: Shape,
  [left, right]: readonly [number, number],
  [top, bottom]: readonly [number, number],
): void {
  for (let row = Math.floor(top); row < bottom && row < N_CELLS; row++) {
    const high = Math.min(bottom, row + 1) - Math.max(top, row);
    for (let column = Math.floor(left); column < right && column < N_CELLS; column++) {
      shape[row * N_CELLS + column]! += high * (Math.min(right, column + 1) - Math.max(left, column));
    }
  }
}

/** Mean difference of two shapes' cells: 0 for the same, up to 1. */
export function shapeDifference(a: Shape, b: Shape): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / a.length;
}
