import type { Size } from '../../../base/geometry.js';
import type { Raster } from '../../types.js';
import { skinLikelihood, toLab, type LabPlanes } from './colour.js';
import * as cues from '../scoring/cues.js';
import { gradientOf, type Gradient } from './gradient.js';
import { lumaOf, newPlane, normalise, resizePlane, resizeRgb, workingSize, type Plane } from './plane.js';

/** Long side of the saliency maps. */
export const MAP_LONG_SIDE_PX = 96;
/** Long side of the plane lines are looked for in. */
export const DETAIL_LONG_SIDE_PX = 256;

/** Names of the saliency cues, in the order their weights are stored. */
export const CUE_NAMES = [
  'barrier',
  'openBarrier',
  'borderContrast',
  'frequencyTuned',
  'centreSurround',
  'rarity',
  'signature',
  'focus',
  'skin',
  'edges',
  'topBarrier',
  'bottomBarrier',
  'lightness',
  'chroma',
] as const;
export type CueName = (typeof CUE_NAMES)[number];

/** Spread of the centre prior of the combined saliency, in shares of a side. */
const CENTRE_SIGMA = 0.4;

/** Everything measured on the pixels once; scoring a box reads only from here. */
export interface PhotoMaps {
  readonly size: Size;
  readonly lab: LabPlanes;
  readonly cues: Readonly<Record<CueName, Plane>>;
  readonly saliency: Plane;
  /** Grey at the detail size, 0..255, and its gradient. */
  readonly detail: Plane;
  readonly gradient: Gradient;
}

/** The photo at the detail size: its colours and its grey, 0..255. */
function detailOf(raster: Raster): { readonly rgb: readonly [Plane, Plane, Plane]; readonly grey: Plane } {
  const size = workingSize(raster.size, DETAIL_LONG_SIDE_PX, 24);
  const rgb = resizeRgb(raster, size);
  return { rgb, grey: lumaOf(rgb) };
}

/** The gradient of `measurePhoto` alone. */
export function detailGradient(raster: Raster): Gradient {
  return gradientOf(detailOf(raster).grey);
}

export function measurePhoto(raster: Raster): PhotoMaps {
  const mapSize = workingSize(raster.size, MAP_LONG_SIDE_PX);
  const { rgb: detailRgb, grey: detail } = detailOf(raster);
  const rgb = detailRgb.map((plane) => resizePlane(plane, mapSize)) as unknown as [Plane, Plane, Plane];
  const lab = toLab(rgb);
  const gradient = gradientOf(detail);
  const sides = cues.sideBarrierCues(lab);
  const byCue: Record<CueName, Plane> = {
    barrier: cues.barrierCue(lab),
    openBarrier: sides.open,
    borderContrast: cues.borderContrastCue(lab),
    frequencyTuned: cues.frequencyTunedCue(lab),
    centreSurround: cues.centreSurroundCue(lab),
    rarity: cues.rarityCue(lab),
    signature: cues.signatureCue(lab),
    focus: cues.focusCue(detail, mapSize.width, mapSize.height),
    skin: skinLikelihood(rgb),
    topBarrier: sides.top,
    bottomBarrier: sides.bottom,
    ...cues.toneCues(lab),
    edges: normalise(resizePlane(compress(gradient.magnitude), mapSize)),
  };
  return { size: raster.size, lab, cues: byCue, saliency: combine(byCue), detail, gradient };
}

function compress(plane: Plane): Plane {
  const out = newPlane(plane.width, plane.height);
  for (let i = 0; i < out.data.length; i++) out.data[i] = Math.sqrt(plane.data[i]!);
  return out;
}

function combine(byCue: Record<CueName, Plane>): Plane {
  const out = newPlane(byCue.barrier.width, byCue.barrier.height);
  const used: CueName[] = ['barrier', 'openBarrier', 'borderContrast', 'centreSurround', 'signature', 'focus'];
  for (const name of used) {
    const { data } = byCue[name];
    for (let i = 0; i < data.length; i++) out.data[i]! += data[i]!;
  }
  const across = nearCentre(out.width);
  const down = nearCentre(out.height);
  for (let y = 0; y < out.height; y++) {
    for (let x = 0; x < out.width; x++) out.data[y * out.width + x]! *= across[x]! * down[y]!;
  }
  return normalise(out);
}

/** Gaussian around the middle of a side. */
function nearCentre(n: number): Float32Array {
  return Float32Array.from({ length: n }, (_, i) => Math.exp(-(((i + 0.5) / n - 0.5) ** 2) / (2 * CENTRE_SIGMA ** 2)));
}
