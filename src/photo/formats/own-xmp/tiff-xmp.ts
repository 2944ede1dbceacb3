import { entryOf, openTiffBlock, readIfd, TYPE, type Ifd, type IfdEntry, type TiffBlock } from '../ifd.js';
import { refusedPlace, type FoundPlace } from './types.js';

const XMP = 0x02bc;
/** C2PA's store of signed claims (C2PA technical specification 2.1, A.3.5). */
const CREDENTIALS = 0xcd41;

/** What we put behind a file begins with it, and with the length that the file had: so that can be told again. */
const MARK = Buffer.from('framewright xmp\0', 'latin1');
const TAIL_HEAD_BYTES = MARK.length + 4;

const ENTRY_BYTES = 12;
const FIRST_AT = 4;

/** Offsets have 32 bits. */
const MAX_BYTES = 0xffff_ffff;

/**
 * Field 700 of the first directory (XMP part 3, 1.1.4). A packet that fits stays in its place; a longer one goes behind
 * the file, and a directory that has no such field yet is written there anew. Nothing else moves.
 */
export function tiffXmp(tiff: Uint8Array): FoundPlace {
  const block = openTiffBlock(tiff);
  const ifd = block && readIfd(block, block.firstAt);
  if (!block || ifd?.nextAt === undefined || tiff.length > MAX_BYTES) return refusedPlace('unknown');
  if (entryOf(ifd, CREDENTIALS)) return refusedPlace('signed');
  if (ifd.entries.filter(({ tag }) => tag === XMP).length > 1) return refusedPlace('doubled');
  // A field whose type is not known, or that reaches beyond the file, is none that we read.
  if (
    entriesIn(block, ifd).some((at) => block.view.getUint16(at, block.littleEndian) === XMP) !== !!entryOf(ifd, XMP)
  ) {
    return refusedPlace('unknown');
  }
  const entry = entryOf(ifd, XMP);
  const packet = entry && tiff.subarray(entry.valueAt, entry.valueAt + entry.nBytes);

  return {
    ...(packet && { packet }),
    replaced: (next) => {
      if (entry && next.length <= entry.nBytes) return inPlace(tiff, entry, next);
      const at = tiff.length + (tiff.length % 2);
      if (at + next.length + TAIL_HEAD_BYTES + tableBytes(block, ifd) + ENTRY_BYTES > MAX_BYTES) return undefined;
      return entry ? behind(block, entry, next) : withDirectory(block, ifd, next);
    },
    rest: () => restOf(block, ifd, entry),
  };
}

/** White space may stand behind a packet. */
function inPlace(tiff: Uint8Array, { valueAt, nBytes }: IfdEntry, packet: Uint8Array): Uint8Array {
  const changed = Buffer.from(tiff);
  changed.fill(' ', valueAt, valueAt + nBytes);
  changed.set(packet, valueAt);
  return changed;
}

function behind({ bytes, littleEndian }: TiffBlock, { at, valueAt, nBytes }: IfdEntry, packet: Uint8Array): Uint8Array {
  const head = tailHead(bytes.length, littleEndian);
  const changed = Buffer.concat([bytes, head, packet]);
  if (nBytes > ENTRY_BYTES - 8) changed.fill(0, valueAt, valueAt + nBytes);
  new DataView(changed.buffer, changed.byteOffset).setUint16(at + 2, TYPE.byte, littleEndian);
  writePlace(changed, at, packet.length, bytes.length + head.length, littleEndian);
  return changed;
}

function withDirectory(block: TiffBlock, ifd: Ifd, packet: Uint8Array): Uint8Array {
  const { bytes, littleEndian, view } = block;
  const head = tailHead(bytes.length, littleEndian);
  const tableAt = bytes.length + head.length;
  const old = entriesIn(block, ifd);
  const table = Buffer.alloc(tableBytes(block, ifd) + ENTRY_BYTES);
  const tableView = new DataView(table.buffer, table.byteOffset);
  tableView.setUint16(0, old.length + 1, littleEndian);
  // In the order of their tags.
  const nBefore = old.filter((at) => view.getUint16(at, littleEndian) < XMP).length;
  const copy = (from: number, to: number, n: number): void => {
    table.set(
      bytes.subarray(ifd.at + 2 + from * ENTRY_BYTES, ifd.at + 2 + (from + n) * ENTRY_BYTES),
      2 + to * ENTRY_BYTES,
    );
  };
  copy(0, 0, nBefore);
  copy(nBefore, nBefore + 1, old.length - nBefore);
  const entryAt = 2 + nBefore * ENTRY_BYTES;
  tableView.setUint16(entryAt, XMP, littleEndian);
  tableView.setUint16(entryAt + 2, TYPE.byte, littleEndian);
  writePlace(table, entryAt, packet.length, tableAt + table.length, littleEndian);
  table.set(bytes.subarray(ifd.nextAt, ifd.nextAt! + 4), table.length - 4);
  const changed = Buffer.concat([bytes, head, table, packet]);
  new DataView(changed.buffer, changed.byteOffset).setUint32(FIRST_AT, tableAt, littleEndian);
  return changed;
}

function writePlace(bytes: Buffer, entryAt: number, nBytes: number, at: number, littleEndian: boolean): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(entryAt + 4, nBytes, littleEndian);
  view.setUint32(entryAt + 8, at, littleEndian);
}

/** With a byte before it where that makes the place even, as TIFF wants it. */
function tailHead(before: number, littleEndian: boolean): Buffer {
  const pad = before % 2;
  const head = Buffer.alloc(pad + TAIL_HEAD_BYTES);
  head.set(MARK, pad);
  new DataView(head.buffer, head.byteOffset).setUint32(pad + MARK.length, before, littleEndian);
  return head;
}

/** All bytes that the file had before any packet of ours, but for the old one; and the fields of the directory. */
function restOf(block: TiffBlock, ifd: Ifd, entry: IfdEntry | undefined): Uint8Array[] {
  const { bytes, littleEndian, view } = block;
  const isOther = (at: number): boolean => view.getUint16(at, littleEndian) !== XMP;
  const fields = entriesIn(block, ifd)
    .filter(isOther)
    .map((at) => bytes.subarray(at, at + ENTRY_BYTES));
  const starts = [ifd.at, ...(entry ? [entry.valueAt] : [])].map((at) => lengthBefore(block, at));
  const length = Math.min(bytes.length, ...starts.filter((n) => n !== undefined));
  const old = Buffer.from(bytes.subarray(0, length));
  old.fill(0, FIRST_AT, FIRST_AT + 4);
  for (const [at, n] of entry ? [[entry.at, ENTRY_BYTES] as const, [entry.valueAt, entry.nBytes] as const] : []) {
    if (at < length) old.fill(0, at, Math.min(length, at + n));
  }
  return [old, ...fields, bytes.subarray(ifd.nextAt, ifd.nextAt! + 4)];
}

/** Of the file that something of ours was put behind, which begins at this place; undefined where it did not. */
function lengthBefore({ bytes, littleEndian, view }: TiffBlock, at: number): number | undefined {
  const headAt = at - TAIL_HEAD_BYTES;
  if (headAt < 8 || !MARK.equals(bytes.subarray(headAt, headAt + MARK.length))) return undefined;
  const length = view.getUint32(headAt + MARK.length, littleEndian);
  // Of a chain of them each says where it began itself.
  return length <= headAt && headAt - length < 2 ? length : undefined;
}

function entriesIn({ view, littleEndian }: TiffBlock, { at }: Ifd): number[] {
  return Array.from({ length: view.getUint16(at, littleEndian) }, (_, i) => at + 2 + i * ENTRY_BYTES);
}

function tableBytes({ view, littleEndian }: TiffBlock, { at }: Ifd): number {
  return 2 + view.getUint16(at, littleEndian) * ENTRY_BYTES + 4;
}
