import { newPlane, type Plane } from './plane.js';

/** CIE L*a*b* (D65) planes; L 0..100, a and b about -100..100. */
export interface LabPlanes {
  readonly l: Plane;
  readonly a: Plane;
  readonly b: Plane;
}

const LINEAR = Float32Array.from({ length: 1024 }, (_, i) => {
  const value = i / 1023;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});

function curve(t: number): number {
  return t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116;
}

/** From R, G, B planes of 0..255. */
export function toLab(rgb: readonly [Plane, Plane, Plane]): LabPlanes {
  const { width, height } = rgb[0];
  const lab = { l: newPlane(width, height), a: newPlane(width, height), b: newPlane(width, height) };
  const step = 1023 / 255;
  for (let i = 0; i < width * height; i++) {
    const r = LINEAR[Math.round(rgb[0].data[i]! * step)]!;
    const g = LINEAR[Math.round(rgb[1].data[i]! * step)]!;
    const b = LINEAR[Math.round(rgb[2].data[i]! * step)]!;
    const x = curve((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
    const y = curve(0.2126 * r + 0.7152 * g + 0.0722 * b);
    const z = curve((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
    lab.l.data[i] = 116 * y - 16;
    lab.a.data[i] = 500 * (x - y);
    lab.b.data[i] = 200 * (y - z);
  }
  return lab;
}

/**
 * How likely a pixel is skin, 0..1: a Gaussian in (Cb, Cr) around the mean of human skin (Hsu et al. 2002, the ellipse's
 * centre and spread), dark pixels left out.
 */
export function skinLikelihood(rgb: readonly [Plane, Plane, Plane]): Plane {
  const { width, height } = rgb[0];
  const out = newPlane(width, height);
  for (let i = 0; i < width * height; i++) {
    const r = rgb[0].data[i]!;
    const g = rgb[1].data[i]!;
    const b = rgb[2].data[i]!;
    const luma = 0.299 * r + 0.587 * g + 0.114 * b;
    if (luma < 40 || r <= g || g < b * 0.8) continue;
    const cb = 128 + 0.564 * (b - luma);
    const cr = 128 + 0.713 * (r - luma);
    const dCb = (cb - 109) / 12;
    const dCr = (cr - 152) / 9;
    out.data[i] = Math.exp(-0.5 * (dCb * dCb + dCr * dCr)) * Math.min(1, (luma - 40) / 40);
  }
  return out;
}
