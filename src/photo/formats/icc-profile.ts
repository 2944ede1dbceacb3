import type { Cicp } from './types.js';

/** CIE xy of red, green, blue and white. */
export type Chromaticities = readonly [
  redX: number,
  redY: number,
  greenX: number,
  greenY: number,
  blueX: number,
  blueY: number,
  whiteX: number,
  whiteY: number,
];

/** What values of 0 to 1 mean: light, of 0 to 1, as a parametric curve of ICC.1 (10.18) or as even samples. */
type Curve = { readonly parameters: readonly number[] } | { readonly samples: readonly number[] };

export interface ColourSpace {
  readonly primaries: Chromaticities;
  readonly curve: Curve;
  /** Of HDR: written into the profile for readers that know more than 1.0 of light. */
  readonly cicp?: Cicp;
}

const D65 = [0.3127, 0.329] as const;
export const SRGB_PRIMARIES: Chromaticities = [0.64, 0.33, 0.3, 0.6, 0.15, 0.06, ...D65];

/** ITU-T H.273 table 2; 1 is BT.709 and sRGB, 2 unspecified. */
const PRIMARIES: Readonly<Record<number, Chromaticities>> = {
  1: SRGB_PRIMARIES,
  2: SRGB_PRIMARIES,
  4: [0.67, 0.33, 0.21, 0.71, 0.14, 0.08, 0.31, 0.316],
  5: [0.64, 0.33, 0.29, 0.6, 0.15, 0.06, ...D65],
  6: [0.63, 0.34, 0.31, 0.595, 0.155, 0.07, ...D65],
  7: [0.63, 0.34, 0.31, 0.595, 0.155, 0.07, ...D65],
  8: [0.681, 0.319, 0.243, 0.692, 0.145, 0.049, 0.31, 0.316],
  9: [0.708, 0.292, 0.17, 0.797, 0.131, 0.046, ...D65],
  11: [0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.314, 0.351],
  12: [0.68, 0.32, 0.265, 0.69, 0.15, 0.06, ...D65],
  22: [0.63, 0.34, 0.295, 0.605, 0.155, 0.077, ...D65],
};

/** IEC 61966-2-1. */
export const SRGB_CURVE: Curve = { parameters: [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045] };
/** 2 is unspecified; 1, 6, 14 and 15 are BT.709's camera curve, by which browsers show pictures as by sRGB's. */
const SRGB_LIKE = [1, 2, 6, 13, 14, 15];

const PQ = 16;
const HLG = 18;

function curveOf(transfer: number): Curve | undefined {
  if (SRGB_LIKE.includes(transfer)) return SRGB_CURVE;
  const gamma = { 4: 2.2, 5: 2.8, 8: 1, 17: 2.6 }[transfer];
  if (gamma !== undefined) return { parameters: [gamma] };
  if (transfer === PQ) return { samples: toneMapped(pqNits) };
  return transfer === HLG ? { samples: toneMapped(hlgNits) } : undefined;
}

/** Light above a photo's white, which a profile can only bend below it. */
export function isHdr({ transfer }: Cicp): boolean {
  return transfer === PQ || transfer === HLG;
}

/** Undefined for what is plain sRGB, and for code points that no picture has. */
export function colourSpaceOfCicp(cicp: Cicp): ColourSpace | undefined {
  if (PRIMARIES[cicp.primaries] === SRGB_PRIMARIES && curveOf(cicp.transfer) === SRGB_CURVE) return undefined;
  const primaries = PRIMARIES[cicp.primaries];
  const curve = curveOf(cicp.transfer);
  return primaries && curve && { primaries, curve, ...(isHdr(cicp) && { cicp }) };
}

/** A photo's white where screens show it as white: BT.2408. */
const WHITE_NITS = 203;
const PEAK_NITS = 1000;
const N_SAMPLES = 1024;

/** Light as a share of white, the highlights above it bent below 1 (extended Reinhard). */
function toneMapped(nits: (value: number) => number): number[] {
  const peak = PEAK_NITS / WHITE_NITS;
  return Array.from({ length: N_SAMPLES }, (_, i) => {
    const light = Math.min(peak, nits(i / (N_SAMPLES - 1)) / WHITE_NITS);
    return (light * (1 + light / peak ** 2)) / (1 + light);
  });
}

/** SMPTE ST 2084. */
function pqNits(value: number): number {
  const power = value ** (1 / 78.84375);
  return 10_000 * (Math.max(0, power - 0.8359375) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125);
}

/** ARIB STD-B67 on a display of 1000 nits, channel by channel. */
function hlgNits(value: number): number {
  const scene = value <= 0.5 ? value ** 2 / 3 : (Math.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12;
  return PEAK_NITS * scene ** 1.2;
}

/** A matrix profile (ICC.1:2022), of grey pixels or of RGB ones. Undefined where the primaries span no colours. */
export function iccProfile({ primaries, curve, cicp }: ColourSpace, isGrey: boolean): Uint8Array | undefined {
  const columns = adaptedColumns(primaries);
  if (!columns) return undefined;
  const tone = encodeCurve(curve);
  const tags: (readonly [string, Buffer])[] = [
    ['desc', encodeText('Colours of the photo')],
    ['cprt', encodeText('Public domain')],
    ['wtpt', encodeXyz(D50)],
    ...(isGrey
      ? [['kTRC', tone] as const]
      : [
          ...(['rXYZ', 'gXYZ', 'bXYZ'] as const).map((tag, i) => [tag, encodeXyz(columns[i]!)] as const),
          ...(['rTRC', 'gTRC', 'bTRC'] as const).map((tag) => [tag, tone] as const),
        ]),
    ...(cicp && !isGrey ? [['cicp', encodeCicp(cicp)] as const] : []),
  ];
  const bodies = [...new Set(tags.map(([, body]) => body))];
  const places = new Map<Buffer, number>();
  let at = 128 + 4 + 12 * tags.length;
  for (const body of bodies) {
    places.set(body, at);
    at += body.length;
  }
  const head = Buffer.alloc(128 + 4 + 12 * tags.length);
  head.writeUInt32BE(at, 0);
  head.writeUInt32BE(0x04400000, 8); // version 4.4
  head.write(isGrey ? 'mntrGRAYXYZ ' : 'mntrRGB XYZ ', 12, 'latin1');
  for (const [i, part] of [2024, 1, 1].entries()) head.writeUInt16BE(part, 24 + 2 * i);
  head.write('acsp', 36, 'latin1');
  for (const [i, value] of D50.entries()) head.writeInt32BE(fixed(value), 68 + 4 * i);
  head.writeUInt32BE(tags.length, 128);
  for (const [i, [tag, body]] of tags.entries()) {
    head.write(tag, 132 + 12 * i, 'latin1');
    head.writeUInt32BE(places.get(body)!, 136 + 12 * i);
    head.writeUInt32BE(body.length, 140 + 12 * i);
  }
  return Buffer.concat([head, ...bodies]);
}

type Triple = readonly [number, number, number];
type Matrix = readonly [Triple, Triple, Triple];

const D50: Triple = [0.9642, 1, 0.8249];
const BRADFORD: Matrix = [
  [0.8951, 0.2664, -0.1614],
  [-0.7502, 1.7135, 0.0367],
  [0.0389, -0.0685, 1.0296],
];

/** XYZ of the three primaries at full light under D50. */
function adaptedColumns(primaries: Chromaticities): Matrix | undefined {
  const [rx, ry, gx, gy, bx, by, wx, wy] = primaries;
  const xyz = (x: number, y: number): Triple => [x / y, 1, (1 - x - y) / y];
  const white = xyz(wx, wy);
  const red = xyz(rx, ry);
  const green = xyz(gx, gy);
  const blue = xyz(bx, by);
  const unscaled = transposed([red, green, blue]);
  const inverse = inverted(unscaled);
  const toCones = inverted(BRADFORD);
  if (!inverse || !toCones) return undefined;
  const scale = applied(inverse, white);
  const from = applied(BRADFORD, white);
  const to = applied(BRADFORD, D50);
  const adapt = ([x, y, z]: Triple): Triple => {
    const cones = applied(BRADFORD, [x, y, z]);
    return applied(toCones, [(cones[0] * to[0]) / from[0], (cones[1] * to[1]) / from[1], (cones[2] * to[2]) / from[2]]);
  };
  const columns = [red, green, blue].map(([x, y, z], i) => adapt([x * scale[i]!, y * scale[i]!, z * scale[i]!]));
  const isSound = columns.flat().every((value) => Number.isFinite(value) && Math.abs(value) < 16);
  return isSound ? (columns as unknown as Matrix) : undefined;
}

function applied(matrix: Matrix, [x, y, z]: Triple): Triple {
  const [first, second, third] = matrix.map(([a, b, c]) => a * x + b * y + c * z);
  return [first!, second!, third!];
}

function transposed([a, b, c]: Matrix): Matrix {
  return [
    [a[0], b[0], c[0]],
    [a[1], b[1], c[1]],
    [a[2], b[2], c[2]],
  ];
}

function inverted([[a, b, c], [d, e, f], [g, h, i]]: Matrix): Matrix | undefined {
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  if (!Number.isFinite(determinant) || Math.abs(determinant) < 1e-9) return undefined;
  const divide = (value: number): number => value / determinant;
  return [
    [divide(e * i - f * h), divide(c * h - b * i), divide(b * f - c * e)],
    [divide(f * g - d * i), divide(a * i - c * g), divide(c * d - a * f)],
    [divide(d * h - e * g), divide(b * g - a * h), divide(a * e - b * d)],
  ];
}

/** s15Fixed16Number. */
function fixed(value: number): number {
  return Math.round(value * 65_536);
}

function encodeXyz(values: Triple): Buffer {
  const body = Buffer.alloc(20);
  body.write('XYZ ', 'latin1');
  for (const [i, value] of values.entries()) body.writeInt32BE(fixed(value), 8 + 4 * i);
  return body;
}

function encodeCurve(curve: Curve): Buffer {
  if ('samples' in curve) {
    const body = Buffer.alloc(12 + 2 * curve.samples.length);
    body.write('curv', 'latin1');
    body.writeUInt32BE(curve.samples.length, 8);
    for (const [i, sample] of curve.samples.entries()) body.writeUInt16BE(Math.round(sample * 65_535), 12 + 2 * i);
    return body;
  }
  const body = Buffer.alloc(12 + 4 * curve.parameters.length);
  body.write('para', 'latin1');
  // Function type 0 has the exponent alone, type 3 five parameters.
  body.writeUInt16BE(curve.parameters.length === 1 ? 0 : 3, 8);
  for (const [i, parameter] of curve.parameters.entries()) body.writeInt32BE(fixed(parameter), 12 + 4 * i);
  return body;
}

/** multiLocalizedUnicodeType with one text, padded to four bytes. */
function encodeText(text: string): Buffer {
  const body = Buffer.alloc(28 + 4 * Math.ceil(text.length / 2));
  body.write('mluc', 'latin1');
  body.writeUInt32BE(1, 8);
  body.writeUInt32BE(12, 12);
  body.write('enUS', 16, 'latin1');
  body.writeUInt32BE(2 * text.length, 20);
  body.writeUInt32BE(28, 24);
  for (let i = 0; i < text.length; i++) body.writeUInt16BE(text.charCodeAt(i), 28 + 2 * i);
  return body;
}

function encodeCicp({ primaries, transfer }: Cicp): Buffer {
  return Buffer.concat([Buffer.from('cicp\0\0\0\0', 'latin1'), Buffer.from([primaries, transfer, 0, 1])]);
}
