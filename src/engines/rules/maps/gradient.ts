import { newPlane, type Plane } from './plane.js';

export interface Gradient {
  /** Sobel derivative along x and y, divided by 8: grey levels a pixel. */
  readonly dx: Plane;
  readonly dy: Plane;
  readonly magnitude: Plane;
}

export function gradientOf(grey: Plane): Gradient {
  const { width, height, data } = grey;
  const dx = newPlane(width, height);
  const dy = newPlane(width, height);
  const magnitude = newPlane(width, height);
  for (let y = 0; y < height; y++) {
    const above = Math.max(0, y - 1) * width;
    const here = y * width;
    const below = Math.min(height - 1, y + 1) * width;
    for (let x = 0; x < width; x++) {
      const left = Math.max(0, x - 1);
      const right = Math.min(width - 1, x + 1);
      const gx =
        data[above + right]! +
        2 * data[here + right]! +
        data[below + right]! -
        data[above + left]! -
        2 * data[here + left]! -
        data[below + left]!;
      const gy =
        data[below + left]! +
        2 * data[below + x]! +
        data[below + right]! -
        data[above + left]! -
        2 * data[above + x]! -
        data[above + right]!;
      dx.data[here + x] = gx / 8;
      dy.data[here + x] = gy / 8;
      magnitude.data[here + x] = Math.hypot(gx, gy) / 8;
    }
  }
  return { dx, dy, magnitude };
}

/** Indices of the pixels of at least a magnitude, strongest first to within 1/1024 of the range (LSD's pseudo-order). */
export function strongestFirst(magnitude: Plane, minMagnitude: number, allowed?: Uint8Array): Int32Array {
  const { data } = magnitude;
  let highest = 0;
  for (const value of data) if (value > highest) highest = value;
  const nBins = 1024;
  const start = new Int32Array(nBins + 1);
  const bin = (value: number): number => nBins - 1 - Math.min(nBins - 1, Math.floor((value / highest) * nBins));
  const wanted = (i: number): boolean => data[i]! >= minMagnitude && (!allowed || allowed[i]! > 0);
  for (let i = 0; i < data.length; i++) if (wanted(i)) start[bin(data[i]!) + 1]!++;
  for (let b = 0; b < nBins; b++) start[b + 1]! += start[b]!;
  const order = new Int32Array(start[nBins]!);
  for (let i = 0; i < data.length; i++) if (wanted(i)) order[start[bin(data[i]!)]!++] = i;
  return order;
}
