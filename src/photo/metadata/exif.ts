import { TAG } from '../formats/exif-tags.js';
import { entryOf, numbersOf, openTiffBlock, readIfd, readSubIfd, TYPE } from '../formats/ifd.js';
import type { Ifd, TiffBlock } from '../formats/ifd.js';
import { removeEntry, writeShort, writeSize } from '../formats/ifd-edit.js';
import { isTransposed, outputPoint, outputScale, pointInCropped, type PixelChange } from './orientation.js';
import { replaceThumbnail, type Thumbnail } from './exif-thumbnail.js';

/**
 * The EXIF block of a photo corrected for a crop of it: orientation 1 (or the photo's, where it is kept), dimensions of the new file, the subject where it
 * now is, the thumbnail replaced or dropped. It is edited in place: nothing moves, so that maker notes, whose offsets
 * no one but their maker knows, stay readable, and so does what is broken.
 *
 * @param exif from its TIFF header on.
 * @param thumbnail takes the place of the old one if there was one; absent, that is dropped.
 * @returns a copy, or undefined where there is no directory to be read.
 */
export function exifOfCrop(exif: Uint8Array, change: PixelChange, thumbnail?: Thumbnail): Uint8Array | undefined {
  const block = openTiffBlock(Uint8Array.from(exif));
  const main = block && readIfd(block, block.firstAt);
  if (!block || !main || main.entries.length === 0) return undefined;
  const exifIfd = readSubIfd(block, main, TAG.exifIfd);

  for (const entry of main.entries)
    if (entry.tag === TAG.orientation) writeShort(block, entry, change.kept?.orientation ?? 1);
  writeSize(block, main, [TAG.imageWidth, TAG.imageLength], change.output);
  writeSize(block, exifIfd, [TAG.pixelXDimension, TAG.pixelYDimension], change.output);
  for (const tag of [TAG.subjectArea, TAG.subjectLocation]) {
    moveSubject(block, exifIfd && readIfd(block, exifIfd.at), tag, change);
  }
  return replaceThumbnail(block, thumbnail);
}

/** Where the subject is, in the crop's pixels; a subject that was cropped away is no longer spoken of. */
function moveSubject(block: TiffBlock, ifd: Ifd | undefined, tag: number, change: PixelChange): void {
  const entry = entryOf(ifd, tag);
  const values = entry && numbersOf(block, entry);
  if (!ifd || !values || values.length < 2) return;
  const { crop, orientation } = change;
  const [x, y] = pointInCropped([values[0]!, values[1]!], change);
  const inside = x >= crop.x && y >= crop.y && x < crop.x + crop.width && y < crop.y + crop.height;
  if (!inside) {
    removeEntry(block, ifd, entry);
    return;
  }
  const [scaleX, scaleY] = outputScale(change);
  const moved: number[] = [...outputPoint([x, y], change)];
  const sides = values.slice(2, 4);
  if (sides.length === 1) moved.push(sides[0]! * Math.sqrt(scaleX * scaleY));
  if (sides.length === 2) {
    const [width, height] = isTransposed(orientation) ? [sides[1]!, sides[0]!] : [sides[0]!, sides[1]!];
    moved.push(width * scaleX, height * scaleY);
  }
  for (const [i, value] of moved.entries()) {
    const whole = Math.round(value);
    if (entry.type === TYPE.short) {
      block.view.setUint16(entry.valueAt + 2 * i, Math.min(whole, 0xffff), block.littleEndian);
    } else {
      block.view.setUint32(entry.valueAt + 4 * i, whole, block.littleEndian);
    }
  }
}
