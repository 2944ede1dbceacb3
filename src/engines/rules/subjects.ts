import type { UnitBox } from './grid.js';
import { newPlane, type Plane } from './plane.js';

export interface Subject {
  readonly box: UnitBox;
  /** 0..1: how far it stands out, its share of the photo's saliency and how little it touches the border. */
  readonly subjectScore: number;
}

/** Otsu's threshold of a plane of 0..1. */
export function otsuThreshold(plane: Plane): number {
  const bins = 64;
  const histogram = new Float64Array(bins);
  for (const value of plane.data) histogram[Math.min(bins - 1, Math.floor(value * bins))]! += 1;
  const total = plane.data.length;
  let sum = 0;
  for (let i = 0; i < bins; i++) sum += i * histogram[i]!;
  let below = 0;
  let sumBelow = 0;
  let best = 0;
  let threshold = 0.5;
  for (let i = 0; i < bins - 1; i++) {
    below += histogram[i]!;
    sumBelow += i * histogram[i]!;
    if (below === 0 || below === total) continue;
    const difference = sumBelow / below - (sum - sumBelow) / (total - below);
    const between = below * (total - below) * difference * difference;
    if (between > best) {
      best = between;
      threshold = (i + 1) / bins;
    }
  }
  return threshold;
}

interface Component {
  mass: number;
  nPixels: number;
  nBorder: number;
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

function components(mask: Uint8Array, plane: Plane): Component[] {
  const { width, height } = plane;
  const seen = new Uint8Array(mask.length);
  const found: Component[] = [];
  for (let seed = 0; seed < mask.length; seed++) {
    if (!mask[seed] || seen[seed]) continue;
    const part: Component = { mass: 0, nPixels: 0, nBorder: 0, x1: width, y1: height, x2: 0, y2: 0 };
    const stack = [seed];
    seen[seed] = 1;
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const x = at % width;
      const y = (at - x) / width;
      part.mass += plane.data[at]!;
      part.nPixels++;
      if (x === 0 || y === 0 || x === width - 1 || y === height - 1) part.nBorder++;
      part.x1 = Math.min(part.x1, x);
      part.y1 = Math.min(part.y1, y);
      part.x2 = Math.max(part.x2, x + 1);
      part.y2 = Math.max(part.y2, y + 1);
      for (const [nx, ny] of [
        [x - 1, y],
        [x + 1, y],
        [x, y - 1],
        [x, y + 1],
      ] as const) {
        if (nx < 0 || ny < 0 || nx >= width || ny >= height) continue;
        const n = ny * width + nx;
        if (mask[n] && !seen[n]) {
          seen[n] = 1;
          stack.push(n);
        }
      }
    }
    found.push(part);
  }
  return found;
}

/** Subjects from the connected parts of the saliency map over its Otsu threshold, best first, at most `limit`. */
export function findSubjects(saliency: Plane, limit: number): Subject[] {
  const threshold = otsuThreshold(saliency);
  const mask = new Uint8Array(saliency.data.length);
  let inMass = 0;
  let outMass = 0;
  let nIn = 0;
  for (let i = 0; i < mask.length; i++) {
    if (saliency.data[i]! >= threshold && threshold > 0) {
      mask[i] = 1;
      inMass += saliency.data[i]!;
      nIn++;
    } else outMass += saliency.data[i]!;
  }
  if (nIn === 0 || nIn === mask.length) return [];
  const contrast = Math.min(1, inMass / nIn - outMass / (mask.length - nIn));
  const subjects: Subject[] = [];
  for (const part of components(mask, saliency)) {
    if (part.nPixels < 0.004 * mask.length) continue;
    const border = part.nBorder / (2 * Math.sqrt(part.nPixels));
    const share = part.mass / inMass;
    const box: UnitBox = [
      part.x1 / saliency.width,
      part.y1 / saliency.height,
      part.x2 / saliency.width,
      part.y2 / saliency.height,
    ];
    subjects.push({ box, subjectScore: contrast * share * Math.exp(-border) });
  }
  return subjects.sort((a, b) => b.subjectScore - a.subjectScore).slice(0, limit);
}

/** The mask as a plane, for labels. */
export function subjectMask(saliency: Plane): Plane {
  const threshold = otsuThreshold(saliency);
  const out = newPlane(saliency.width, saliency.height);
  for (let i = 0; i < out.data.length; i++) out.data[i] = saliency.data[i]! >= threshold && threshold > 0 ? 1 : 0;
  return out;
}
