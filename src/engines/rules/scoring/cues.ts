import { barrierDistance } from '../maps/barrier.js';
import type { LabPlanes } from '../maps/colour.js';
import { boxBlur, newPlane, normalise, resizePlane, smooth, type Plane } from '../maps/plane.js';

const SIDES = ['left', 'top', 'right', 'bottom'] as const;
const NO_SEEDS = { left: false, top: false, right: false, bottom: false };

function sumOf(planes: readonly Plane[]): Plane {
  const first = planes[0]!;
  const out = newPlane(first.width, first.height);
  for (const plane of planes) {
    for (let i = 0; i < out.data.length; i++) out.data[i]! += plane.data[i]!;
  }
  return out;
}

/** Barrier distance to the whole border, summed over L, a, b: what no smooth path joins to the border. */
export function barrierCue(lab: LabPlanes): Plane {
  const all = { left: true, top: true, right: true, bottom: true };
  return normalise(sumOf([lab.l, lab.a, lab.b].map((plane) => barrierDistance(boxBlur(plane, 1), all))));
}

/** Barrier distances to single sides: what a side's own surroundings (sky, ground) do not run into. */
export interface SideBarriers {
  /** The sum over the sides without the least: a subject that touches one side keeps its distance to the others. */
  readonly open: Plane;
  readonly top: Plane;
  readonly bottom: Plane;
}

export function sideBarrierCues(lab: LabPlanes): SideBarriers {
  const planes = [lab.l, lab.a, lab.b].map((plane) => boxBlur(plane, 1));
  const bySide = SIDES.map((side) =>
    sumOf(planes.map((plane) => barrierDistance(plane, { ...NO_SEEDS, [side]: true }))),
  );
  const out = newPlane(lab.l.width, lab.l.height);
  for (let i = 0; i < out.data.length; i++) {
    const [a, b, c, d] = bySide.map((plane) => plane.data[i]!) as [number, number, number, number];
    out.data[i] = a + b + c + d - Math.min(a, b, c, d);
  }
  return { open: normalise(out), top: normalise(bySide[1]!), bottom: normalise(bySide[3]!) };
}

/** Lightness and colourfulness as shares of their usual range. */
export function toneCues(lab: LabPlanes): { lightness: Plane; chroma: Plane } {
  const lightness = newPlane(lab.l.width, lab.l.height);
  const chroma = newPlane(lab.l.width, lab.l.height);
  for (let i = 0; i < lightness.data.length; i++) {
    lightness.data[i] = lab.l.data[i]! / 100;
    chroma.data[i] = Math.hypot(lab.a.data[i]!, lab.b.data[i]!) / 100;
  }
  return { lightness, chroma };
}

/** Mean and inverse covariance of the Lab colours of some pixels. */
function colourModel(lab: LabPlanes, pixels: readonly number[]): { mean: number[]; inverse: number[] } {
  const channels = [lab.l.data, lab.a.data, lab.b.data];
  const n = pixels.length;
  const mean = channels.map((channel) => pixels.reduce((sum, at) => sum + channel[at]!, 0) / n);
  const covariance = [0, 0, 0, 0, 0, 0]; // ll la lb aa ab bb
  for (const at of pixels) {
    const dl = channels[0]![at]! - mean[0]!;
    const da = channels[1]![at]! - mean[1]!;
    const db = channels[2]![at]! - mean[2]!;
    covariance[0]! += dl * dl;
    covariance[1]! += dl * da;
    covariance[2]! += dl * db;
    covariance[3]! += da * da;
    covariance[4]! += da * db;
    covariance[5]! += db * db;
  }
  // Noise of a good sensor: keeps the inverse finite on flat borders.
  const floor = 9;
  const [ll, la, lb, aa, ab, bb] = covariance.map((value, i) => value / n + ([0, 3, 5].includes(i) ? floor : 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const c0 = aa * bb - ab * ab;
  const c1 = lb * ab - la * bb;
  const c2 = la * ab - lb * aa;
  const det = ll * c0 + la * c1 + lb * c2;
  return {
    mean,
    inverse: [
      c0 / det,
      c1 / det,
      c2 / det,
      (ll * bb - lb * lb) / det,
      (la * lb - ll * ab) / det,
      (ll * aa - la * la) / det,
    ],
  };
}

/**
 * Mahalanobis distance to the colours of each side's band, summed without the largest (the side a subject may cover);
 * the backgroundness cue of the minimum barrier paper, turned around.
 */
export function borderContrastCue(lab: LabPlanes): Plane {
  const { width, height } = lab.l;
  const band = Math.max(2, Math.round(0.08 * Math.min(width, height)));
  const pixels: number[][] = [[], [], [], []];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      if (x < band) pixels[0]!.push(at);
      if (y < band) pixels[1]!.push(at);
      if (x >= width - band) pixels[2]!.push(at);
      if (y >= height - band) pixels[3]!.push(at);
    }
  }
  const models = pixels.map((list) => colourModel(lab, list));
  const out = newPlane(width, height);
  for (let i = 0; i < out.data.length; i++) {
    let sum = 0;
    let largest = 0;
    for (const { mean, inverse } of models) {
      const dl = lab.l.data[i]! - mean[0]!;
      const da = lab.a.data[i]! - mean[1]!;
      const db = lab.b.data[i]! - mean[2]!;
      const squared =
        inverse[0]! * dl * dl +
        inverse[3]! * da * da +
        inverse[5]! * db * db +
        2 * (inverse[1]! * dl * da + inverse[2]! * dl * db + inverse[4]! * da * db);
      const distance = Math.min(12, Math.sqrt(Math.max(0, squared)));
      sum += distance;
      if (distance > largest) largest = distance;
    }
    out.data[i] = sum - largest;
  }
  return normalise(boxBlur(out, 1));
}

/** Distance of the blurred colour to the photo's mean colour (Achanta et al., frequency-tuned, CVPR 2009). */
export function frequencyTunedCue(lab: LabPlanes): Plane {
  const planes = [lab.l, lab.a, lab.b].map((plane) => boxBlur(plane, 1));
  const means = planes.map((plane) => plane.data.reduce((sum, value) => sum + value, 0) / plane.data.length);
  const out = newPlane(lab.l.width, lab.l.height);
  for (let i = 0; i < out.data.length; i++) {
    out.data[i] = Math.hypot(
      planes[0]!.data[i]! - means[0]!,
      planes[1]!.data[i]! - means[1]!,
      planes[2]!.data[i]! - means[2]!,
    );
  }
  return normalise(out);
}

/** Centre-surround difference in Lab at three scales: blobs that stand out from their neighbourhood. */
export function centreSurroundCue(lab: LabPlanes): Plane {
  const short = Math.min(lab.l.width, lab.l.height);
  const out = newPlane(lab.l.width, lab.l.height);
  for (const share of [0.03, 0.07, 0.14]) {
    const radius = Math.max(1, Math.round(share * short));
    for (const plane of [lab.l, lab.a, lab.b]) {
      const near = boxBlur(plane, radius);
      const far = boxBlur(plane, 3 * radius);
      for (let i = 0; i < out.data.length; i++) out.data[i]! += Math.abs(near.data[i]! - far.data[i]!);
    }
  }
  return normalise(out);
}

/** Rarity of the colour, -log of its frequency in a coarse smoothed Lab histogram. */
export function rarityCue(lab: LabPlanes): Plane {
  const bins = 12;
  const index = (value: number, low: number, range: number): number =>
    Math.min(bins - 1, Math.max(0, Math.floor(((value - low) / range) * bins)));
  const histogram = new Float32Array(bins ** 3);
  const n = lab.l.data.length;
  const at = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    at[i] =
      (index(lab.l.data[i]!, 0, 101) * bins + index(lab.a.data[i]!, -60, 120)) * bins + index(lab.b.data[i]!, -60, 120);
    histogram[at[i]!]! += 1 / n;
  }
  const out = newPlane(lab.l.width, lab.l.height);
  for (let i = 0; i < n; i++) out.data[i] = -Math.log(histogram[at[i]!]! + 1e-4);
  return normalise(boxBlur(out, 2));
}

/** Orthonormal DCT-II matrix, row major: row k holds the k-th cosine. */
function cosineMatrix(n: number): Float32Array {
  const matrix = new Float32Array(n * n);
  for (let k = 0; k < n; k++) {
    const scale = Math.sqrt((k === 0 ? 1 : 2) / n);
    for (let i = 0; i < n; i++) matrix[k * n + i] = scale * Math.cos((Math.PI * k * (2 * i + 1)) / (2 * n));
  }
  return matrix;
}

function transpose(matrix: Float32Array, n: number): Float32Array {
  const out = new Float32Array(n * n);
  for (let y = 0; y < n; y++) for (let x = 0; x < n; x++) out[x * n + y] = matrix[y * n + x]!;
  return out;
}

/** `a · b` of square matrices. */
function multiply(a: Float32Array, b: Float32Array, n: number): Float32Array {
  const out = new Float32Array(n * n);
  for (let y = 0; y < n; y++) {
    for (let k = 0; k < n; k++) {
      const weight = a[y * n + k]!;
      for (let x = 0; x < n; x++) out[y * n + x]! += weight * b[k * n + x]!;
    }
  }
  return out;
}

/** Image signature (Hou, Harel, Koch, PAMI 2012): the squared inverse DCT of the DCT's signs, Lab channels summed. */
export function signatureCue(lab: LabPlanes): Plane {
  const n = 48;
  const matrix = cosineMatrix(n);
  const back = transpose(matrix, n);
  const sum = newPlane(n, n);
  for (const plane of [lab.l, lab.a, lab.b]) {
    const small = resizePlane(plane, { width: n, height: n });
    const spectrum = multiply(multiply(matrix, small.data, n), back, n);
    // Rounded first: what is zero but for rounding errors has no sign.
    const signs = spectrum.map((value) => Math.sign(Math.round(value * 1e3)));
    const signature = multiply(multiply(back, signs, n), matrix, n);
    for (let i = 0; i < signature.length; i++) sum.data[i]! += signature[i]! * signature[i]!;
  }
  return normalise(resizePlane(smooth(sum, 2), { width: lab.l.width, height: lab.l.height }));
}

/**
 * Sharpness: fine detail (difference to a one-pixel blur) of the detailed grey plane, its mean over the neighbourhood,
 * at the map's size. Highest where the photo is in focus and textured.
 */
export function focusCue(detailGrey: Plane, width: number, height: number): Plane {
  const blurred = boxBlur(detailGrey, 1);
  const fine = newPlane(detailGrey.width, detailGrey.height);
  for (let i = 0; i < fine.data.length; i++) fine.data[i] = Math.abs(detailGrey.data[i]! - blurred.data[i]!);
  const small = resizePlane(fine, { width, height });
  const pooled = smooth(small, 2);
  // Compress: one glint must not outweigh the rest.
  for (let i = 0; i < pooled.data.length; i++) pooled.data[i] = Math.sqrt(pooled.data[i]!);
  return normalise(pooled);
}
