import type { Size } from '../../../base/geometry.js';
import type { Raster } from '../../types.js';

/** One channel of floats, row major, `data.length === width * height`. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

export function newPlane(width: number, height: number): Plane {
  return { width, height, data: new Float32Array(width * height) };
}

/** The size with the asked long side and the photo's aspect; the short side is never under `minSidePx`. */
export function workingSize(size: Size, longSidePx: number, minSidePx = 12): Size {
  const scale = longSidePx / Math.max(size.width, size.height);
  return {
    width: Math.max(minSidePx, Math.round(size.width * scale)),
    height: Math.max(minSidePx, Math.round(size.height * scale)),
  };
}

/** For each target cell, the source cells it covers and how much of each: area averaging that also enlarges. */
function axisWeights(nSource: number, nTarget: number): { start: Int32Array; weights: Float32Array[] } {
  const start = new Int32Array(nTarget);
  const weights: Float32Array[] = [];
  const scale = nSource / nTarget;
  for (let t = 0; t < nTarget; t++) {
    let low = t * scale;
    let high = (t + 1) * scale;
    if (scale < 1) {
      // Enlarging: a box one source cell wide around the centre, which is linear interpolation.
      const centre = (low + high) / 2;
      low = Math.max(0, centre - 0.5);
      high = Math.min(nSource, centre + 0.5);
    }
    const first = Math.floor(low);
    const last = Math.max(first, Math.min(nSource - 1, Math.ceil(high) - 1));
    const share = new Float32Array(last - first + 1);
    let total = 0;
    for (let s = first; s <= last; s++) {
      const overlap = Math.max(0, Math.min(high, s + 1) - Math.max(low, s));
      share[s - first] = overlap;
      total += overlap;
    }
    for (let i = 0; i < share.length; i++) share[i] = total > 0 ? share[i]! / total : 1 / share.length;
    start[t] = first;
    weights.push(share);
  }
  return { start, weights };
}

/** Three planes (R, G, B, 0..255) of the asked size, area averaged. */
export function resizeRgb(raster: Raster, target: Size): [Plane, Plane, Plane] {
  const { width, height } = raster.size;
  const across = axisWeights(width, target.width);
  const down = axisWeights(height, target.height);
  const planes: [Plane, Plane, Plane] = [
    newPlane(target.width, target.height),
    newPlane(target.width, target.height),
    newPlane(target.width, target.height),
  ];
  const row = new Float32Array(3 * width);
  for (let y = 0; y < target.height; y++) {
    row.fill(0);
    const rowWeights = down.weights[y]!;
    for (let k = 0; k < rowWeights.length; k++) {
      const weight = rowWeights[k]!;
      const offset = (down.start[y]! + k) * width * 3;
      for (let i = 0; i < row.length; i++) row[i]! += weight * raster.data[offset + i]!;
    }
    for (let x = 0; x < target.width; x++) {
      const columnWeights = across.weights[x]!;
      let r = 0;
      let g = 0;
      let b = 0;
      for (let k = 0; k < columnWeights.length; k++) {
        const weight = columnWeights[k]!;
        const at = 3 * (across.start[x]! + k);
        r += weight * row[at]!;
        g += weight * row[at + 1]!;
        b += weight * row[at + 2]!;
      }
      const at = y * target.width + x;
      planes[0].data[at] = r;
      planes[1].data[at] = g;
      planes[2].data[at] = b;
    }
  }
  return planes;
}

/** Luma of gamma-encoded RGB (ITU-R BT.601), in the planes' own units. */
export function lumaOf([r, g, b]: readonly [Plane, Plane, Plane]): Plane {
  const grey = newPlane(r.width, r.height);
  for (let i = 0; i < grey.data.length; i++) {
    grey.data[i] = 0.299 * r.data[i]! + 0.587 * g.data[i]! + 0.114 * b.data[i]!;
  }
  return grey;
}

/** The plane at another size, area averaged. */
export function resizePlane(plane: Plane, target: Size): Plane {
  const across = axisWeights(plane.width, target.width);
  const down = axisWeights(plane.height, target.height);
  const out = newPlane(target.width, target.height);
  const row = new Float32Array(plane.width);
  for (let y = 0; y < target.height; y++) {
    row.fill(0);
    const rowWeights = down.weights[y]!;
    for (let k = 0; k < rowWeights.length; k++) {
      const offset = (down.start[y]! + k) * plane.width;
      for (let x = 0; x < plane.width; x++) row[x]! += rowWeights[k]! * plane.data[offset + x]!;
    }
    for (let x = 0; x < target.width; x++) {
      const columnWeights = across.weights[x]!;
      let sum = 0;
      for (let k = 0; k < columnWeights.length; k++) sum += columnWeights[k]! * row[across.start[x]! + k]!;
      out.data[y * target.width + x] = sum;
    }
  }
  return out;
}

/** Mean over a (2 radius + 1) square, clipped at the border. */
export function boxBlur(plane: Plane, radiusPx: number): Plane {
  const { width, height, data } = plane;
  const middle = new Float32Array(data.length);
  const out = newPlane(width, height);
  for (let y = 0; y < height; y++) blurLine(data, middle, y * width, 1, width, radiusPx);
  for (let x = 0; x < width; x++) blurLine(middle, out.data, x, width, height, radiusPx);
  return out;
}

function blurLine(
  from: Float32Array,
  to: Float32Array,
  start: number,
  step: number,
  count: number,
  radius: number,
): void {
  let sum = 0;
  let n = 0;
  for (let i = 0; i < Math.min(radius, count); i++) {
    sum += from[start + i * step]!;
    n++;
  }
  for (let i = 0; i < count; i++) {
    if (i + radius < count) {
      sum += from[start + (i + radius) * step]!;
      n++;
    }
    if (i - radius - 1 >= 0) {
      sum -= from[start + (i - radius - 1) * step]!;
      n--;
    }
    to[start + i * step] = sum / n;
  }
}

/** Close to a Gaussian: three box blurs. */
export function smooth(plane: Plane, radiusPx: number): Plane {
  return boxBlur(boxBlur(boxBlur(plane, radiusPx), radiusPx), radiusPx);
}

/** Scaled to 0..1 between its minimum and maximum; a flat plane becomes 0. */
export function normalise(plane: Plane): Plane {
  let low = Infinity;
  let high = -Infinity;
  for (const value of plane.data) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const out = newPlane(plane.width, plane.height);
  const range = high - low;
  if (!(range > 1e-6)) return out;
  for (let i = 0; i < out.data.length; i++) out.data[i] = (plane.data[i]! - low) / range;
  return out;
}

/** Summed-area table; `boxSum` reads the sum over any rectangle, fractions of pixels included. */
export interface Integral {
  readonly width: number;
  readonly height: number;
  readonly sums: Float64Array;
}

export function integralOf(plane: Plane): Integral {
  const { width, height, data } = plane;
  const stride = width + 1;
  const sums = new Float64Array(stride * (height + 1));
  for (let y = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++) {
      row += data[y * width + x]!;
      sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1]! + row;
    }
  }
  return { width, height, sums };
}

/** Sum up to the corner (x, y), both in fractions 0..1 of the sides. */
function cornerSum(integral: Integral, x: number, y: number): number {
  const stride = integral.width + 1;
  const px = Math.min(Math.max(x, 0), 1) * integral.width;
  const py = Math.min(Math.max(y, 0), 1) * integral.height;
  const x0 = Math.min(integral.width - 1, Math.floor(px));
  const y0 = Math.min(integral.height - 1, Math.floor(py));
  const fx = px - x0;
  const fy = py - y0;
  const at = y0 * stride + x0;
  const top = integral.sums[at]! * (1 - fx) + integral.sums[at + 1]! * fx;
  const bottom = integral.sums[at + stride]! * (1 - fx) + integral.sums[at + stride + 1]! * fx;
  return top * (1 - fy) + bottom * fy;
}

/** Sum over the rectangle given in fractions 0..1 of the sides; parts outside the plane count nothing. */
export function boxSum(integral: Integral, x1: number, y1: number, x2: number, y2: number): number {
  if (x2 <= x1 || y2 <= y1) return 0;
  return (
    cornerSum(integral, x2, y2) -
    cornerSum(integral, x1, y2) -
    cornerSum(integral, x2, y1) +
    cornerSum(integral, x1, y1)
  );
}
