import type { Sharp } from 'sharp';
import type { Photo } from './decode.js';
import { readGif } from './formats/gif-blocks.js';
import { readInput } from './input.js';
import { decoding } from './failure.js';
import type { OutputFormat } from './output-format.js';
import type { Animation } from './photo-file.js';
import { sharp } from './vips.js';

/** Whether all frames are written: as GIF and WebP of any, and as PNG of an APNG. */
export function movesIn(format: OutputFormat, { timing }: Animation): boolean {
  return format === 'gif' || format === 'webp' || (format === 'png' && timing !== undefined);
}

/** The start of a pipeline over all frames, each the whole canvas; with their times and the count of loops. */
export function openAnimation({ pixels, nFrames }: Animation, { failOn, maxPixels }: Photo): Sharp {
  return sharp(pixels, { failOn, limitInputPixels: maxPixels, pages: nFrames });
}

/** One frame of the animation as a photo of its own, as a screen shows it: with what earlier frames leave behind. */
export async function frameOf(photo: Photo, page: number, signal: AbortSignal | undefined): Promise<Photo> {
  if (page === 0) return photo;
  const { animation, failOn, maxPixels } = photo;
  const png = await decoding(
    photo.name,
    () =>
      sharp(animation!.pixels, { failOn, limitInputPixels: maxPixels, page }).png({ compressionLevel: 1 }).toBuffer(),
    signal,
  );
  return { ...photo, pixels: png };
}

/** Whether a file, or its bytes, is a GIF of several frames. */
export async function isMovingGif(input: string | Uint8Array): Promise<boolean> {
  const encoded = await readInput(input).catch(() => undefined);
  return encoded?.format === 'gif' && readGif(encoded.bytes).nFrames > 1;
}

/** As many frames as that, evenly through the animation, the first and the last among them. */
export function sampledFrames(nFrames: number, nSamples: number): number[] {
  const n = Math.min(nFrames, nSamples);
  return Array.from({ length: n }, (_, i) => Math.round((i * (nFrames - 1)) / Math.max(1, n - 1)));
}
