import type { Size } from '../../base/geometry.js';
import { TAG } from '../formats/exif-tags.js';
import { entryOf, numberOf, numbersOf, openTiffBlock, readIfd, readSubIfd } from '../formats/ifd.js';
import type { Ifd, TiffBlock } from '../formats/ifd.js';
import { endOf, writeNumber, writeShort, writeSize } from '../formats/ifd-edit.js';

/** A small JPEG. */
export interface Thumbnail extends Size {
  readonly bytes: Uint8Array;
}

const STRIP_OFFSETS = 0x0111;
const STRIP_BYTE_COUNTS = 0x0117;
const JPEG_COMPRESSION = 6;

/** Whether the EXIF block shows the photo in small, as a JPEG. */
export function hasThumbnail(exif: Uint8Array): boolean {
  const block = openTiffBlock(exif);
  const main = block && readIfd(block, block.firstAt);
  const ifd = main && thumbnailIfd(block, main);
  return ifd !== undefined && jpegRange(block!, ifd) !== undefined;
}

/**
 * Puts another thumbnail in the old one's place, or behind everything where it is larger. Without one the directory is
 * unhooked. The old one's bytes go in any case: they show what was cropped away.
 *
 * @param block is changed.
 */
export function replaceThumbnail(block: TiffBlock, thumbnail: Thumbnail | undefined): Uint8Array {
  const { bytes, view } = block;
  const main = readIfd(block, block.firstAt);
  if (main?.nextAt === undefined) return bytes;
  const ifd = thumbnailIfd(block, main);
  const range = ifd && jpegRange(block, ifd);
  const isApart = apartFrom(block, [
    main,
    ifd,
    readSubIfd(block, main, TAG.exifIfd),
    readSubIfd(block, main, TAG.gpsIfd),
  ]);
  const place = range && isApart(range) ? range : undefined;
  const strips = ifd ? stripRanges(block, ifd).filter(isApart) : [];
  for (const { at, nBytes } of place ? [place, ...strips] : strips) bytes.fill(0, at, at + nBytes);

  const isLast =
    place !== undefined && ifd !== undefined && place.at + place.nBytes === bytes.length && ifd.at < place.at;
  if (!ifd || !place || !thumbnail) {
    view.setUint32(main.nextAt, 0);
    return isLast ? bytes.subarray(0, place.at) : bytes;
  }
  const fits = isLast || thumbnail.bytes.length <= place.nBytes;
  const at = fits ? place.at : bytes.length + (bytes.length % 2);
  for (const entry of ifd.entries) if (entry.tag === TAG.orientation) writeShort(block, entry, 1);
  writeSize(block, ifd, [TAG.imageWidth, TAG.imageLength], thumbnail);
  writeNumber(block, entryOf(ifd, TAG.thumbnailOffset), at);
  writeNumber(block, entryOf(ifd, TAG.thumbnailLength), thumbnail.bytes.length);
  const end = at + thumbnail.bytes.length;
  const result = new Uint8Array(isLast ? end : Math.max(bytes.length, end));
  result.set(bytes.subarray(0, result.length));
  result.set(thumbnail.bytes, at);
  return result;
}

interface Range {
  readonly at: number;
  readonly nBytes: number;
}

/** The second directory of an EXIF block. */
function thumbnailIfd(block: TiffBlock, main: Ifd): Ifd | undefined {
  if (main.nextAt === undefined) return undefined;
  const at = block.view.getUint32(main.nextAt, block.littleEndian);
  return at === main.at ? undefined : readIfd(block, at);
}

function jpegRange(block: TiffBlock, ifd: Ifd): Range | undefined {
  const compression = numberOf(block, entryOf(ifd, TAG.compression)) ?? JPEG_COMPRESSION;
  const at = numberOf(block, entryOf(ifd, TAG.thumbnailOffset));
  const nBytes = numberOf(block, entryOf(ifd, TAG.thumbnailLength));
  if (
    compression !== JPEG_COMPRESSION ||
    at === undefined ||
    at === 0 ||
    nBytes === undefined ||
    nBytes === 0 ||
    at + nBytes > block.bytes.length
  )
    return undefined;
  return { at, nBytes };
}

/** Where an uncompressed thumbnail's pixels are. */
function stripRanges(block: TiffBlock, ifd: Ifd): Range[] {
  const values = (tag: number): number[] => {
    const entry = entryOf(ifd, tag);
    return (entry && numbersOf(block, entry)) ?? [];
  };
  const lengths = values(STRIP_BYTE_COUNTS);
  const ranges = values(STRIP_OFFSETS)
    .map((at, i) => ({ at, nBytes: lengths[i] ?? 0 }))
    .filter(({ at, nBytes }) => at + nBytes <= block.bytes.length);
  const nBytes = ranges.reduce((sum, range) => sum + range.nBytes, 0);
  return nBytes <= block.bytes.length ? ranges : [];
}

/** In a broken block a thumbnail may claim bytes that a directory is made of; those are not touched. */
function apartFrom({ bytes }: TiffBlock, ifds: readonly (Ifd | undefined)[]): (range: Range) => boolean {
  return ({ at, nBytes }) =>
    at >= 8 && ifds.every((ifd) => !ifd || at >= endOf(ifd, bytes.length) || at + nBytes <= ifd.at);
}
