import { createHash } from 'node:crypto';
import { FramewrightError } from '../base/errors.js';
import type { Size } from '../base/geometry.js';
import { JPEG_MARKER, jpegSegment, jpegSegments, jpegSize } from './formats/jpeg-segments.js';
import { orientationExif } from './formats/exif-orientation.js';
import { TAG } from './formats/exif-tags.js';
import {
  entryOf,
  numberOf,
  numbersOf,
  openTiffBlock,
  readIfd,
  readSubIfd,
  type Ifd,
  type TiffBlock,
} from './formats/ifd.js';

/** A camera's raw file, of which only a preview is looked at. */
export interface RawFile extends Size {
  /** Of the whole file, hex. `width` and `height` are the raw picture's, as stored: before its orientation. */
  readonly sha256: string;
}

export interface RawPreview {
  /** Upright by its EXIF, which says nothing else. */
  readonly jpeg: Uint8Array;
  readonly raw: RawFile;
}

const SUB_IFDS = 330;
const PHOTOMETRIC = 262;
const STRIP_OFFSETS = 273;
const TILE_OFFSETS = 324;
const JPEG_FROM_OFFSET = TAG.thumbnailOffset;
const DEFAULT_CROP_SIZE = 50720;
const RATIONAL = 5;

/** What a raw picture is made of: a mosaic of colours, or colours still to be developed. */
const RAW_PHOTOMETRIC = new Set([32803, 34892]);

/** Directories that a file is followed through; cameras write fewer than ten. */
const MAX_DIRECTORIES = 64;

/** Below, a preview is a thumbnail, on which no crop should be chosen. */
const MIN_PREVIEW_PX = 400;

/**
 * Sides of preview and raw picture are in one proportion but for a few pixels at the borders: then a crop of one is, in
 * shares, a crop of the other. Where they differ by more, one of them shows what the other does not.
 */
const MAX_PROPORTION_ERROR = 0.01;

/**
 * The largest JPEG in a raw file built as a TIFF (CR2, NEF, ARW, DNG, PEF, SRW and others), which shows all of its picture.
 *
 * @throws FramewrightError INPUT_UNSUPPORTED, with what to do
 */
export function rawPreviewOf(bytes: Uint8Array, name: string): RawPreview {
  const refused = (why: string): FramewrightError =>
    new FramewrightError(
      'INPUT_UNSUPPORTED',
      `${name} is a camera RAW file ${why}: develop it first, or crop it by hand`,
    );
  const block = openTiffBlock(bytes);
  const first = block && readIfd(block, block.firstAt);
  if (!block || !first) throw refused('in which no preview is looked for (it is not built as a TIFF)');
  const directories = allDirectories(block, first);
  const found = largestJpeg(
    bytes,
    directories.flatMap((ifd) => jpegPlaces(block, ifd)),
  );
  if (!found) throw refused(`without a JPEG preview of at least ${MIN_PREVIEW_PX} px`);
  const picture = pictureSize(block, first, directories);
  if (!picture) throw refused('that does not say how large its picture is');
  const proportion = (found.width * picture.height) / (found.height * picture.width);
  if (Math.abs(proportion - 1) > MAX_PROPORTION_ERROR) {
    const [preview, whole] = [found, picture].map(({ width, height }) => `${width}x${height}`);
    throw refused(
      `whose preview (${preview!} px) has other proportions than its picture (${whole!} px), so that a crop of one is none of the other`,
    );
  }
  const orientation = numberOf(block, entryOf(first, TAG.orientation)) ?? 1;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { jpeg: withOrientation(found.jpeg, orientation), raw: { ...picture, sha256 } };
}

function allDirectories(block: TiffBlock, first: Ifd): Ifd[] {
  const found = new Map<number, Ifd>();
  const queue: (Ifd | undefined)[] = [first];
  for (let ifd = queue.shift(); queue.length > 0 || ifd; ifd = queue.shift()) {
    if (!ifd || found.has(ifd.at) || found.size >= MAX_DIRECTORIES) continue;
    found.set(ifd.at, ifd);
    const below = entryOf(ifd, SUB_IFDS);
    for (const at of (below && numbersOf(block, below)) ?? []) queue.push(readIfd(block, at));
    const next = ifd.nextAt === undefined ? 0 : block.view.getUint32(ifd.nextAt, block.littleEndian);
    if (next !== 0) queue.push(readIfd(block, next));
  }
  return [...found.values()];
}

/** Where JPEGs may begin: not the pieces of a raw picture, which may be JPEGs too. */
function jpegPlaces(block: TiffBlock, ifd: Ifd): number[] {
  if (isRawPicture(block, ifd)) return [];
  return [JPEG_FROM_OFFSET, STRIP_OFFSETS, TILE_OFFSETS].flatMap((tag) => {
    const entry = entryOf(ifd, tag);
    const places = (entry && numbersOf(block, entry)) ?? [];
    return places.length === 1 ? places : [];
  });
}

function isRawPicture(block: TiffBlock, ifd: Ifd): boolean {
  return RAW_PHOTOMETRIC.has(numberOf(block, entryOf(ifd, PHOTOMETRIC)) ?? -1);
}

function largestJpeg(bytes: Uint8Array, places: readonly number[]): (Size & { readonly jpeg: Uint8Array }) | undefined {
  const found = places.flatMap((at) => {
    const jpeg = bytes.subarray(at);
    const size = jpeg[0] === 0xff && jpeg[1] === 0xd8 && isPicture(jpeg) ? jpegSize(jpeg) : undefined;
    return size && Math.max(size.width, size.height) >= MIN_PREVIEW_PX ? [{ ...size, jpeg }] : [];
  });
  return found.sort((a, b) => b.width * b.height - a.width * a.height)[0];
}

/** Baseline, extended or progressive, with colours: lossless ones (CR2's own pixels) are no picture to be shown. */
function isPicture(jpeg: Uint8Array): boolean {
  return jpegSegments(jpeg).some(
    ({ marker, payload }) => marker >= 0xc0 && marker <= 0xc2 && payload[0] === 8 && payload[5] === 3,
  );
}

/** As Lightroom and darktable show it: DNG says so, others in EXIF, else what the largest raw directory holds. */
function pictureSize(block: TiffBlock, first: Ifd, directories: readonly Ifd[]): Size | undefined {
  const raws = directories.filter((ifd) => isRawPicture(block, ifd));
  for (const ifd of raws) {
    const cropped = pairOf(block, ifd, DEFAULT_CROP_SIZE);
    if (cropped) return cropped;
  }
  const exif = readSubIfd(block, first, TAG.exifIfd);
  const said = sizeIn(block, exif, TAG.pixelXDimension, TAG.pixelYDimension);
  if (said) return said;
  const sizes = raws.flatMap((ifd) => sizeIn(block, ifd, TAG.imageWidth, TAG.imageLength) ?? []);
  return sizes.sort((a, b) => b.width * b.height - a.width * a.height)[0];
}

function sizeIn(block: TiffBlock, ifd: Ifd | undefined, widthTag: number, heightTag: number): Size | undefined {
  const [width, height] = [widthTag, heightTag].map((tag) => numberOf(block, entryOf(ifd, tag)));
  return width && height ? { width, height } : undefined;
}

function pairOf(block: TiffBlock, ifd: Ifd, tag: number): Size | undefined {
  const entry = entryOf(ifd, tag);
  if (entry?.count !== 2) return undefined;
  const { view, littleEndian } = block;
  const values =
    entry.type === RATIONAL
      ? [0, 8].map(
          (i) => view.getUint32(entry.valueAt + i, littleEndian) / view.getUint32(entry.valueAt + i + 4, littleEndian),
        )
      : numbersOf(block, entry);
  const [width, height] = (values ?? []).map(Math.round);
  return width && height && Number.isSafeInteger(width) && Number.isSafeInteger(height) ? { width, height } : undefined;
}

/** Whatever EXIF the preview has itself: the raw file's own word holds. */
function withOrientation(jpeg: Uint8Array, orientation: number): Uint8Array {
  const isExif = ({ marker }: { readonly marker: number }): boolean => marker === JPEG_MARKER.app1;
  const parts: Uint8Array[] = [];
  let at = 2;
  for (const segment of jpegSegments(jpeg).filter(isExif)) {
    parts.push(jpeg.subarray(at, segment.at));
    at = segment.end;
  }
  const exif = jpegSegment(JPEG_MARKER.app1, 'Exif\0\0', orientationExif(orientation));
  return Buffer.concat([jpeg.subarray(0, 2), exif, ...parts, jpeg.subarray(at)]);
}
