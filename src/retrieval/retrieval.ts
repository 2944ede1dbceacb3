import type { FrameImage } from '../engines/frame-image.js';
import { mirroredRgb } from '../photo/mirror.js';
import { EXAMPLES, type Example } from './carry-over.js';
import type { CropIndex } from './crop-index.js';
import type { IndexedPhoto } from './index-file.js';
import type { Tower } from './tower.js';

/**
 * The photos of an index that a photo is like, as it is or mirrored, the most alike first.
 *
 * @param except a photo of the index that is to be taken for absent
 */
export async function examplesFor(
  photo: FrameImage,
  { tower, index }: { readonly tower: Tower; readonly index: CropIndex },
  { except, signal }: { readonly except?: IndexedPhoto | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<Example[]> {
  const look = async (image: FrameImage, isMirrored: boolean): Promise<Example[]> => {
    const near = await index.nearest(await tower.see(image, signal), EXAMPLES, except);
    return near.map((neighbour) => ({ ...neighbour, isMirrored }));
  };
  const mirrored = { rgb: mirroredRgb(photo.rgb, photo.frame), frame: photo.frame };
  const both = [...(await look(photo, false)), ...(await look(mirrored, true))];
  return both.sort((a, b) => b.similarity - a.similarity).slice(0, EXAMPLES);
}
