import type { Size } from '../../base/geometry.js';
import { drawOnFrame } from '../../photo/overlay/overlay.js';
import type { ModelUse } from '../../model/manifest.js';
import type { Element } from '../../base/schema.js';

/**
 * Eq. (2), V(I, T_comp): the elements drawn on the model frame. RGB in, RGB of the same size out.
 * @param space that the elements' coordinates lie in; default the frame's pixels
 */
export function enhance(
  photo: { readonly frame: Size; readonly rgb: Uint8Array },
  elements: readonly Element[],
  { overlay }: Pick<ModelUse, 'overlay'>,
  space = photo.frame,
): Promise<Uint8Array> {
  return drawOnFrame(photo.rgb, photo.frame, elements, { labels: overlay.labels, space });
}
