import type { AffineOptions, Region, Sharp } from 'sharp';
import { radians, type Turn } from './turn.js';

/** What sharp is told for a turn, and where in what comes of it the straight photo lies. */
export interface TurnedPixels {
  readonly matrix: [number, number, number, number];
  readonly options: AffineOptions;
  readonly region: Region;
}

/**
 * libvips counts pixel centres as whole numbers, turns about the upper left one, and gives the turned picture whole: from
 * its leftmost and uppermost corner, rounded (transform.c, vips__transform_set_area). By less than a pixel the picture is
 * moved for the pixels of the straight photo, whose middle is that of the photo, to fall on those of the output.
 */
export function turnedPixels({ angleDeg, upright, straight }: Turn): TurnedPixels {
  const [cos, sin] = [Math.cos(radians(angleDeg)), Math.sin(radians(angleDeg))];
  const { width, height } = upright;
  const along = (ofWidth: number, ofHeight: number, side: number): { at: number; shift: number } => {
    const corner = roundedAway(Math.min(0, ofWidth * width, ofHeight * height, ofWidth * width + ofHeight * height));
    const middle = ofWidth * (width / 2 - 0.5) + ofHeight * (height / 2 - 0.5) - corner;
    const start = middle - side / 2 + 0.5;
    const at = Math.round(start);
    return { at, shift: at - start };
  };
  const x = along(cos, -sin, straight.width);
  const y = along(sin, cos, straight.height);
  return {
    matrix: [cos, -sin, sin, cos],
    options: { interpolator: 'bicubic', background: BACKGROUND, odx: x.shift, ody: y.shift },
    region: { left: x.at, top: y.at, ...straight },
  };
}

/** Outside the turned photo; none of it is in the straight photo. */
const BACKGROUND = '#000000';

/** As C rounds: halves away from zero. */
function roundedAway(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value));
}

/** An upright picture turned; the straight photo lies at `region` of it. */
export function affine(pipeline: Sharp, { matrix, options }: TurnedPixels): Sharp {
  return pipeline.affine(matrix, options);
}
