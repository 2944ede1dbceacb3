import { defined } from '../base/defined.js';
import type { Metadata, Sharp } from 'sharp';
import { checkOptions, type OptionKinds } from '../base/options-check.js';
import { decoding, tooManyFrames, tooManyPixels } from './failure.js';
import { checkLimit, readInput } from './input.js';
import type { EncodedPhoto, InputOptions } from './input.js';
import type { PhotoInput } from './input-kinds.js';
import { isTransposed } from './metadata/orientation.js';
import { saysResolution } from './formats/jpeg-segments.js';
import { withPngProfile } from './formats/png-chunks.js';
import type { Cicp } from './formats/types.js';
import { readPhotoFile, type Animation, type PhotoFile } from './photo-file.js';
import { checkTiffParts } from './tiff-damage.js';
import type { Turn } from './turn/turn.js';
import { sharp } from './vips.js';

/** libvips' and sharp's own default: 16383 x 16383. */
export const DEFAULT_MAX_PIXELS = 0x3fff ** 2;

export interface DecodeOptions extends InputOptions {
  /** Width times height above which a photo is refused, against decompression bombs. Default 268,402,689. */
  readonly maxPixels?: number;
  /** Of an animated GIF, WebP or PNG, take the first frame for the photo. Default false: crops have all frames. */
  readonly firstFrame?: boolean;
}

const DECODE_OPTIONS: OptionKinds<DecodeOptions> = {
  // Limits have a check of their own, which says more than that they are numbers.
  maxBytes: 'any',
  maxPixels: 'any',
  firstFrame: 'boolean',
  rawPreview: 'boolean',
  name: 'text',
  signal: 'signal',
};

/**
 * A photo ready to be looked at. It holds the encoded file, not its pixels (but of a HEIC): those are decoded when a
 * frame or a crop asks for them and dropped afterwards.
 */
export interface Photo extends EncodedPhoto {
  /** Size in pixels as it is meant to be seen: the EXIF orientation is applied. */
  readonly width: number;
  readonly height: number;
  /**
   * The file as libvips is given it: `bytes`, or the same pixels without what it would not understand; of a HEIC, which
   * it cannot decode, an uncompressed TIFF.
   */
  readonly pixels: Uint8Array;
  /** How it was straightened, if it was: `width`, `height` and `pixels` are the straight photo's then. */
  readonly turn?: Turn;
  /** What its RGB values mean, where the file says so in code points and no profile can say it all. */
  readonly cicp?: Cicp;
  /** Pixels an inch, where the file says any. */
  readonly density?: number;
  /** Of a GIF, WebP or PNG that moves; everything else here is its first frame. */
  readonly animation?: Animation;
  /** What of the photo is not cropped (all frames but the first), to follow its name. */
  readonly notes: readonly string[];
  /** Of the file as stored; what colour and encoding decisions are made from. */
  readonly stored: Metadata;
  /** Which of libvips' complaints make it a damaged file. */
  readonly failOn: 'error' | 'warning';
  readonly maxPixels: number;
}

/**
 * Reads a photo and its header. JPEG, PNG, WebP, AVIF, HEIC, TIFF (of several pages, the first) and GIF, told by
 * content, whatever the file is called. A HEIC needs the package libheif-js, and its pixels are decoded here.
 *
 * @throws FramewrightError USAGE, INPUT_NOT_FOUND, INPUT_UNREADABLE, INPUT_UNSUPPORTED, INPUT_CORRUPT, INPUT_TOO_LARGE
 */
export async function decodePhoto(input: PhotoInput, options: DecodeOptions = {}): Promise<Photo> {
  checkOptions('decodePhoto', options, DECODE_OPTIONS);
  const { maxPixels = DEFAULT_MAX_PIXELS, firstFrame = false, signal } = options;
  checkLimit('maxPixels', maxPixels);
  const encoded = await readInput(input, options);
  const { name } = encoded;
  const file = await readPhotoFile(encoded, { maxPixels, firstFrame, signal });
  const found = await decoding(
    name,
    () => sharp(file.pixels, { failOn: 'error', limitInputPixels: false }).metadata(),
    signal,
  );
  const { width, height } = found.autoOrient;
  if (width * height > maxPixels) throw tooManyPixels(name, { width, height }, maxPixels);
  const { animation } = file;
  if (animation && width * height * animation.nFrames > maxPixels) {
    throw tooManyFrames(name, { width, height }, animation.nFrames, maxPixels);
  }
  const { parts } = file;
  if (parts) await decoding(name, () => checkTiffParts(parts, maxPixels, signal), signal);
  const pixels = file.icc ? await withProfile(encoded.name, file, file.icc, maxPixels, signal) : file.pixels;
  const stored = {
    ...asStored(found, file),
    ...(file.icc && { hasProfile: true, icc: Buffer.from(file.icc) }),
  };
  const density = densityOf(encoded, file, stored);
  return {
    ...encoded,
    width,
    height,
    pixels,
    ...(file.cicp && { cicp: file.cicp }),
    ...defined({ animation }),
    ...defined({ density }),
    notes: file.notes,
    stored: file.isOpaque ? { ...stored, hasAlpha: false } : stored,
    failOn: file.failOn ?? FAIL_ON,
    maxPixels,
  };
}

/**
 * A truncated or damaged photo is refused rather than cropped, since what is missing would come out as plain grey in a
 * file that looks whole. Warnings count as damage: those that harmless oddities give are gone from `pixels`.
 */
const FAIL_ON = 'warning';

/** The start of every pipeline over a photo: upright, within its pixel limit, nothing decoded yet. */
export function openPhoto({ pixels, failOn, maxPixels, format, stored }: Photo): Sharp {
  const pipeline = sharp(pixels, { failOn, limitInputPixels: maxPixels, autoOrient: true });
  return format === 'tiff' && !stored.hasAlpha ? pipeline.removeAlpha() : pipeline;
}

/** A PNG of the first picture: the profile of a GIF is in no place where libvips looks. */
async function withProfile(
  name: string,
  file: PhotoFile,
  icc: Uint8Array,
  maxPixels: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const png = await decoding(
    name,
    () => sharp(file.pixels, { failOn: FAIL_ON, limitInputPixels: maxPixels }).png({ compressionLevel: 1 }).toBuffer(),
    signal,
  );
  return withPngProfile(png, icc);
}

/** With what libvips does not say; the size is the one before the orientation. */
function asStored(found: Metadata, { stored }: PhotoFile): Metadata {
  if (!stored) return found;
  const { width, height } = found;
  return { ...found, ...stored, ...(isTransposed(stored.orientation ?? 1) && { width: height, height: width }) };
}

/** libvips makes one up where a file has none. */
function densityOf({ bytes, format }: EncodedPhoto, { density }: PhotoFile, stored: Metadata): number | undefined {
  if (format === 'png' || format === 'tiff' || format === 'heic') return density;
  if (format === 'jpeg') return saysResolution(bytes) ? stored.density : undefined;
  return stored.exif ? stored.density : undefined;
}
