import type { Box } from '../base/geometry.js';
import { Timings } from '../base/timings.js';
import type { FrameImage, PhotoEngine } from '../engines/engine.js';
import { decodePhoto, type Photo } from '../photo/decode.js';
import { chooseFrame, frameMap, type FrameMap } from '../photo/frame.js';
import type { PhotoInput } from '../photo/input-kinds.js';
import { renderFrame } from '../photo/render.js';

/** A decoded photo with the raster the model will see. */
export interface ReadyPhoto extends FrameImage {
  readonly photo: Photo;
  readonly map: FrameMap;
  readonly timings: Timings;
  /** Found in this photo, in oriented photo pixels; no crop may cut any. */
  readonly heads?: readonly Box[];
}

/** decode: the file, and the model frame made of it. */
export async function framePhoto(
  input: PhotoInput,
  engine: Pick<PhotoEngine, 'pixelBudget' | 'needsPixels'>,
  options: { maxPixels?: number; name?: string; signal?: AbortSignal },
): Promise<ReadyPhoto> {
  const timings = new Timings();
  return timings.measure('decode', async () => {
    const photo = await decodePhoto(input, options);
    const frame = chooseFrame(photo, engine.pixelBudget);
    const rgb = (engine.needsPixels ?? true) ? await renderFrame(photo, frame, options) : new Uint8Array();
    return { photo, frame, rgb, map: frameMap(photo, frame), timings };
  });
}
