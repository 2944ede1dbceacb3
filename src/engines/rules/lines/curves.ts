import { strongestFirst, type Gradient } from '../maps/gradient.js';

export interface Curve {
  /** Fractions 0..1 of the sides, 3 to 12 points along the curve. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Arc length in diagonals. */
  readonly length: number;
  /** Sum of the absolute turns, radians. */
  readonly turning: number;
  readonly contrast: number;
}

export interface CurveOptions {
  /** Gradient magnitude under which a pixel is no edge, grey levels a pixel. */
  readonly minMagnitude: number;
  /** Least arc length in diagonals. */
  readonly minLength: number;
}

/** Pixels that are a maximum across their edge: Canny's thinning. */
function thinEdges({ dx, dy, magnitude }: Gradient, minMagnitude: number): Uint8Array {
  const { width, height, data } = magnitude;
  const thin = new Uint8Array(data.length);
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      const value = data[at]!;
      if (value < minMagnitude) continue;
      const gx = dx.data[at]!;
      const gy = dy.data[at]!;
      const steep = Math.abs(gy) > 2.414 * Math.abs(gx);
      const flat = Math.abs(gx) > 2.414 * Math.abs(gy);
      const step = flat ? 1 : steep ? width : gx * gy > 0 ? width + 1 : width - 1;
      if (value >= data[at - step]! && value > data[at + step]!) thin[at] = 1;
    }
  }
  return thin;
}

/**
 * Long smooth bent edges: chains of thinned edge pixels, followed in both directions by the neighbour that turns least,
 * resampled, kept where they bend steadily. Longest first.
 */
export function findCurves(gradient: Gradient, options: CurveOptions): Curve[] {
  const { width, height, data } = gradient.magnitude;
  const diagonal = Math.hypot(width, height);
  const thin = thinEdges(gradient, options.minMagnitude);
  const curves: Curve[] = [];
  for (const seed of strongestFirst(gradient.magnitude, options.minMagnitude, thin)) {
    if (!thin[seed]) continue;
    thin[seed] = 0;
    const ahead = follow(seed, gradient, thin, 1);
    const behind = follow(seed, gradient, thin, -1);
    const chain = [...behind.reverse(), seed, ...ahead];
    if (chain.length < options.minLength * diagonal) continue;
    const curve = describe(chain, width, height, data);
    if (curve && curve.length >= options.minLength) curves.push(curve);
  }
  return curves.sort((a, b) => b.length - a.length);
}

/** Walks along the edge (across the gradient) from a pixel; `sign` picks the direction. */
function follow(seed: number, { dx, dy }: Gradient, thin: Uint8Array, sign: 1 | -1): number[] {
  const { width, height } = dx;
  const chain: number[] = [];
  let at = seed;
  let tx = -sign * dy.data[seed]!;
  let ty = sign * dx.data[seed]!;
  for (;;) {
    const x = at % width;
    const y = (at - x) / width;
    let next = -1;
    let bestAlong = 0.5 * Math.hypot(tx, ty);
    for (let ny = Math.max(0, y - 2); ny <= Math.min(height - 1, y + 2); ny++) {
      for (let nx = Math.max(0, x - 2); nx <= Math.min(width - 1, x + 2); nx++) {
        const n = ny * width + nx;
        if (!thin[n]) continue;
        const reach = Math.hypot(nx - x, ny - y);
        // Direct neighbours first: a gap of one pixel is bridged only where nothing else continues.
        const along = ((nx - x) * tx + (ny - y) * ty) / reach / (reach < 1.5 ? 1 : 1.3);
        if (along > bestAlong) {
          bestAlong = along;
          next = n;
        }
      }
    }
    if (next < 0) return chain;
    thin[next] = 0;
    // Pixels beside the chain belong to it; leave none to start a second chain on the same edge.
    chain.push(next);
    const mx = (next % width) - x;
    const my = Math.floor(next / width) - y;
    const norm = Math.hypot(tx, ty);
    const reach = Math.hypot(mx, my);
    tx = 0.75 * (tx / norm) + 0.25 * (mx / reach);
    ty = 0.75 * (ty / norm) + 0.25 * (my / reach);
    at = next;
  }
}

const N_POINTS = 8;

function describe(chain: readonly number[], width: number, height: number, magnitude: Float32Array): Curve | undefined {
  const xs = chain.map((at) => (at % width) + 0.5);
  const ys = chain.map((at) => Math.floor(at / width) + 0.5);
  const points: [number, number][] = [];
  const window = Math.max(2, Math.floor(chain.length / (N_POINTS * 3)));
  for (let i = 0; i < N_POINTS; i++) {
    const centre = Math.round((i * (chain.length - 1)) / (N_POINTS - 1));
    const reach = Math.min(window, centre, chain.length - 1 - centre);
    let x = 0;
    let y = 0;
    for (let k = centre - reach; k <= centre + reach; k++) {
      x += xs[k]!;
      y += ys[k]!;
    }
    points.push([x / (2 * reach + 1), y / (2 * reach + 1)]);
  }
  let arc = 0;
  let turning = 0;
  let signed = 0;
  let sharpest = 0;
  let previous: number | undefined;
  for (let i = 1; i < points.length; i++) {
    const dx = points[i]![0] - points[i - 1]![0];
    const dy = points[i]![1] - points[i - 1]![1];
    const step = Math.hypot(dx, dy);
    if (step < 1) return undefined;
    arc += step;
    const direction = Math.atan2(dy, dx);
    if (previous !== undefined) {
      let d = direction - previous;
      if (d > Math.PI) d -= 2 * Math.PI;
      if (d < -Math.PI) d += 2 * Math.PI;
      turning += Math.abs(d);
      signed += d;
      sharpest = Math.max(sharpest, Math.abs(d));
    }
    previous = direction;
  }
  // An arc or an S, not a straight edge, not a corner and not a scribble.
  if (turning < 0.7 || sharpest > 0.9 || turning > 5) return undefined;
  if (Math.abs(signed) < 0.35 * turning) return undefined;
  return {
    points: points.map(([x, y]) => [x / width, y / height]),
    length: arc / Math.hypot(width, height),
    turning,
    contrast: chain.reduce((sum, at) => sum + magnitude[at]!, 0) / chain.length,
  };
}
