import { defined } from '../base/defined.js';
import type { CropRect, CropResult } from '../base/schema.js';
import type { EncodeCropOptions } from '../photo/crop-file.js';
import { reducedAspect } from './aspect.js';
import { canvasOf } from './canvas.js';
import { parseTargets } from './target.js';

/**
 * How the picture of a result is made of its photo: what is cut out, and the size or canvas it is brought to.
 *
 * @param crop of its candidates another one than the best
 */
export function pictureOf(
  { target, photo, crop: best }: CropResult,
  crop: CropRect = best,
): Pick<EncodeCropOptions, 'crop' | 'resize' | 'canvas'> {
  const { size, fit, background, enlarge } = target;
  const resize = size && { width: size.widthPx, height: size.heightPx };
  const asked = resize
    ? { size: resize, aspect: reducedAspect(resize.width, resize.height) }
    : parseTargets(target.aspect === undefined ? [] : [target.aspect], [])[0]!;
  const wishes = defined({ fit, background, enlarge });
  const canvas = canvasOf(crop, asked, wishes, { width: photo.widthPx, height: photo.heightPx });
  return canvas ? { crop, canvas } : { crop, ...defined({ resize }) };
}
