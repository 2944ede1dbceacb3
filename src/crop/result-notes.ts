import { defined } from '../base/defined.js';
import type { Size } from '../base/geometry.js';
import type { CropRect, CropResult } from '../base/schema.js';
import type { Canvas } from '../photo/canvas.js';
import type { Photo } from '../photo/decode.js';

/** A crop of 1,070 px for 1,080 is nothing anybody sees. */
const SEEN_FROM = 1.05;

/**
 * What to say of a result beside it: of the photo's file, what else is to be said of it (what could not be kept), and where the size asked for is more than
 * the crop has.
 */
export function resultNotes(
  photo: Photo,
  crop: CropRect,
  { size, canvas }: { readonly size: Size | undefined; readonly canvas?: Canvas | undefined },
  others: readonly (string | undefined)[] = [],
): Pick<CropResult, 'notes'> {
  const shown = canvas ? canvas.at : (size ?? crop);
  const factor = Math.max(shown.width / crop.width, shown.height / crop.height);
  const enlarged =
    size && factor > SEEN_FROM
      ? [
          `is enlarged ${factor.toFixed(1)} times: its crop has ${crop.width}x${crop.height} px, and ${size.width}x${size.height} are asked for`,
        ]
      : [];
  const notes = [...photo.notes, ...others.filter((note) => note !== undefined), ...enlarged];
  return defined({ notes: notes.length > 0 ? notes : undefined });
}
