import type { Sharp } from 'sharp';
import type { Photo } from './decode.js';
import { decoding } from './failure.js';
import { writeApng } from './formats/apng.js';
import type { PngChunk } from './formats/types.js';
import type { ApngTiming } from './photo-file.js';
import { sharp } from './vips.js';

/** Every frame of a pipeline over an animation as an APNG, with the times and plays of the photo's. */
export async function encodeApng(
  photo: Photo,
  pipeline: Sharp,
  timing: ApngTiming,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const { data, info } = await decoding(
    photo.name,
    () => pipeline.ensureAlpha().raw().toBuffer({ resolveWithObject: true }),
    signal,
  );
  const { width, channels } = info;
  const nFrames = timing.delays.length;
  const height = info.height / nFrames;
  const isOpaque = !data.some((value, at) => at % channels === channels - 1 && value !== 255);
  const pngs: Uint8Array[] = [];
  for (let i = 0; i < nFrames; i++) {
    const frame = data.subarray((i * data.length) / nFrames, ((i + 1) * data.length) / nFrames);
    const opened = sharp(frame, { raw: { width, height, channels }, limitInputPixels: false });
    pngs.push(await decoding(photo.name, () => (isOpaque ? opened.removeAlpha() : opened).png().toBuffer(), signal));
  }
  return writeApng(pngs, timing, photo.density === undefined ? [] : [resolutionChunk(photo.density)]);
}

/** @param density pixels an inch */
function resolutionChunk(density: number): PngChunk {
  const data = Buffer.alloc(9);
  const perMetre = Math.round(density / 0.0254);
  data.writeUInt32BE(perMetre, 0);
  data.writeUInt32BE(perMetre, 4);
  data[8] = 1;
  return { type: 'pHYs', data };
}
