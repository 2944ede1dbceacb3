/** A TIFF structure: the body of an EXIF block, or a TIFF file. Every offset counts from its first byte. */
export interface TiffBlock {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly littleEndian: boolean;
  /** Where the first directory begins. */
  readonly firstAt: number;
}

/** One field of an image file directory (TIFF 6.0, section 2). */
export interface IfdEntry {
  readonly tag: number;
  /** 1 BYTE, 2 ASCII, 3 SHORT, 4 LONG, 5 RATIONAL, 7 UNDEFINED, ... */
  readonly type: number;
  readonly count: number;
  /** Where the entry's own 12 bytes begin. */
  readonly at: number;
  /** Where its value begins: in the entry if it takes 4 bytes or fewer. */
  readonly valueAt: number;
  readonly nBytes: number;
}

export interface Ifd {
  readonly at: number;
  /** Those whose type is known and whose value lies inside the block; the others are left as they are. */
  readonly entries: readonly IfdEntry[];
  /** Where the offset of the next directory is written; undefined if the block ends before it. */
  readonly nextAt: number | undefined;
}

export const TYPE = { byte: 1, ascii: 2, short: 3, long: 4, undefined: 7 } as const;

/** Bytes of one value, by type; EXIF 2.32 table 2 and the IFD type of TIFF's supplement 1. */
const TYPE_BYTES: readonly (number | undefined)[] = [undefined, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];

/** Undefined where there is no TIFF header (BigTIFF's included). */
export function openTiffBlock(bytes: Uint8Array): TiffBlock | undefined {
  if (bytes.length < 8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return undefined;
  const littleEndian = order === 0x4949;
  if (view.getUint16(2, littleEndian) !== 42) return undefined;
  return { bytes, view, littleEndian, firstAt: view.getUint32(4, littleEndian) };
}

/** Undefined where no directory can begin. */
export function readIfd({ bytes, view, littleEndian }: TiffBlock, at: number): Ifd | undefined {
  if (at < 8 || at + 2 > bytes.length) return undefined;
  const nEntries = view.getUint16(at, littleEndian);
  const end = at + 2 + 12 * nEntries;
  const entries: IfdEntry[] = [];
  for (let entryAt = at + 2; entryAt < end && entryAt + 12 <= bytes.length; entryAt += 12) {
    const type = view.getUint16(entryAt + 2, littleEndian);
    const count = view.getUint32(entryAt + 4, littleEndian);
    const size = TYPE_BYTES[type];
    if (size === undefined) continue;
    const nBytes = size * count;
    const valueAt = nBytes <= 4 ? entryAt + 8 : view.getUint32(entryAt + 8, littleEndian);
    if (valueAt + nBytes > bytes.length) continue;
    entries.push({ tag: view.getUint16(entryAt, littleEndian), type, count, at: entryAt, valueAt, nBytes });
  }
  return { at, entries, nextAt: end + 4 <= bytes.length ? end : undefined };
}

/** The directory that an entry of another one points at. */
export function readSubIfd(block: TiffBlock, parent: Ifd | undefined, tag: number): Ifd | undefined {
  const at = numberOf(block, entryOf(parent, tag));
  return at === undefined ? undefined : readIfd(block, at);
}

export function entryOf(ifd: Ifd | undefined, tag: number): IfdEntry | undefined {
  return ifd?.entries.find((entry) => entry.tag === tag);
}

/** The value of a field that holds one whole number. */
export function numberOf(block: TiffBlock, entry: IfdEntry | undefined): number | undefined {
  if (entry?.count !== 1) return undefined;
  return numbersOf(block, entry)?.[0];
}

/** More than any list has that we look at; a damaged one may claim millions. */
const MAX_NUMBERS = 0x10000;

/** The values of a SHORT or LONG (or IFD) field. */
export function numbersOf({ view, littleEndian }: TiffBlock, entry: IfdEntry): number[] | undefined {
  const { type, count, valueAt } = entry;
  if (count > MAX_NUMBERS) return undefined;
  if (type === TYPE.short) {
    return Array.from({ length: count }, (_, i) => view.getUint16(valueAt + 2 * i, littleEndian));
  }
  if (type === TYPE.long || type === 13) {
    return Array.from({ length: count }, (_, i) => view.getUint32(valueAt + 4 * i, littleEndian));
  }
  return undefined;
}

/** Bytes of one value of this type, 1 for a type that is not known. */
export function typeBytes(type: number): number {
  return TYPE_BYTES[type] ?? 1;
}
