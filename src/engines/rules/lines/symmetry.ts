import type { LabPlanes } from '../maps/colour.js';
import { resizePlane, type Plane } from '../maps/plane.js';

export interface MirrorAxis {
  /** `vertical`: left and right halves mirror each other; `horizontal`: top and bottom. */
  readonly direction: 'vertical' | 'horizontal';
  /** Where the axis crosses, 0..1 of the width (vertical) or height (horizontal). */
  readonly at: number;
  /** Correlation of the two halves, -1..1. */
  readonly correlation: number;
}

const SIZE_PX = 48;

/**
 * The best mirror axis of each direction near the middle: Pearson correlation of detail (lightness less its local mean)
 * and of colour between each half and the other's mirror image.
 */
export function mirrorAxes(lab: LabPlanes): { vertical: MirrorAxis; horizontal: MirrorAxis } {
  const planes = [lab.l, lab.a, lab.b].map((plane) => resizePlane(plane, { width: SIZE_PX, height: SIZE_PX }));
  return { vertical: bestAxis(planes, 'vertical'), horizontal: bestAxis(planes, 'horizontal') };
}

function bestAxis(planes: readonly Plane[], direction: MirrorAxis['direction']): MirrorAxis {
  let best: MirrorAxis = { direction, at: 0.5, correlation: -1 };
  // The axis lies between or on pixels: `twice` is twice its coordinate. Nearest the middle first, so that ties stay there.
  for (let offset = 0; offset <= SIZE_PX * 0.3; offset++) {
    for (const twice of offset === 0 ? [SIZE_PX] : [SIZE_PX - offset, SIZE_PX + offset]) {
      const correlation = halvesCorrelation(planes, direction, twice);
      if (correlation > best.correlation + 1e-3) best = { direction, at: twice / (2 * SIZE_PX), correlation };
    }
  }
  return best;
}

function halvesCorrelation(planes: readonly Plane[], direction: MirrorAxis['direction'], twice: number): number {
  let product = 0;
  let square = 0;
  for (const plane of planes) {
    const low = Math.max(0, twice - SIZE_PX);
    const high = Math.min(SIZE_PX, twice);
    const at = (along: number, across: number): number =>
      direction === 'vertical' ? plane.data[across * SIZE_PX + along]! : plane.data[along * SIZE_PX + across]!;
    for (let across = 0; across < SIZE_PX; across++) {
      // What does not change along the row (sky over land) is symmetric about anything: take it out.
      let rowMean = 0;
      for (let along = low; along < high; along++) rowMean += at(along, across);
      rowMean /= high - low;
      for (let along = low; along < high; along++) {
        const a = at(along, across) - rowMean;
        const b = at(twice - 1 - along, across) - rowMean;
        product += a * b;
        square += a * a;
      }
    }
  }
  // 4 grey levels of noise: flat photos are not symmetric, they are empty.
  const noise = 4 * SIZE_PX * SIZE_PX;
  return product / (square + noise);
}
