import { TAG } from './exif-tags.js';
import { entryOf, openTiffBlock, readIfd, readSubIfd, typeBytes, TYPE } from './ifd.js';
import type { Ifd, TiffBlock } from './ifd.js';

/** A field on its own, its value in a byte order that the owner knows. */
interface Field {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly value: Uint8Array;
  /** The directory this field points at; the value is then written when its place is known. */
  readonly fields?: readonly Field[];
}

/**
 * Fields of a TIFF's first directory that tell of the photo, not of how its pixels are laid out: what an EXIF block has
 * in its own first directory. (EXIF 2.32 section 4.6.4; Rating and XP* as Windows writes them; PrintIM.)
 */
const DESCRIPTIVE = new Set([
  0x010d, 0x010e, 0x010f, 0x0110, 0x0112, 0x011a, 0x011b, 0x0128, 0x0131, 0x0132, 0x013b, 0x013c, 0x0213, 0x4746,
  0x4749, 0x8298, 0x9c9b, 0x9c9c, 0x9c9d, 0x9c9e, 0x9c9f, 0xc4a5,
]);

/** The encoder's own; a second opinion about resolution or orientation would contradict the pixels written. */
const ENCODERS = new Set([0x0112, 0x011a, 0x011b, 0x0128, 0x0213]);

/** An EXIF block made of what a TIFF says in its directories. */
export function exifOfTiff(tiff: Uint8Array): Uint8Array | undefined {
  const block = openTiffBlock(tiff);
  const main = block && readIfd(block, block.firstAt);
  if (!block || !main) return undefined;
  const fields = photoFields(block, main);
  if (fields.length === 0) return undefined;
  const head = new Uint8Array(8);
  const view = new DataView(head.buffer);
  view.setUint16(0, block.littleEndian ? 0x4949 : 0x4d4d);
  view.setUint16(2, 42, block.littleEndian);
  view.setUint32(4, 8, block.littleEndian);
  return Buffer.concat([head, encodeIfd(fields, 8, block.littleEndian)]);
}

interface TiffBlobs {
  readonly exif?: Uint8Array;
  readonly xmp?: string;
  readonly photoshop?: Uint8Array;
  /** As `padded` makes it. */
  readonly iptc?: Uint8Array;
}

/**
 * Adds what an EXIF block says, and XMP and IPTC, to an encoded TIFF of one directory: a new directory behind the file
 * replaces the old one and points at the same pixels.
 */
export function withTiffMetadata(tiff: Uint8Array, { exif, xmp, photoshop, iptc }: TiffBlobs): Uint8Array {
  const block = openTiffBlock(tiff);
  const main = block && readIfd(block, block.firstAt);
  if (!block || main?.nextAt === undefined) return tiff;
  const { littleEndian } = block;
  const source = exif && openTiffBlock(exif);
  const sourceMain = source && readIfd(source, source.firstAt);
  const found = source && sourceMain ? photoFields(source, sourceMain) : [];
  const added = source?.littleEndian === littleEndian ? found : found.map(swapped);
  const blob = (tag: number, type: number, value: Uint8Array | undefined): Field[] =>
    value ? [{ tag, type, count: value.length, value }] : [];
  const fields = new Map<number, Field>();
  // Values that lie in the file stay there: an entry copied is an offset copied.
  for (const { tag, type, count, at } of main.entries) {
    fields.set(tag, { tag, type, count, value: tiff.subarray(at + 8, at + 12) });
  }
  const kept = new Set(fields.keys());
  const blobs = [
    ...blob(0x02bc, TYPE.byte, xmp === undefined ? undefined : Buffer.from(xmp, 'utf8')),
    ...(iptc ? [{ tag: 0x83bb, type: TYPE.long, count: iptc.length / 4, value: iptc }] : []),
    ...blob(0x8649, TYPE.byte, photoshop),
  ];
  for (const field of [...added.filter(({ tag }) => !ENCODERS.has(tag)), ...blobs]) {
    fields.set(field.tag, field);
    kept.delete(field.tag);
  }
  const directoryAt = tiff.length + (tiff.length % 2);
  const sorted = [...fields.values()].sort((a, b) => a.tag - b.tag);
  const directory = encodeIfd(sorted, directoryAt, littleEndian, kept);
  const result = Buffer.alloc(directoryAt + directory.length);
  result.set(tiff);
  result.set(directory, directoryAt);
  new DataView(result.buffer, result.byteOffset).setUint32(4, directoryAt, littleEndian);
  return result;
}

/**
 * The IPTC record of a TIFF. It is by custom a field of LONGs whose bytes are meant as they lie; some writers turned them
 * into the file's byte order all the same, which the marker that each of its data sets begins with tells.
 */
export function iptcOfTiff(tiff: Uint8Array): Uint8Array | undefined {
  const block = openTiffBlock(tiff);
  const entry = entryOf(block && readIfd(block, block.firstAt), 0x83bb);
  if (!entry) return undefined;
  const bytes = tiff.subarray(entry.valueAt, entry.valueAt + entry.nBytes);
  const isTurned = entry.type === TYPE.long && bytes[0] !== IPTC_MARKER && bytes[3] === IPTC_MARKER;
  return isTurned ? Buffer.from(bytes).swap32() : bytes;
}

const IPTC_MARKER = 0x1c;

/** An IPTC record as a TIFF has it: a field of LONGs, whose bytes are taken as they are. */
export function padded(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

/** In the block's own byte order. */
function photoFields(block: TiffBlock, main: Ifd): Field[] {
  const pointers = new Set<number>([TAG.exifIfd, TAG.gpsIfd, TAG.interopIfd]);
  const plain = (ifd: Ifd): Field[] =>
    ifd.entries
      .filter(({ tag }) => !pointers.has(tag))
      .map(({ tag, type, count, valueAt, nBytes }) => {
        return { tag, type, count, value: block.bytes.subarray(valueAt, valueAt + nBytes) };
      });
  const directory = (tag: number, fields: readonly Field[]): Field[] =>
    fields.length > 0
      ? [{ tag, type: TYPE.long, count: 1, value: new Uint8Array(4), fields: sortedFields(fields) }]
      : [];

  const exif = readSubIfd(block, main, TAG.exifIfd);
  const gps = readSubIfd(block, main, TAG.gpsIfd);
  const interop = entryOf(exif, TAG.interopIfd) && readSubIfd(block, exif, TAG.interopIfd);
  const fields = sortedFields([
    ...plain(main).filter(({ tag }) => DESCRIPTIVE.has(tag)),
    ...directory(
      TAG.exifIfd,
      exif ? [...plain(exif), ...directory(TAG.interopIfd, interop ? plain(interop) : [])] : [],
    ),
    ...directory(TAG.gpsIfd, gps ? plain(gps) : []),
  ]);
  // Values that lie over one another would make more of the file than there is; a whole one has none such.
  return bytesOf(fields) <= block.bytes.length ? fields : [];
}

function bytesOf(fields: readonly Field[]): number {
  return fields.reduce((sum, field) => sum + field.value.length + (field.fields ? bytesOf(field.fields) : 0), 0);
}

function sortedFields(fields: readonly Field[]): Field[] {
  return [...new Map(fields.map((field) => [field.tag, field])).values()].sort((a, b) => a.tag - b.tag);
}

/**
 * A directory with its values and those below it, to stand at `at`.
 * @param asEntry fields whose value is the entry's own four bytes, to be copied as they are.
 */
function encodeIfd(
  fields: readonly Field[],
  at: number,
  littleEndian: boolean,
  asEntry: ReadonlySet<number> = new Set(),
): Uint8Array {
  const head = new Uint8Array(2 + 12 * fields.length + 4);
  const view = new DataView(head.buffer);
  view.setUint16(0, fields.length, littleEndian);
  const parts: Uint8Array[] = [head];
  let end = at + head.length;
  const place = (value: Uint8Array): number => {
    const placedAt = end;
    const even = value.length % 2 === 0 ? value : Buffer.concat([value, Buffer.alloc(1)]);
    parts.push(even);
    end += even.length;
    return placedAt;
  };
  for (const [i, { tag, type, count, value, fields: below }] of fields.entries()) {
    const entryAt = 2 + 12 * i;
    view.setUint16(entryAt, tag, littleEndian);
    view.setUint16(entryAt + 2, type, littleEndian);
    view.setUint32(entryAt + 4, count, littleEndian);
    if (below) view.setUint32(entryAt + 8, place(encodeIfd(below, end, littleEndian)), littleEndian);
    else if (value.length <= 4 || asEntry.has(tag)) head.set(value.subarray(0, 4), entryAt + 8);
    else view.setUint32(entryAt + 8, place(value), littleEndian);
  }
  return Buffer.concat(parts);
}

/** The same field in the other byte order. */
function swapped(field: Field): Field {
  const { type, value, fields } = field;
  if (fields) return { ...field, fields: fields.map(swapped) };
  // A RATIONAL is two LONGs.
  const size = type === 5 || type === 10 ? 4 : typeBytes(type);
  if (size === 1) return field;
  const copy = Buffer.from(value);
  return { ...field, value: size === 2 ? copy.swap16() : size === 4 ? copy.swap32() : copy.swap64() };
}
