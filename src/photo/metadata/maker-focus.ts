import type { Point, Size } from '../../base/geometry.js';
import { TAG } from '../formats/exif-tags.js';
import { entryOf, numbersOf, readIfd, TYPE, type Ifd, type TiffBlock } from '../formats/ifd.js';

/** Where a camera has focused, in pixels of the photo as stored. */
export interface MakerFocus {
  readonly tag: 'Canon:AFPointsInFocus' | 'Sony:FocusLocation';
  readonly point: Point;
}

/**
 * Where the autofocus was, by the notes of makers whose layout is known: EOS cameras of Canon and cameras of Sony, as ExifTool's
 * tag tables have them. Both count in the picture as the sensor has it, and say how large that is: only where the photo is
 * just that, it has been neither scaled nor cropped since.
 *
 * @param main the first directory, of the maker's name
 * @param exif the one of the notes
 */
export function makerFocus(block: TiffBlock, main: Ifd, exif: Ifd, stored: Size): MakerFocus | undefined {
  const note = entryOf(exif, TAG.makerNote);
  if (note?.type !== TYPE.undefined) return undefined;
  const make = textOf(block, main, TAG.make);
  if (make.startsWith('SONY')) return sonyFocus(block, readIfd(block, sonyDirectoryAt(block, note.valueAt)), stored);
  // Of other Canons the y axis points another way.
  const isEos = make.startsWith('Canon') && textOf(block, main, TAG.model).startsWith('Canon EOS');
  return isEos ? eosFocus(block, readIfd(block, note.valueAt), stored) : undefined;
}

/** Makers' tags. */
const FOCUS_LOCATION = 0x2027;
const AF_INFO_2 = 0x0026;

const SONY_HEADER = 'SONY DSC \0\0\0';

/** With its header or, in newer cameras, without. */
function sonyDirectoryAt({ bytes }: TiffBlock, at: number): number {
  const hasHeader = Buffer.from(bytes.subarray(at, at + SONY_HEADER.length)).toString('latin1') === SONY_HEADER;
  return hasHeader ? at + SONY_HEADER.length : at;
}

/** Width, height, x, y; from the upper left corner. The middle stands for "not known" too. */
function sonyFocus(block: TiffBlock, notes: Ifd | undefined, stored: Size): MakerFocus | undefined {
  const entry = entryOf(notes, FOCUS_LOCATION);
  const [width, height, x, y] = (entry?.count === 4 ? numbersOf(block, entry) : undefined) ?? [];
  if (x === undefined || y === undefined || width !== stored.width || height !== stored.height) return undefined;
  return { tag: 'Sony:FocusLocation', point: [x, y] };
}

/** Points in focus that lie further apart than this share of a side are no one place. */
const TOGETHER_SHARE = 1 / 3;

/**
 * AFInfo2, one SHORT after the other: its size in bytes, mode, n points, how many are valid, size of the picture, size of the
 * coordinates; then of n points each widths, heights, x and y from the middle, y upwards; then a bit a point for those in focus.
 */
function eosFocus(block: TiffBlock, notes: Ifd | undefined, stored: Size): MakerFocus | undefined {
  const entry = entryOf(notes, AF_INFO_2);
  const values = entry && numbersOf(block, entry);
  const [nBytes, , n = 0, nValid = 0, , , width, height] = values ?? [];
  // Notes that a program has moved without their offsets hold something else here.
  if (!values || nBytes !== 2 * values.length || width !== stored.width || height !== stored.height) return undefined;
  const [xAt, yAt, bitsAt] = [8 + 2 * n, 8 + 3 * n, 8 + 4 * n];
  if (bitsAt + Math.ceil(n / 16) > values.length) return undefined;
  const inFocus = Array.from({ length: Math.min(n, nValid) }, (_, i) => i).filter(
    (i) => (values[bitsAt + (i >> 4)]! >> (i & 15)) & 1,
  );
  if (inFocus.length === 0) return undefined;
  const x = middleOf(
    inFocus.map((i) => signed(values[xAt + i]!)),
    width,
  );
  const y = middleOf(
    inFocus.map((i) => signed(values[yAt + i]!)),
    height,
  );
  if (x === undefined || y === undefined) return undefined;
  return { tag: 'Canon:AFPointsInFocus', point: [Math.round(width / 2 + x), Math.round(height / 2 - y)] };
}

/** Of places along one side; undefined where they are far apart. */
function middleOf(places: readonly number[], length: number): number | undefined {
  const [least, most] = [Math.min(...places), Math.max(...places)];
  return most - least <= TOGETHER_SHARE * length ? (least + most) / 2 : undefined;
}

/** A SHORT that holds a signed number. */
function signed(value: number): number {
  return value >= 0x8000 ? value - 0x10000 : value;
}

function textOf({ bytes }: TiffBlock, ifd: Ifd, tag: number): string {
  const entry = entryOf(ifd, tag);
  if (entry?.type !== TYPE.ascii) return '';
  return Buffer.from(bytes.subarray(entry.valueAt, entry.valueAt + Math.min(entry.count, 64))).toString('latin1');
}
