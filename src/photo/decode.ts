import type { Metadata, Sharp } from 'sharp';
import { FramewrightError } from '../base/errors.js';
import { decoding } from './failure.js';
import { readInput } from './input.js';
import type { EncodedPhoto, InputOptions, PhotoInput } from './input.js';
import { firstPicture } from './formats/multi-picture.js';
import { firstPage } from './formats/tiff-pages.js';
import { sharp } from './vips.js';

/** libvips' and sharp's own default: 16383 x 16383. */
export const DEFAULT_MAX_PIXELS = 0x3fff ** 2;

export interface DecodeOptions extends InputOptions {
  /** Width times height above which a photo is refused, against decompression bombs. Default 268,402,689. */
  readonly maxPixels?: number;
}

/**
 * A photo ready to be looked at. It holds the encoded file, not its pixels: those are decoded when a frame or a crop
 * asks for them and dropped afterwards.
 */
export interface Photo extends EncodedPhoto {
  /** Size in pixels as it is meant to be seen: the EXIF orientation is applied. */
  readonly width: number;
  readonly height: number;
  /** Of the file as stored; what colour and encoding decisions are made from. */
  readonly stored: Metadata;
  readonly maxPixels: number;
}

/**
 * Reads a photo and its header. JPEG, PNG, WebP, AVIF, TIFF and GIF (of several frames or pages, the first), told by
 * content, whatever the file is called.
 *
 * @throws FramewrightError INPUT_NOT_FOUND, INPUT_UNREADABLE, INPUT_UNSUPPORTED, INPUT_CORRUPT, INPUT_TOO_LARGE
 */
export async function decodePhoto(input: PhotoInput, options: DecodeOptions = {}): Promise<Photo> {
  const { maxPixels = DEFAULT_MAX_PIXELS, signal } = options;
  const encoded = await readInput(input, options);
  const stored = await decoding(
    encoded.name,
    () => sharp(pixelBytes(encoded), { failOn: FAIL_ON, limitInputPixels: false }).metadata(),
    signal,
  );
  const { width, height } = stored.autoOrient;
  if (width * height > maxPixels) {
    const megapixels = (pixels: number): string => `${(pixels / 1e6).toFixed(0)} megapixels`;
    throw new FramewrightError(
      'INPUT_TOO_LARGE',
      `${encoded.name} is ${width}x${height} px, ${megapixels(width * height)}, over the limit of ${megapixels(maxPixels)}: raise the limit (--max-pixels, maxPixels in code) if that is right`,
    );
  }
  return { ...encoded, width, height, stored, maxPixels };
}

/**
 * A truncated or damaged photo is refused rather than cropped, since what is missing would come out as plain grey in a
 * file that looks whole. Warnings alone (odd markers that some phones and scanners write) do not count as damage.
 */
const FAIL_ON = 'error';

/** The start of every pipeline over a photo: upright, within its pixel limit, nothing decoded yet. */
export function openPhoto(photo: Photo): Sharp {
  return sharp(pixelBytes(photo), { failOn: FAIL_ON, limitInputPixels: photo.maxPixels, autoOrient: true });
}

/**
 * Without the gain map of a JPEG that has one: libvips would hand the file to libuhdr, which writes to the process's
 * stdout what it thinks of damaged XMP (2.0.2), and decodes the map for nothing. And without the pages of a TIFF that has very many.
 */
function pixelBytes({ bytes, format }: EncodedPhoto): Uint8Array {
  if (format === 'tiff') return firstPage(bytes);
  return format === 'jpeg' ? firstPicture(bytes) : bytes;
}
