import type { Sharp } from 'sharp';
import { FramewrightError } from '../base/errors.js';
import { checkWhole } from '../base/options-check.js';
import type { Size } from '../base/geometry.js';
import type { Photo } from './decode.js';
import { decoding } from './failure.js';
import { sourceJpegEncoding } from './jpeg-encoding.js';
import type { OutputFormat } from './output-format.js';
import type { ApngTiming } from './photo-file.js';
import { withoutPngChunks } from './formats/png-chunks.js';
import { withoutResolutionUnit } from './formats/tiff-layout.js';
import { webpChunks } from './formats/webp-chunks.js';

export interface EncodeOptions {
  /** Default: the photo's own format; PNG for a GIF that does not move, JPEG for a HEIC. */
  readonly format?: OutputFormat;
  /**
   * 1..100, for JPEG, WebP and AVIF; PNG and TIFF are lossless. Default: of a JPEG's crop as JPEG the photo's own, of a
   * lossless WebP's as WebP lossless, otherwise 92, 90 and 70.
   */
  readonly quality?: number;
  /** Drops EXIF, XMP, IPTC, gain map and colour profile; the pixels are converted to sRGB then. Default false. */
  readonly strip?: boolean;
  readonly signal?: AbortSignal;
}

export interface EncodedImage extends Size {
  readonly bytes: Uint8Array;
  readonly format: OutputFormat;
}

const QUALITY = { jpeg: 92, webp: 90, avif: 70 } as const;

/** What the formats (PNG and TIFF: libvips) hold at most on one side. */
const MAX_SIDE_PX: Record<OutputFormat, number> = {
  jpeg: 65_535,
  webp: 16_383,
  avif: 16_384,
  png: 10_000_000,
  tiff: 10_000_000,
  gif: 65_535,
};

interface EncodeAs extends Size, EncodeOptions {
  readonly format: OutputFormat;
  readonly bitDepth: 8 | 16;
  /** Of an APNG as another format that moves. */
  readonly timing?: ApngTiming;
}

/** The last step of every pipeline over a photo that ends in a file. */
export async function encodeAs(photo: Photo, pipeline: Sharp, options: EncodeAs): Promise<EncodedImage> {
  const { format, width, height, signal, quality } = options;
  if (quality !== undefined) checkWhole('quality', quality, 1, 100);
  if (Math.max(width, height) > MAX_SIDE_PX[format]) {
    throw new FramewrightError(
      'USAGE',
      `${width}x${height} px of ${photo.name} do not fit ${format}, which holds at most ${MAX_SIDE_PX[format]} px a side: choose another format or a smaller size`,
    );
  }
  const bytes = await decoding(photo.name, () => withFormat(photo, pipeline, options).toBuffer(), signal);
  return { bytes: withoutInventedResolution(photo, format, bytes), format, width, height };
}

function withFormat(photo: Photo, pipeline: Sharp, { format, quality, bitDepth, timing }: EncodeAs): Sharp {
  const source = photo.format === 'jpeg' ? sourceJpegEncoding(photo.bytes) : undefined;
  const ofHeic = photo.format === 'heic' ? photo.stored.chromaSubsampling : undefined;
  const isSubsampled = photo.format === 'webp' || (source?.chromaSubsampling ?? ofHeic) === '4:2:0';
  // Colour at half resolution is all these photos have; encoding more of it would only make the file larger.
  const chromaSubsampling = isSubsampled ? '4:2:0' : '4:4:4';
  switch (format) {
    case 'jpeg':
      return pipeline.jpeg({
        quality: quality ?? source?.quality ?? QUALITY.jpeg,
        chromaSubsampling,
        progressive: photo.format === 'jpeg' && photo.stored.isProgressive,
      });
    case 'webp':
      return pipeline.webp({
        quality: quality ?? QUALITY.webp,
        lossless: quality === undefined && isLosslessWebp(photo),
        smartSubsample: !isSubsampled,
        ...(timing && timesOf(timing)),
      });
    case 'avif':
      return pipeline.avif({ quality: quality ?? QUALITY.avif, chromaSubsampling, bitdepth: bitDepth === 16 ? 10 : 8 });
    case 'png':
      return pipeline.png();
    case 'gif':
      // The photo's own colours and frames where it is a GIF: no dots for colours that a palette has.
      return pipeline.gif({
        dither: photo.format === 'gif' ? 0 : 1,
        keepDuplicateFrames: true,
        ...(timing && timesOf(timing)),
      });
    case 'tiff':
      // sharp's default would be JPEG inside TIFF: lossy, and 8 bits.
      return pipeline.tiff({ compression: 'deflate', predictor: 'horizontal', ...resolutionOf(photo) });
  }
}

/** In milliseconds. */
function timesOf({ plays, delays }: ApngTiming): { delay: number[]; loop: number } {
  return { delay: delays.map(([part, of]) => Math.round((1000 * part) / (of === 0 ? 100 : of))), loop: plays };
}

/** libvips writes one even for a photo that has none, which would then be so many inches wide. */
function withoutInventedResolution({ density }: Photo, format: OutputFormat, bytes: Uint8Array): Uint8Array {
  if (density !== undefined) return bytes;
  if (format === 'png') return withoutPngChunks(bytes, 'pHYs');
  return format === 'tiff' ? withoutResolutionUnit(bytes) : bytes;
}

/** In pixels a millimetre; the other encoders take it from the photo by themselves. */
function resolutionOf({ density }: Photo): { xres?: number; yres?: number } {
  return density === undefined ? {} : { xres: density / 25.4, yres: density / 25.4 };
}

/** Whether a photo is a WebP without loss, whose crop is one too. */
export function isLosslessWebp({ format, bytes }: Photo): boolean {
  if (format !== 'webp') return false;
  const chunks = webpChunks(bytes);
  const frames = chunks.filter(({ type }) => type === 'ANMF');
  // A frame's own chunks lie behind 16 bytes of where and how long it is seen.
  const isLossless = ({ data }: (typeof frames)[number]): boolean =>
    Buffer.from(data.subarray(16, 20)).toString('latin1') === 'VP8L';
  return frames.length > 0 ? frames.every(isLossless) : chunks.some(({ type }) => type === 'VP8L');
}
