import { countedAre } from '../base/counted.js';
import { defined } from '../base/defined.js';
import { FramewrightError, messageOf } from '../base/errors.js';
import type { Box, Size } from '../base/geometry.js';
import { decodePhoto } from '../photo/decode.js';
import { chooseFrame } from '../photo/frame.js';
import { renderFrame } from '../photo/render.js';
import { centred, commonPart } from './descriptor.js';
import { quantised, type IndexContents, type IndexedPhoto } from './index-file.js';
import type { Tower } from './tower.js';

/** A photo and how people cropped it. */
export interface CroppedPhotoSource {
  /** What the index calls it. */
  readonly name: string;
  readonly path: string;
  /** In pixels of `size`; at least one. */
  readonly boxes: readonly Box[];
  /** The size of the upright photo that the boxes were made in; a scaled copy of it is as good. */
  readonly size: Size;
}

/** Fewer photos have too little in common for the rest of them to mean anything. */
export const LEAST_PHOTOS = 10;

export interface BuiltIndex {
  readonly contents: IndexContents;
  /** Photos that could not be read, and why; they are not in the index. */
  readonly failures: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * An index of photos with their crops, in the order they are given in.
 *
 * @throws FramewrightError DATASET_INVALID for fewer than `LEAST_PHOTOS` that can be read; DECODE; the signal's reason
 */
export async function buildIndex(
  sources: readonly CroppedPhotoSource[],
  tower: Tower,
  { onPhoto, signal }: { readonly onPhoto?: (nDone: number, name: string) => void; readonly signal?: AbortSignal } = {},
): Promise<BuiltIndex> {
  const seen: (CroppedPhotoSource & { readonly described: Float32Array })[] = [];
  const failures: BuiltIndex['failures'][number][] = [];
  for (const [i, source] of sources.entries()) {
    signal?.throwIfAborted();
    onPhoto?.(i, source.name);
    try {
      const photo = await decodePhoto(source.path, { name: source.name, ...defined({ signal }) });
      const frame = chooseFrame(photo, tower.pixelBudget);
      const rgb = await renderFrame(photo, frame, defined({ signal }));
      seen.push({ ...source, described: await tower.see({ rgb, frame }, signal) });
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof FramewrightError) || error.code === 'DECODE') throw error;
      failures.push({ name: source.name, reason: messageOf(error) });
    }
  }
  if (seen.length < LEAST_PHOTOS) {
    throw new FramewrightError(
      'DATASET_INVALID',
      `${countedAre(seen.length, 'photo with a crop', 'photos with a crop')} too few for an index: it takes ${LEAST_PHOTOS}, and gets better with hundreds`,
    );
  }
  const common = commonPart(
    seen.map(({ described }) => described),
    tower.nEmbd,
  );
  const photos = seen.map(({ name, boxes, size, described }): IndexedPhoto => ({
    name,
    boxes: boxes.map((box) => sharesOf(box, size)),
    vector: quantised(centred(described, common)),
  }));
  return { contents: { tower: tower.identity, common, photos }, failures };
}

function sharesOf([x1, y1, x2, y2]: Box, { width, height }: Size): IndexedPhoto['boxes'][number] {
  return [x1 / width, y1 / height, x2 / width, y2 / height];
}
