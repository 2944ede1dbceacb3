import type { Photo } from '../decode.js';
import { TAG } from '../formats/exif-tags.js';
import { entryOf, openTiffBlock, readIfd, readSubIfd, TYPE, type Ifd, type TiffBlock } from '../formats/ifd.js';
import { readMetadata } from './read-metadata.js';

/**
 * When the photo was taken by its camera's clock (EXIF DateTimeOriginal with SubSecTimeOriginal), in milliseconds; to be
 * compared with other photos' only, as the zone is left aside. Undefined where the photo does not say.
 */
export function captureTimeMs(photo: Photo): number | undefined {
  const { exif } = readMetadata(photo);
  const block = exif && openTiffBlock(exif);
  const main = block && readIfd(block, block.firstAt);
  const ifd = block && main && readSubIfd(block, main, TAG.exifIfd);
  if (!block || !ifd) return undefined;
  const parts = /^(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)/.exec(textOf(block, ifd, TAG.dateTimeOriginal) ?? '');
  if (!parts) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number) as [
    ...(readonly [number, number, number, number, number, number]),
  ];
  // Cameras whose clock was never set write zeros.
  if (year === 0 || month === 0 || day === 0) return undefined;
  const digits = /^\d+/.exec(textOf(block, ifd, TAG.subSecTimeOriginal) ?? '')?.[0];
  const fraction = digits === undefined ? 0 : Number(`0.${digits}`);
  return Date.UTC(year, month - 1, day, hour, minute, second) + Math.round(1000 * fraction);
}

/** What such a field holds is short; a damaged one may claim to go on to the end of the file. */
const MOST_CHARACTERS = 64;

function textOf({ bytes }: TiffBlock, ifd: Ifd, tag: number): string | undefined {
  const entry = entryOf(ifd, tag);
  if (entry?.type !== TYPE.ascii) return undefined;
  const value = bytes.subarray(entry.valueAt, entry.valueAt + Math.min(entry.nBytes, MOST_CHARACTERS));
  return String.fromCharCode(...value).replace(/\0.*$/s, '');
}
