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
