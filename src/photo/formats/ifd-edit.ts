import type { Size } from '../../base/geometry.js';
import { entryOf, TYPE } from './ifd.js';
import type { Ifd, IfdEntry, TiffBlock } from './ifd.js';

/** A whole number into a field of one SHORT or LONG, which becomes a LONG where it must; others stay as they are. */
export function writeNumber({ view, littleEndian }: TiffBlock, entry: IfdEntry | undefined, value: number): void {
  if (entry?.count !== 1 || (entry.type !== TYPE.short && entry.type !== TYPE.long)) return;
  if (entry.type === TYPE.short && value <= 0xffff) {
    view.setUint16(entry.valueAt, value, littleEndian);
  } else {
    view.setUint16(entry.at + 2, TYPE.long, littleEndian);
    view.setUint32(entry.valueAt, value, littleEndian);
  }
}

export function writeSize(
  block: TiffBlock,
  ifd: Ifd | undefined,
  [widthTag, heightTag]: readonly [number, number],
  { width, height }: Size,
): void {
  writeNumber(block, entryOf(ifd, widthTag), width);
  writeNumber(block, entryOf(ifd, heightTag), height);
}

/** Makes the field one SHORT, whatever it was. */
export function writeShort({ view, littleEndian }: TiffBlock, { at }: IfdEntry, value: number): void {
  view.setUint16(at + 2, TYPE.short, littleEndian);
  view.setUint32(at + 4, 1, littleEndian);
  view.setUint32(at + 8, 0);
  view.setUint16(at + 8, value, littleEndian);
}

/** Closes the gap with the entries behind it; values stay where they are. The directory must be read again. */
export function removeEntry({ bytes, view, littleEndian }: TiffBlock, ifd: Ifd, { at }: IfdEntry): void {
  bytes.copyWithin(at, at + 12, endOf(ifd, bytes.length));
  view.setUint16(ifd.at, view.getUint16(ifd.at, littleEndian) - 1, littleEndian);
}

/** The end of the directory with its pointer to the next one. */
export function endOf({ nextAt }: Ifd, blockLength: number): number {
  return nextAt === undefined ? blockLength : nextAt + 4;
}
