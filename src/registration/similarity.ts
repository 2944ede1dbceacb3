import type { Box, Point } from '../base/geometry.js';

/**
 * Where positions in one photo are in another: turned and scaled alike both ways, and shifted. `[x, y]` of the one, from its
 * upper left corner in its pixels, is `[scaleCos x - scaleSin y + shiftX, scaleSin x + scaleCos y + shiftY]` of the other.
 */
export interface Similarity {
  readonly scaleCos: number;
  readonly scaleSin: number;
  readonly shiftX: number;
  readonly shiftY: number;
}

export const IDENTITY: Similarity = { scaleCos: 1, scaleSin: 0, shiftX: 0, shiftY: 0 };

export function movedPoint([x, y]: Point, { scaleCos, scaleSin, shiftX, shiftY }: Similarity): Point {
  return [scaleCos * x - scaleSin * y + shiftX, scaleSin * x + scaleCos * y + shiftY];
}

export function scaleOf({ scaleCos, scaleSin }: Similarity): number {
  return Math.hypot(scaleCos, scaleSin);
}

/** Clockwise as it is seen, in degrees. */
export function angleDegOf({ scaleCos, scaleSin }: Similarity): number {
  return (Math.atan2(scaleSin, scaleCos) * 180) / Math.PI;
}

/** The one that leads from the point to the other point, and turns and scales about it. */
export function aboutPoint([x, y]: Point, to: Point, scaleCos: number, scaleSin: number): Similarity {
  return {
    scaleCos,
    scaleSin,
    shiftX: to[0] - (scaleCos * x - scaleSin * y),
    shiftY: to[1] - (scaleSin * x + scaleCos * y),
  };
}

/** First the one, then the other. */
export function after(first: Similarity, second: Similarity): Similarity {
  const scaleCos = second.scaleCos * first.scaleCos - second.scaleSin * first.scaleSin;
  const scaleSin = second.scaleSin * first.scaleCos + second.scaleCos * first.scaleSin;
  const [shiftX, shiftY] = movedPoint([first.shiftX, first.shiftY], second);
  return { scaleCos, scaleSin, shiftX, shiftY };
}

export function inverse({ scaleCos, scaleSin, shiftX, shiftY }: Similarity): Similarity {
  const square = scaleCos ** 2 + scaleSin ** 2;
  const back = { scaleCos: scaleCos / square, scaleSin: -scaleSin / square };
  const [x, y] = movedPoint([-shiftX, -shiftY], { ...back, shiftX: 0, shiftY: 0 });
  return { ...back, shiftX: x, shiftY: y };
}

/** The box moved and scaled with its middle, and not turned: crops are upright. Its edges are no whole pixels. */
export function movedBox([x1, y1, x2, y2]: Box, similarity: Similarity): Box {
  const [x, y] = movedPoint([(x1 + x2) / 2, (y1 + y2) / 2], similarity);
  const scale = scaleOf(similarity);
  const [width, height] = [scale * (x2 - x1), scale * (y2 - y1)];
  return [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
}
