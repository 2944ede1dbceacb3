import type { Component } from './components.js';

/** What a component looks like as strokes of a pen. */
export interface Stroke {
  /** Mean over the middles of its strokes. */
  readonly widthPx: number;
  /** Standard deviation of the width as a share of it. */
  readonly spread: number;
  /** Sides of pixels between it and what it is not. */
  readonly outlinePx: number;
}

/** By distances to the outline (chamfer 3-4, Borgefors 1986), whose ridges are the strokes' middles. */
export function strokeOf({ box, pixels }: Component, label: number, labels: Int32Array, planeWidth: number): Stroke {
  const [x1, y1, x2, y2] = box;
  // One pixel of what it is not all around.
  const width = x2 - x1 + 2;
  const height = y2 - y1 + 2;
  const distance = new Int32Array(width * height);
  let outlinePx = 0;
  for (const index of pixels) {
    const y = Math.floor(index / planeWidth);
    distance[(y - y1 + 1) * width + (index - y * planeWidth) - x1 + 1] = FAR;
    for (const step of [1, -1, planeWidth, -planeWidth]) if (labels[index + step] !== label) outlinePx++;
  }
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      if (distance[at] === 0) continue;
      distance[at] = Math.min(
        distance[at]!,
        distance[at - 1]! + 3,
        distance[at - width]! + 3,
        distance[at - width - 1]! + 4,
        distance[at - width + 1]! + 4,
      );
    }
  }
  for (let y = height - 2; y > 0; y--) {
    for (let x = width - 2; x > 0; x--) {
      const at = y * width + x;
      if (distance[at] === 0) continue;
      distance[at] = Math.min(
        distance[at]!,
        distance[at + 1]! + 3,
        distance[at + width]! + 3,
        distance[at + width + 1]! + 4,
        distance[at + width - 1]! + 4,
      );
    }
  }
  let [n, sum, squares] = [0, 0, 0];
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      if (distance[at] === 0 || !isRidge(distance, at, width)) continue;
      // From the middle of a pixel to the middle of one outside: half a pixel too far on either side.
      const widthPx = (2 * distance[at]!) / 3 - 1;
      n++;
      sum += widthPx;
      squares += widthPx * widthPx;
    }
  }
  const mean = n > 0 ? sum / n : 1;
  return {
    widthPx: mean,
    spread: n > 0 ? Math.sqrt(Math.max(0, squares / n - mean * mean)) / mean : 0,
    outlinePx,
  };
}

/** Further from the outline than all around it, or as far. */
function isRidge(distance: Int32Array, at: number, width: number): boolean {
  const here = distance[at]!;
  const [above, below] = [at - width, at + width];
  return (
    here >= distance[at - 1]! &&
    here >= distance[at + 1]! &&
    here >= Math.max(distance[above - 1]!, distance[above]!, distance[above + 1]!) &&
    here >= Math.max(distance[below - 1]!, distance[below]!, distance[below + 1]!)
  );
}

const FAR = 1 << 20;
