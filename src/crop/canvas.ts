import { defined } from '../base/defined.js';
import type { Aspect, Size } from '../base/geometry.js';
import type { CropRect, Fit } from '../base/schema.js';
import type { Canvas } from '../photo/canvas.js';
import { isOfAspect } from './crop-rectangle.js';
import { reducedAspect } from './aspect.js';
import type { Target } from './target.js';

/** How crops are brought to a ratio or size. */
export interface FitWishes {
  /**
   * `crop` (default): a crop has the ratio asked for, or there is none; one smaller than the size asked for is enlarged.
   * `pad`, `blur`: where no crop of the ratio holds what is to be kept, and where one is smaller than the size, it is put on a
   * canvas of exactly that ratio or size, filled with `background` or with the crop itself, blurred.
   */
  readonly fit?: Fit;
  /** Colour of the canvas of `pad`, as `#rrggbb`. Default white. */
  readonly background?: string;
  /** Enlarge what is put on a canvas of a size until it meets two of its sides. Default false: its pixels stay as they are. */
  readonly enlarge?: boolean;
}

/** Ratios in larger terms have a canvas that is right to half a pixel; an exact one may be thousands of pixels larger. */
const PLAIN_TERM = 64;

/**
 * The canvas a crop is put on, with where it lies there; undefined where it fills the target by itself.
 *
 * @param photo the crop's, which says which sizes have the ratio as nearly as crops of it can
 */
export function canvasOf(
  crop: CropRect,
  { aspect, size }: Target,
  { fit = 'crop', background, enlarge = false }: FitWishes,
  photo: Size,
): Canvas | undefined {
  if (fit === 'crop' || !aspect) return undefined;
  const hasRatio = isOfAspect(crop, aspect, photo);
  if (!size && hasRatio) return undefined;
  const { width, height } = size ?? smallestAround(crop, aspect);
  const fitting = Math.min(width / crop.width, height / crop.height);
  if (hasRatio && (fitting <= 1 || enlarge)) return undefined;
  const scale = enlarge && size ? fitting : Math.min(1, fitting);
  const at = {
    width: Math.min(width, Math.max(1, Math.round(crop.width * scale))),
    height: Math.min(height, Math.max(1, Math.round(crop.height * scale))),
  };
  return {
    ...{ width, height },
    at: { x: Math.floor((width - at.width) / 2), y: Math.floor((height - at.height) / 2), ...at },
    fill: fit,
    ...defined({ background: fit === 'pad' ? background : undefined }),
  };
}

/** Of the ratio, with room for all of the crop's pixels. */
function smallestAround({ width, height }: Size, asked: Aspect): Size {
  const aspect = reducedAspect(asked.width, asked.height);
  if (Math.max(aspect.width, aspect.height) <= PLAIN_TERM) {
    const steps = Math.ceil(Math.max(width / aspect.width, height / aspect.height));
    return { width: steps * aspect.width, height: steps * aspect.height };
  }
  return width * aspect.height > height * aspect.width
    ? { width, height: Math.max(height, Math.round((width * aspect.height) / aspect.width)) }
    : { width: Math.max(width, Math.round((height * aspect.width) / aspect.height)), height };
}
