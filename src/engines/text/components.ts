import type { Box } from '../../base/geometry.js';
import type { Ink } from './ink.js';

/** Ink that hangs together, by edges or corners of pixels. */
export interface Component {
  /** In pixels of the plane, right and lower edge exclusive. */
  readonly box: Box;
  /** Indices of its pixels in the plane. */
  readonly pixels: Int32Array;
}

/** All components of ink, and for each pixel of the plane the number of its component from 1; 0 where there is no ink. */
export interface Components {
  readonly list: readonly Component[];
  readonly labels: Int32Array;
}

/** @param ink none at the border, so that every pixel of it has eight neighbours */
export function componentsOf({ width, height, mask }: Ink): Components {
  const labels = new Int32Array(mask.length);
  const queue = new Int32Array(mask.length);
  const around = [-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1] as const;
  const list: Component[] = [];
  let end = 0;
  for (let first = 0; first < mask.length; first++) {
    if (mask[first] === 0 || labels[first] !== 0) continue;
    const label = list.length + 1;
    const start = end;
    let [x1, y1, x2, y2] = [width, height, 0, 0];
    labels[first] = label;
    queue[end++] = first;
    for (let at = start; at < end; at++) {
      const index = queue[at]!;
      const y = Math.floor(index / width);
      const x = index - y * width;
      if (x < x1) x1 = x;
      if (x >= x2) x2 = x + 1;
      if (y < y1) y1 = y;
      if (y >= y2) y2 = y + 1;
      for (let k = 0; k < 8; k++) {
        const next = index + around[k]!;
        if (mask[next] === 0 || labels[next] !== 0) continue;
        labels[next] = label;
        queue[end++] = next;
      }
    }
    list.push({ box: [x1, y1, x2, y2], pixels: queue.subarray(start, end) });
  }
  return { list, labels };
}
